"""Is the last number of the answer the number of the reference?

A scorer is one Python file with one function `score`. It takes any of `prompt`, `answer`,
`reference` and `metadata`, and returns a number, or several by name: the first is the reward.
"""

import re

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def score(answer: str, reference: str) -> dict[str, float]:
    """1 where the last number agrees with the reference; also how short the answer is."""
    expected = NUMBER.findall(reference.replace(",", ""))
    found = NUMBER.findall(answer.replace(",", ""))
    right = bool(expected) and bool(found) and float(found[-1]) == float(expected[-1])
    return {"right_number": float(right), "one_sentence": float(answer.count(".") <= 1)}
