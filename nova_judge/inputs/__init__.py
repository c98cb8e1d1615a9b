"""Input of a run: the request, the input file, its shards and its rows."""
