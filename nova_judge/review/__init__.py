"""People in the loop: rows drawn for labels, the labels, and what they say of the run."""
