"""Calibration of margins: how often a judge that is this sure agrees with the label.

The confidence of a row is the size of its margin; it is right when the margin's sign is the label.
An isotonic map turns confidence into a probability; its error is measured on rows that the map has
not seen: ten folds, drawn by the hashes of their prompts, so that neither their order nor what the
labels say has a part in it, and rows of one prompt are held out together. Where rows are few, folds
are drawn up to twenty times.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Flags, Floats, Ints, RowIndices
from nova_judge.statistics.clusters import places_of, share_interval
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.win_rate import Interval

__all__ = ["calibrate", "isotonic"]

MIN_ROWS = 20
_FOLDS = 10
_BUCKETS = 10
_MIN_BUCKET = 10
_MOST_FOLDINGS = 20
_ROWS_TO_FIT = 20_000


class Step(msgspec.Struct, frozen=True):
    """From this confidence on, the judge agrees with the label with this probability."""

    confidence: float
    probability: float


class Bucket(msgspec.Struct, frozen=True):
    """Rows whose confidence lies between `low` and `high`; `predicted` by maps without them."""

    low: float
    high: float
    rows: int
    agreed: int
    share: float
    share_low: float
    share_high: float
    predicted: float


class Calibration(msgspec.Struct, frozen=True):
    """Relation of margins to labels.

    expected_error: root mean square distance of what the map predicts and what is so, its own noise
    included: from the products of residuals of pairs of held-out rows of two prompts in one bucket
    and fold, whose mean is the square of that distance. accuracy: the margin's sign is the label.
    brier: mean squared error of the cross-validated probabilities; brier_base_rate: the same of a
    map that knows nothing but the share of right rows in the other folds. A map that is no better
    than that is worth nothing.
    """

    expected_error: float
    brier: float
    accuracy: float
    rows: int
    undecided: int
    folds: int
    buckets: tuple[Bucket, ...]
    map: tuple[Step, ...]
    brier_base_rate: float | None = None


class IsotonicMap(NamedTuple):
    """Knots of a rising function, linear between them and flat outside."""

    at: Floats
    values: Floats

    def __call__(self, where: Floats) -> Floats:
        return np.interp(where, self.at, self.values)


def calibrate(evidence: Evidence, level: float = 0.95) -> Calibration | Unscored:
    """The calibration of the margins of all rows with a margin and a label A or B.

    A margin of 0 says nothing of either side: such rows are counted as undecided and left out.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> right = EvidenceRow(label=Verdict.A, margin=0.8)
    >>> wrong = EvidenceRow(label=Verdict.B, margin=0.1)
    >>> found = calibrate(gather([right] * 20 + [wrong] * 20))
    >>> found.accuracy, found.rows, found.undecided
    (0.5, 40, 0)
    """
    usable = ~np.isnan(evidence.margins) & (evidence.labels <= Outcome.B)
    if not usable.any():
        return Unscored("no row has both a margin and a label A or B")
    margins, label_b = evidence.margins[usable], evidence.labels[usable] == Outcome.B
    decided = margins != 0
    confidence = np.abs(margins[decided])
    agreed = (margins[decided] < 0) == label_b[decided]
    if len(confidence) < MIN_ROWS:
        return Unscored(f"{len(confidence)} rows have a margin and a label, {MIN_ROWS} are needed")
    prompt = places_of(evidence.clusters[usable][decided])
    order = np.lexsort((prompt, agreed, confidence))
    confidence, agreed, prompt = confidence[order], agreed[order], prompt[order]
    if prompt.max() + 1 < _FOLDS:
        return Unscored(f"rows of {prompt.max() + 1} prompts cannot be held out in {_FOLDS} parts")
    parts = [_held_out(confidence, agreed, prompt, fold) for fold in _foldings(prompt)]
    predicted = np.mean([part.predicted for part in parts], axis=0)
    buckets = _buckets(confidence, agreed, predicted, prompt, level)
    whole = isotonic(confidence, agreed)
    return Calibration(
        expected_error=math.sqrt(max(0.0, math.fsum(part.square for part in parts) / len(parts))),
        brier=math.fsum(part.brier for part in parts) / len(parts),
        brier_base_rate=math.fsum(part.brier_base_rate for part in parts) / len(parts),
        accuracy=int(agreed.sum()) / len(agreed),
        rows=len(confidence),
        undecided=int((~decided).sum()),
        folds=_FOLDS,
        buckets=tuple(buckets),
        map=tuple(
            Step(*step) for step in zip(whole.at.tolist(), whole.values.tolist(), strict=True)
        ),
    )


def isotonic(where: Floats, hits: Flags) -> IsotonicMap:
    """Isotonic regression of hits on ascending places by pooling adjacent violators.

    Counts are pooled as whole numbers, so that equal data in any order give equal bits.

    >>> right = np.array([False, True, False, True])
    >>> isotonic(np.array([0.1, 0.2, 0.3, 0.4]), right).values.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    places, first, rows = np.unique(where, return_index=True, return_counts=True)
    hits_at = np.add.reduceat(hits.astype(np.int64), first)
    blocks: list[tuple[int, int, int, int]] = []
    for index, (hit, total) in enumerate(zip(hits_at.tolist(), rows.tolist(), strict=True)):
        start, pooled_hits, pooled = index, hit, total
        while blocks and blocks[-1][2] * pooled >= pooled_hits * blocks[-1][3]:
            start, _, earlier_hits, earlier = blocks.pop()
            pooled_hits, pooled = pooled_hits + earlier_hits, pooled + earlier
        blocks.append((start, index, pooled_hits, pooled))
    knots = [
        (places[end], hit / total)
        for start, last, hit, total in blocks
        for end in ((start,) if start == last else (start, last))
    ]
    at, values = zip(*knots, strict=True)
    return IsotonicMap(np.array(at), np.array(values))


