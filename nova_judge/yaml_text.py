"""YAML that others wrote, within bounds on what a reader spends on it."""

import re
from itertools import accumulate
from typing import Any, Final

import ryaml

LONGEST: Final = 4 << 20
"""Characters."""
MOST_BYTES: Final = 4 * LONGEST + 1
"""So many bytes in UTF-8 are more characters than that, whatever follows."""
_DEEPEST: Final = 500  # open brackets, on which the scanner's time grows as the square
_MOST_ALIASES: Final = 8
_MOST_REPEATED: Final = 2 << 20  # aliases times characters
_BRACKET = re.compile(r"[\[\]{}]")
_ANCHOR = re.compile(r"(?:^|[\s\[{,])&\w", re.MULTILINE)
_ALIAS = re.compile(r"(?:^|[\s\[{,])\*\w", re.MULTILINE)


def read_yaml(text: str) -> Any:  # noqa: ANN401 (any document)
    """The document as YAML 1.2 has it; raises ValueError where it is none, or would take too much.

    Each alias repeats what its anchor names, and in it other aliases, so that few of them fill
    memory.
    """
    if len(text) > LONGEST:
        raise ValueError(f"it has {len(text):,} characters, more than any document of ours")
    steps = (1 if bracket in "[{" else -1 for bracket in _BRACKET.findall(text))
    if max(accumulate(steps), default=0) > _DEEPEST:
        raise ValueError(f"its brackets are nested more than {_DEEPEST} deep")
    aliases = len(_ALIAS.findall(text)) if _ANCHOR.search(text) else 0
    if aliases > _MOST_ALIASES or aliases * len(text) > _MOST_REPEATED:
        raise ValueError(f"it repeats parts of itself (`*name`) {aliases} times")
    return ryaml.loads(text)
