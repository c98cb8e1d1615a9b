"""Models and judges of local mode."""
