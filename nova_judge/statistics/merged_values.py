"""Values of many rows, or sums of many prompts, as few weighted ones where they are alike."""

import numpy as np

from nova_judge.statistics.arrays import Floats

MOST_SUMS = 2_000
_MOST_VALUES = 200
_FEWEST_OF_SIZE = 20


def values_and_rows(shares: Floats, most: int = _MOST_VALUES) -> tuple[Floats, Floats]:
    """The values and the rows of each; where more than `most` differ, the means of so many parts.

    Means keep the mean of all rows, and what varies within a part is too little to be seen.
    """
    values, counts = np.unique(shares, return_counts=True)
    rows = counts.astype(np.float64)
    if len(values) <= most:
        return values, rows
    part = np.floor((values - values[0]) / (values[-1] - values[0]) * most)
    first = np.flatnonzero(np.diff(part, prepend=-1.0))
    in_part = np.add.reduceat(rows, first)
    return np.add.reduceat(values * rows, first) / in_part, in_part


def sums_and_prompts(sums: Floats, sizes: Floats) -> tuple[Floats, Floats, Floats]:
    """Sums and sizes of prompts, and the prompts of each: those of one size and of near means."""
    kinds = np.unique(sizes)
    most = min(_MOST_VALUES, max(_FEWEST_OF_SIZE, MOST_SUMS // len(kinds)))
    merged = [values_and_rows(sums[sizes == size] / size, most) for size in kinds]
    of_kind = np.repeat(kinds, [len(means) for means, _ in merged])
    means = np.concatenate([means for means, _ in merged])
    return means * of_kind, of_kind, np.concatenate([prompts for _, prompts in merged])
