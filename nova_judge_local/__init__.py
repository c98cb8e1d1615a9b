"""Local mode: an emulated AWS account with stand-ins for the models."""
