"""Everything in which kinds of evaluation differ."""
