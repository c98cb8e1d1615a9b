"""What `import nova_judge as nj` gives to scripts and notebooks."""
