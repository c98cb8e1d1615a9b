"""What a judge of pairs is sent and what it writes: verdicts, rubrics, controls, other weights."""
