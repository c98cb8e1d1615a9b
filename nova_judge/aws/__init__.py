"""Calls to AWS, and nothing else."""
