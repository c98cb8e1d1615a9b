"""Data that a judge of pairs gets and writes: verdicts, rubrics, controls, other weights."""
