"""Resources in AWS: one stack per life cycle."""