class _HeldOut(NamedTuple):
    """Predictions of rows by maps without them; `square` is that of the maps' distance."""

    predicted: Floats
    square: float
    brier: float
    brier_base_rate: float


def _foldings(prompt: RowIndices) -> Iterator[RowIndices]:
    """The fold of each row, drawn by its prompt's place among the hashes; again where rows are few.

    Pairs of rows that one drawing holds out together are few, and their mean is noisy.
    """
    prompts = int(prompt.max()) + 1
    for seed in range(max(1, min(_MOST_FOLDINGS, _ROWS_TO_FIT // len(prompt)))):
        yield np.random.default_rng(seed).permutation(prompts)[prompt] % _FOLDS


def _held_out(confidence: Floats, agreed: Flags, prompt: RowIndices, fold: RowIndices) -> _HeldOut:
    predicted, base = _out_of_fold(confidence, agreed, fold)
    return _HeldOut(
        predicted,
        _square_of_distance(_bucket_of(confidence) * _FOLDS + fold, predicted - agreed, prompt),
        float(np.mean((predicted - agreed) ** 2)),
        float(np.mean((base - agreed) ** 2)),
    )


def _out_of_fold(confidence: Floats, agreed: Flags, fold: RowIndices) -> tuple[Floats, Floats]:
    """Each row predicted by the map, and by the share of right rows, of the other folds."""
    predicted, base = np.empty(len(confidence)), np.empty(len(confidence))
    for held_out in np.unique(fold):
        inside = fold == held_out
        predicted[inside] = isotonic(confidence[~inside], agreed[~inside])(confidence[inside])
        base[inside] = agreed[~inside].mean()
    return predicted, base


def _square_of_distance(group: RowIndices, residuals: Floats, prompt: RowIndices) -> float:
    """The mean product of residuals of two prompts' rows in one group (a bucket and fold).

    A prompt's own noise is independent of another's, and of the map that was fitted without both:
    what is left is the square of the map's error. Chance can make the mean negative.
    """
    _, part = np.unique(np.stack([group, prompt]), axis=1, return_inverse=True)
    of_part = np.zeros(part.max() + 1, dtype=np.intp)
    of_part[part] = group
    rows_of_part, sum_of_part = np.bincount(part), np.bincount(part, residuals)
    rows = np.bincount(group)
    paired = rows.astype(np.float64) ** 2 - np.bincount(of_part, rows_of_part**2, len(rows))
    products = np.bincount(group, residuals) ** 2 - np.bincount(of_part, sum_of_part**2, len(rows))
    pairs = paired > 0
    if not pairs.any():
        return 0.0
    return float((products[pairs] / paired[pairs]) @ rows[pairs]) / float(rows[pairs].sum())


def _bucket_of(confidence: Floats) -> Ints:
    """Up to ten buckets of about equal size; equal confidence is never parted."""
    count = max(1, min(_BUCKETS, len(confidence) // _MIN_BUCKET))
    cuts = [confidence[len(confidence) * part // count] for part in range(1, count)]
    return np.searchsorted(np.unique(cuts), confidence, side="right")


def _buckets(
    confidence: Floats, agreed: Flags, predicted: Floats, prompt: RowIndices, level: float
) -> list[Bucket]:
    bucket_of = _bucket_of(confidence)
    return [
        _bucket(confidence[at], agreed[at], predicted[at], prompt[at], level)
        for number in np.unique(bucket_of)
        if (at := bucket_of == number).any()
    ]


def _bucket(
    confidence: Floats, agreed: Flags, predicted: Floats, prompt: RowIndices, level: float
) -> Bucket:
    rows, hits = len(confidence), int(agreed.sum())
    share = share_interval(agreed, prompt.astype(np.uint64) + 1, level)
    assert isinstance(share, Interval)  # noqa: S101 (a bucket is never empty)
    return Bucket(
        low=float(confidence[0]),
        high=float(confidence[-1]),
        rows=rows,
        agreed=hits,
        share=share.estimate,
        share_low=share.low,
        share_high=share.high,
        predicted=float(predicted.mean()),
    )
