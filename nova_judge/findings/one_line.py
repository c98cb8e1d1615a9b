"""Untrusted names made fit for a label: one line, bounded, nothing that moves other text."""

import unicodedata

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_READ_AT_MOST = 4000


def one_line(text: str, limit: int) -> str:
    """`text` without line breaks, controls and direction marks, cut in the middle to `limit`."""
    visible = "".join(
        " " if unicodedata.category(char) in _INVISIBLE else char
        for char in unicodedata.normalize("NFC", text[:_READ_AT_MOST])
    )
    flat = " ".join(visible.split())
    if len(flat) <= limit:
        return flat or "(no name)"
    head = (limit - 1) * 2 // 3
    return f"{flat[:head].rstrip()}…{flat[head + 1 - limit :].lstrip()}"
