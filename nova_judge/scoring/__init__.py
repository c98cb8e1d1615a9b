"""Evaluations that score single answers: benchmarks, own data, own scorers, Bedrock."""
