"""Content types of a report's files, for the servers."""

CONTENT_TYPES = {
    "report.html": "text/html; charset=utf-8",
    "report.md": "text/markdown; charset=utf-8",
    "metrics.json": "application/json",
    "judgments.parquet": "application/vnd.apache.parquet",
    "scores.parquet": "application/vnd.apache.parquet",
    "figure.png": "image/png",
    "figure.svg": "image/svg+xml",
    "junit.xml": "application/xml",
}
