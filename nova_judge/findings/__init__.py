"""What a run found: the record behind metrics.json, its sentences, gate, audit and comparisons."""
