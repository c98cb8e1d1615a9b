"""Local mode: the real stacks, state machine and handlers on one machine."""
