"""Krippendorff's alpha: how far reviewers agree beyond chance, when not everybody saw every row."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

__all__ = ["nominal_alpha"]


def nominal_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Alpha for categories without an order, from what was said of each unit.

    1 - observed / expected disagreement (Krippendorff 2011). Units with fewer than two sayings take
    no part. None without any, or where all say one thing everywhere.

    >>> round(nominal_alpha(["AA", "AB", "BB", "BB"]), 3)
    0.533
    """
    totals: Counter[Hashable] = Counter()
    disagreed = 0.0
    for said in units:
        if len(said) < 2:
            continue
        counts = Counter(said)
        totals.update(counts)
        pairs = len(said) ** 2 - sum(count**2 for count in counts.values())
        disagreed += pairs / (len(said) - 1)
    values = sum(totals.values())
    expected = values**2 - sum(count**2 for count in totals.values())
    if not expected:
        return None
    return 1.0 - disagreed / expected * (values - 1)
