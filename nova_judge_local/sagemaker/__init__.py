"""Stand-ins for SageMaker: training jobs and hosted models."""
