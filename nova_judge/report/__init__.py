"""The report of a run: page, figure, Markdown, JUnit and tables."""
