"""Stand-ins for Bedrock: Converse, batch inference, evaluation jobs."""
