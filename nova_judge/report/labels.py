"""Untrusted names made fit for a label: one line, bounded, nothing that moves other text."""

import functools
import unicodedata

from matplotlib.font_manager import FontProperties, findfont, get_font

FIGURE_FONT = "DejaVu Sans"  # ships inside matplotlib, so a figure looks the same everywhere
MISSING_GLYPH = "□"
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


def drawable(text: str, limit: int) -> str:
    """`one_line` with a box for each character that the figure's font cannot draw."""
    glyphs = _glyphs()
    return "".join(char if ord(char) in glyphs else MISSING_GLYPH for char in one_line(text, limit))


@functools.cache
def _glyphs() -> frozenset[int]:
    path = findfont(FontProperties(family=FIGURE_FONT))
    return frozenset(get_font(path).get_charmap())
