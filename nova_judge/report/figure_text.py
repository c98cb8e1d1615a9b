"""Untrusted names as the figure's font can draw them."""

import functools

from matplotlib.font_manager import FontProperties, findfont, get_font

from nova_judge.findings.one_line import one_line

FIGURE_FONT = "DejaVu Sans"  # ships inside matplotlib, so a figure looks the same everywhere
MISSING_GLYPH = "□"


def drawable(text: str, limit: int) -> str:
    """`one_line` with a box for each character that the figure's font cannot draw."""
    glyphs = _glyphs()
    return "".join(char if ord(char) in glyphs else MISSING_GLYPH for char in one_line(text, limit))


@functools.cache
def _glyphs() -> frozenset[int]:
    path = findfont(FontProperties(family=FIGURE_FONT))
    return frozenset(get_font(path).get_charmap())
