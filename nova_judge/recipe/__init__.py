"""What to evaluate, and which models, images, instances and tasks go together."""
