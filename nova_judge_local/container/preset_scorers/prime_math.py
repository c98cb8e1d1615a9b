"""Stand-in for `prime_math`: is the answer mathematically equal to the reference?

Equality is `math-verify`'s (Hugging Face), which reads LaTeX and plain numbers. The original is the
scorer of the same name in verl; the two can differ on unusual notation.
"""

import logging

from math_verify import parse, verify  # type: ignore[import-untyped]

logging.getLogger("math_verify").setLevel(logging.ERROR)  # the sandbox has its own time limit


def score(answer: str, reference: str) -> float:
    """1 when the answer's final expression equals the reference, else 0."""
    expected = parse(f"${reference}$", parsing_timeout=None) or parse(
        reference, parsing_timeout=None
    )
    if not expected:
        raise ValueError("the reference is no mathematical expression")
    return float(verify(expected, parse(answer, parsing_timeout=None), timeout_seconds=None))
