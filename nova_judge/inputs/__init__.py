"""What a run reads: the request, the input file, its shards and its rows."""
