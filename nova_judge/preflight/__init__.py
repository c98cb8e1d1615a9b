"""What must be so, and what it will cost, before a run may start."""
