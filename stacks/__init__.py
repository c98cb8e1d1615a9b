"""What exists in AWS: one stack a life cycle."""
