"""How AWS calls us: one module a state, named after it."""
