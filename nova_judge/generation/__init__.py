"""The candidates' answers, asked under throttling without a loss, and the endpoints they need."""
