"""Candidates' answers under throttling, and the endpoints they need."""
