"""The judge job: what it is sent, and what it wrote, as our records."""
