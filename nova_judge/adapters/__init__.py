"""Adapters: the only modules of `nova_judge` that call AWS."""
