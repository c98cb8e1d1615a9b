"""Findings of a run: the record behind metrics.json, its sentences, gate, audit and comparisons."""
