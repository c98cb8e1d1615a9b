"""Win rates, intervals, tests and verdicts: numbers that hold."""
