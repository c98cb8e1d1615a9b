"""What each state of a run does, with AWS at hand; functions and commands call it."""
