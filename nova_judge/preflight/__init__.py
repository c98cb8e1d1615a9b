"""Conditions that must hold, and the expected cost, before a run may start."""
