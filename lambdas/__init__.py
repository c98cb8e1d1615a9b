"""The functions that AWS calls: one module per state, named after it."""
