"""The win rate at equal length and at equal Markdown structure.

A logistic regression of the score on the difference of both answers, as AlpacaEval does it (Dubois
et al. 2024, arXiv 2404.04475): the tanh of the standardised difference is the only feature, and the
win rate is read off at difference 0. The coefficient is shrunk (ridge): without that, a few hundred
rows of a lopsided comparison let the length explain what is quality. The interval allows for what
shrinking leaves uncorrected of a length effect of up to about 1 on the log-odds scale.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import msgspec
import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Floats, Keys, RowIndices
from nova_judge.statistics.clusters import places_of
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.win_rate import Interval, score_interval, scores_of_preferences

__all__ = ["controlled_win_rate", "win_rate_at_equal"]

LENGTH = ("length",)
"""Length in characters."""
FORMAT = ("headings", "list_items", "bold")
"""Markdown structure."""
STYLE = LENGTH + FORMAT

MIN_ROWS = 20
PRECISION_PER_ROOT = 0.35
"""Of the prior on a coefficient, per square root of the rows. Chosen on AlpacaEval's models for 100
to 805 rows at once: leaving each of 23 models out in turn, the others choose .35 in 22 cases."""

EXPECTED_EFFECT = 0.9
METHOD = "logistic regression on tanh of the standardised difference, ridge, sandwich variance"

_END = 0.5
_MAX_STEPS = 100
_LONGEST_STEP = 2.0


class Effect(msgspec.Struct, frozen=True):
    """Effect of one feature: its coefficient per unit of tanh, and how often more of it wins."""

    feature: str
    coefficient: float
    rows_with_difference: int
    more_wins: Interval | None


class ControlledRate(Interval, frozen=True):
    """The win rate of B if both answers had the same length (or structure)."""

    rows: int
    effects: tuple[Effect, ...]


class _Fit(NamedTuple):
    coefficients: Floats
    covariance: Floats


def win_rate_at_equal(
    evidence: Evidence, names: tuple[str, ...], level: float = 0.95
) -> ControlledRate | Unscored:
    """The win rate of B at equal features of `STYLE`, all of them in one regression.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather, markup_of
    >>> texts = {"length_A": 100, "markup_A": markup_of("one"), "markup_B": markup_of("**one**")}
    >>> longer = EvidenceRow(Verdict.B, Verdict.B, length_B=170, **texts)
    >>> shorter = EvidenceRow(Verdict.A, Verdict.A, length_B=80, **texts)
    >>> evidence = gather([longer, longer, shorter] * 20)
    >>> round(win_rate_at_equal(evidence, LENGTH).estimate, 2)
    0.46
    >>> len(win_rate_at_equal(evidence, STYLE).effects)
    4
    """
    of_a, of_b = (
        np.column_stack([evidence.lengths[:, side], evidence.markup[:, side]]) for side in (0, 1)
    )
    differences = (of_b - of_a)[:, [STYLE.index(name) for name in names]]
    return controlled_win_rate(evidence.scores, differences, names, level, evidence.clusters)


def controlled_win_rate(
    scores: Floats,
    differences: Floats,
    names: tuple[str, ...],
    level: float = 0.95,
    clusters: Keys | None = None,
) -> ControlledRate | Unscored:
    """The win rate of B with every difference (B - A; rows x features) set to 0.

    Rows with an unknown score or difference are left out. With effects beyond `EXPECTED_EFFECT`
    the estimate stays between the raw and the fully controlled rate, and the level is not kept.
    `clusters` are the prompts, where these repeat; 0 is a row alone.

    >>> scores = np.where(np.arange(121) > 50, 1.0, 0.25)
    >>> round(controlled_win_rate(scores, np.arange(121.0)[:, None] - 30, ("length",)).estimate, 3)
    0.517
    """
    keys = np.zeros(len(scores), dtype=np.uint64) if clusters is None else clusters
    differences = differences.astype(np.float64)  # kept in half of the bytes where there are many
    usable = ~np.isnan(scores) & ~np.isnan(differences).any(axis=1)
    scores, differences, places = scores[usable], differences[usable], places_of(keys[usable])
    what = " and ".join(names).replace("_", " ")
    prompts = len(np.unique(places))
    repeated = prompts < len(scores)
    if prompts < MIN_ROWS:
        counted = "prompts" if repeated else "rows"
        return Unscored(
            f"{MIN_ROWS} {counted} with {what} of both answers are needed: {prompts} are there"
        )
    turned = bool(np.sort(scores).sum() > len(scores) / 2)
    if turned:
        scores, differences = 1.0 - scores, -differences
    order = np.lexsort((places, *differences.T, scores))
    scores, differences, places = scores[order], differences[order], places[order]
    spreads = np.sqrt(np.mean((differences - differences.mean(axis=0)) ** 2, axis=0))
    varied = spreads > 0
    if not varied.any():
        return Unscored(f"the difference in {what} is the same in every row")
    features = np.tanh(differences[:, varied] / spreads[varied])
    fit = _fit(scores, features, places)
    normal = NormalDist().inv_cdf((1.0 + level) / 2.0)
    quantile = student_quantile(level, prompts - 1) if repeated else normal
    interval = _rate_at_equality(fit, level, quantile, turned=turned)
    coefficients = np.zeros(len(names))
    coefficients[varied] = fit.coefficients[1:]
    effects = tuple(
        Effect(name, float(coefficients[i]), *_raw_effect(scores, differences[:, i], level))
        for i, name in enumerate(names)
    )
    return ControlledRate(**msgspec.structs.asdict(interval), rows=len(scores), effects=effects)


def _fit(scores: Floats, features: Floats, places: RowIndices) -> _Fit:
    """Ridge logistic regression by Newton's method, with half an observation at 0 and at 1.

    The sandwich variance takes the rows of one place, a prompt, together.
    """
    width = features.shape[1] + 1
    design = np.zeros((len(scores) + 2, width))
    design[:, 0] = 1.0
    design[:-2, 1:] = features
    targets = np.append(scores, [0.0, 1.0])
    weights = np.append(np.ones(len(scores)), [_END, _END])
    prior = np.diag([0.0] + [PRECISION_PER_ROOT * math.sqrt(len(scores))] * (width - 1))
    coefficients = np.zeros(width)
    for _ in range(_MAX_STEPS):
        shares = 1.0 / (1.0 + np.exp(-design @ coefficients))
        gradient = design.T @ (weights * (shares - targets)) + prior @ coefficients
        curvature = (design.T * (weights * shares * (1.0 - shares))) @ design + prior
        step = np.linalg.solve(curvature, gradient)
        longest = float(np.abs(step).max())
        coefficients = coefficients - step * min(1.0, _LONGEST_STEP / max(longest, 1e-300))
        if longest < 1e-10:
            break
    residuals = weights * (targets - shares)
    inverse = np.linalg.inv(curvature)
    places = np.append(places, [places.max() + 1, places.max() + 2])
    pulls = np.stack([np.bincount(places, residuals * column) for column in design.T])
    pulls = pulls[:, np.lexsort(pulls)]  # rows alone are numbered by their place in the file
    spread = pulls @ pulls.T + (EXPECTED_EFFECT * prior) ** 2
    return _Fit(coefficients, inverse @ spread @ inverse)


def _rate_at_equality(fit: _Fit, level: float, quantile: float, *, turned: bool) -> Interval:
    reach = quantile * math.sqrt(float(fit.covariance[0, 0]))
    centre = float(fit.coefficients[0])
    estimate, low, high = (_logistic(x) for x in (centre, centre - reach, centre + reach))
    if turned:
        estimate, low, high = 1.0 - estimate, 1.0 - high, 1.0 - low
    return Interval(estimate, low, high, level, METHOD)


def _logistic(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def _raw_effect(scores: Floats, difference: Floats, level: float) -> tuple[int, Interval | None]:
    """Share of the rows that the side with more of it wins, unadjusted."""
    differs = difference != 0
    of_more = np.where(difference > 0, scores, 1.0 - scores)[differs]
    interval = score_interval(scores_of_preferences(of_more.tolist()), level)
    return int(differs.sum()), interval if isinstance(interval, Interval) else None
