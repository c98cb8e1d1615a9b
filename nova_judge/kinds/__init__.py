"""Everything in which kinds of evaluation differ, and nothing else."""
