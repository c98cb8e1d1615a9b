"""Names of objects that may become files: plain parts, which lead nowhere else."""

import re

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}\Z")


def is_plain(name: str) -> bool:
    """True where every part of a key is a plain name; others are never written to disk."""
    return all(_PART.match(part) for part in name.split("/"))
