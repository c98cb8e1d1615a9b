"""The rubric judge's criteria: read, weighed, weighed anew."""
