"""What exists in AWS: one stack per life cycle."""
