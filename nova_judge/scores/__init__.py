"""Scores of single answers: text metrics, scorers, benchmarks, Bedrock's judge."""
