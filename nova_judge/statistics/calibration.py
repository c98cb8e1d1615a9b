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
from nova_judge.statistics.corrected_win_rate import weighted_share
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.win_rate import Interval
from nova_judge.text import count_of

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

    Rows that a review drew count one over their probability, and stand for all.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> right = EvidenceRow(label=Verdict.A, margin=0.8)
    >>> wrong = EvidenceRow(label=Verdict.B, margin=0.1)
    >>> found = calibrate(gather([right] * 20 + [wrong] * 20))
    >>> found.accuracy, found.rows, found.undecided
    (0.5, 40, 0)
    """
    labelled = evidence.labelled
    usable = labelled.where(~np.isnan(labelled.margins) & (labelled.labels <= Outcome.B))
    if not usable.rows:
        return Unscored("no row has both a margin and a label A or B")
    decided = usable.where(usable.margins != 0)
    if decided.rows < MIN_ROWS:
        usable_rows = count_of(decided.rows, "row has", "rows have")
        return Unscored(f"{usable_rows} a margin and a label, {MIN_ROWS} are needed")
    rows = _in_order(decided)
    prompts = int(rows.prompt.max()) + 1
    if prompts < _FOLDS:
        return Unscored(
            f"rows of {count_of(prompts, 'prompt')} cannot be held out in {_FOLDS} parts"
        )
    parts = [_held_out(rows, fold) for fold in _foldings(rows.prompt)]
    predicted = np.mean([part.predicted for part in parts], axis=0)
    bucket_of = _bucket_of(rows.confidence)
    whole = isotonic(rows.confidence, rows.agreed, rows.weights)
    return Calibration(
        expected_error=math.sqrt(max(0.0, math.fsum(part.square for part in parts) / len(parts))),
        brier=math.fsum(part.brier for part in parts) / len(parts),
        brier_base_rate=math.fsum(part.brier_base_rate for part in parts) / len(parts),
        accuracy=rows.mean(rows.agreed),
        rows=decided.rows,
        undecided=usable.rows - decided.rows,
        folds=_FOLDS,
        buckets=tuple(
            _bucket(rows.at(bucket_of == number), predicted[bucket_of == number], level)
            for number in np.unique(bucket_of)
        ),
        map=tuple(
            Step(*step) for step in zip(whole.at.tolist(), whole.values.tolist(), strict=True)
        ),
    )


class _Rows(NamedTuple):
    """Rows by confidence; `weights` are 1 where they were not `drawn`."""

    confidence: Floats
    agreed: Flags
    prompt: RowIndices
    weights: Floats
    drawn: bool

    def at(self, chosen: Flags | RowIndices) -> "_Rows":
        return _Rows(
            self.confidence[chosen],
            self.agreed[chosen],
            self.prompt[chosen],
            self.weights[chosen],
            self.drawn,
        )

    def mean(self, values: Floats | Flags) -> float:
        return float(np.average(values, weights=self.weights))


def _in_order(decided: Evidence) -> _Rows:
    confidence = np.abs(decided.margins)
    agreed = (decided.margins < 0) == (decided.labels == Outcome.B)
    prompt = places_of(decided.clusters)
    drawn = decided.weights is not None
    weights = np.ones(decided.rows) if decided.weights is None else decided.weights
    order = np.lexsort((weights, prompt, agreed, confidence))
    return _Rows(confidence, agreed, prompt, weights, drawn).at(order)


def isotonic(where: Floats, hits: Flags, weights: Floats | None = None) -> IsotonicMap:
    """Isotonic regression of hits on ascending places by pooling adjacent violators.

    Without weights whole numbers are pooled, so that equal data in any order give equal bits.

    >>> right = np.array([False, True, False, True])
    >>> isotonic(np.array([0.1, 0.2, 0.3, 0.4]), right).values.tolist()
    [0.0, 0.5, 0.5, 1.0]
    """
    counted = np.ones(len(where)) if weights is None else weights
    places, first = np.unique(where, return_index=True)
    hits_at, rows = np.add.reduceat(counted * hits, first), np.add.reduceat(counted, first)
    blocks: list[tuple[int, int, float, float]] = []
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


def _held_out(rows: _Rows, fold: RowIndices) -> _HeldOut:
    predicted, base = _out_of_fold(rows, fold)
    group = _bucket_of(rows.confidence) * _FOLDS + fold
    return _HeldOut(
        predicted,
        _square_of_distance(group, predicted - rows.agreed, rows),
        rows.mean((predicted - rows.agreed) ** 2),
        rows.mean((base - rows.agreed) ** 2),
    )


def _out_of_fold(rows: _Rows, fold: RowIndices) -> tuple[Floats, Floats]:
    """Each row predicted by the map, and by the share of right rows, of the other folds."""
    predicted, base = np.empty(len(fold)), np.empty(len(fold))
    for held_out in np.unique(fold):
        inside = fold == held_out
        others = rows.at(~inside)
        fitted = isotonic(others.confidence, others.agreed, others.weights)
        predicted[inside] = fitted(rows.confidence[inside])
        base[inside] = others.mean(others.agreed)
    return predicted, base


def _square_of_distance(group: RowIndices, residuals: Floats, all_rows: _Rows) -> float:
    """The mean product of residuals of two prompts' rows in one group (a bucket and fold).

    A prompt's own noise is independent of another's, and of the map that was fitted without both:
    what is left is the square of the map's error. Chance can make the mean negative.
    """
    _, part = np.unique(np.stack([group, all_rows.prompt]), axis=1, return_inverse=True)
    of_part = np.zeros(part.max() + 1, dtype=np.intp)
    of_part[part] = group
    weights, weighted = all_rows.weights, all_rows.weights * residuals
    rows_of_part, sum_of_part = np.bincount(part, weights), np.bincount(part, weighted)
    rows, parts = np.bincount(group, weights), np.bincount(of_part)
    paired = rows**2 - np.bincount(of_part, rows_of_part**2, len(rows))
    products = np.bincount(group, weighted) ** 2 - np.bincount(of_part, sum_of_part**2, len(rows))
    pairs = parts > 1
    if not pairs.any():
        return 0.0
    return float((products[pairs] / paired[pairs]) @ rows[pairs]) / float(rows[pairs].sum())


def _bucket_of(confidence: Floats) -> Ints:
    """Up to ten buckets of about equal size; equal confidence is never parted."""
    count = max(1, min(_BUCKETS, len(confidence) // _MIN_BUCKET))
    cuts = [confidence[len(confidence) * part // count] for part in range(1, count)]
    return np.searchsorted(np.unique(cuts), confidence, side="right")


def _bucket(rows: _Rows, predicted: Floats, level: float) -> Bucket:
    keys = rows.prompt.astype(np.uint64) + 1
    share = (
        weighted_share(rows.agreed, 1.0 / rows.weights, keys, level)
        if rows.drawn
        else share_interval(rows.agreed, keys, level)
    )
    return Bucket(
        low=float(rows.confidence[0]),
        high=float(rows.confidence[-1]),
        rows=len(predicted),
        agreed=int(rows.agreed.sum()),
        share=rows.mean(rows.agreed),
        share_low=share.low if isinstance(share, Interval) else 0.0,
        share_high=share.high if isinstance(share, Interval) else 1.0,
        predicted=rows.mean(predicted),
    )
