"""Text that UTF-8 can hold, and text that only shows itself."""

import re
import unicodedata
from collections.abc import Mapping

# Controls but line breaks and tabs, half surrogates, separators of lines and paragraphs, and marks
# that turn the direction of writing or take no place. Joiners stay: Persian and emoji need them.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e"
    r"\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_READ_AT_MOST = 4000


def storable(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate, which JSON may hold and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def all_storable(value: object) -> object:
    """Plain data with every text in it as `storable` gives it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {all_storable(name): all_storable(part) for name, part in value.items()}
    return [all_storable(part) for part in value] if isinstance(value, list | tuple) else value


def shortened(text: str, most: int) -> str:
    """`text` as UTF-8 can hold it, cut to `most` characters; how many are left out stands there."""
    whole = storable(text)
    left = len(whole) - most
    return whole if left <= 0 else f"{whole[:most]}… [{left:,} more characters]"


def one_line(text: str, limit: int) -> str:
    """An untrusted name for a label: one line, no controls or direction marks, cut to `limit`."""
    visible = "".join(
        " " if unicodedata.category(char) in _INVISIBLE else char
        for char in unicodedata.normalize("NFC", text[:_READ_AT_MOST])
    )
    flat = " ".join(visible.split())
    if len(flat) <= limit:
        return flat or "(no name)"
    head = (limit - 1) * 2 // 3
    return f"{flat[:head].rstrip()}…{flat[head + 1 - limit :].lstrip()}"


def visible(text: str, limit: int | None = None) -> str:
    """`text` without characters that act on a terminal; line breaks and tabs stay."""
    cut = text if limit is None or len(text) <= limit else f"{text[:limit]}… (cut)"
    return _UNSEEN.sub("", cut)


def count_of(number: float, one: str, several: str = "") -> str:
    """A number with its noun as a sentence needs it, and with the verb where words have one.

    >>> count_of(1, "row"), count_of(2000, "row"), count_of(1, "row has", "rows have")
    ('1 row', '2,000 rows', '1 row has')
    """
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
