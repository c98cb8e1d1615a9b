"""What finished runs found: stored, read again, audited, compared, gated, exported."""
