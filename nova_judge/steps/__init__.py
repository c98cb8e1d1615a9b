"""The work of each state of a run, with AWS at hand; functions and commands call it."""
