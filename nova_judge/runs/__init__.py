"""One run: what was asked, its jobs and what they left, and how it is stopped."""
