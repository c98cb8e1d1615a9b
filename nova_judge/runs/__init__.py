"""One run: what was asked, where all of it lies, what must be so before it costs anything."""
