"""Agreement of the judge with labels (human or objective), and how far it goes beyond chance."""

import math

import msgspec
import numpy as np

from nova_judge.records import Unscored
from nova_judge.statistics.arrays import Codes, Flags, Floats, Ints, Keys
from nova_judge.statistics.beyond_chance import BeyondChance, gwet_ac1
from nova_judge.statistics.clusters import places_of, share_interval, worth_of
from nova_judge.statistics.corrected_win_rate import weighted_share
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.evidence import Evidence
from nova_judge.statistics.outcomes import PROFILES, Outcome, Profile
from nova_judge.statistics.outside_labels import judge_rates
from nova_judge.statistics.statistics_settings import JudgeRates
from nova_judge.statistics.win_rate import Interval

__all__ = ["agreement", "cohen_kappa", "summed_verdicts"]

MIN_LABELLED = 20
MIN_OF_RARER = 10
_EXCHANGED = (1, 0, 2)
DRAWN_KAPPA = "weighted by one over the probability of the draw, without an interval"
KAPPA_METHOD = "large-sample variance, one observation added at chance and one at agreement"


class Agreement(msgspec.Struct, frozen=True):
    """Agreement with labels, as fractions of all labelled rows; a missing verdict never agrees.

    forward, backward: the verdict of that order is the label. strict: of both orders.
    summed: JudgeBench's rule, the sign of the two verdicts added (Tan et al. 2024).
    consistency: the same verdict in both orders, whatever the label.
    kappa: of the summed verdict; None where it is not defined. ac1: Gwet's, of the same.
    backward, strict and consistency are None where only one order was judged. intervals: by
    the name of the share, Wilson's, or over prompts where these repeat. rates: for a recipe's
    `statistics.judge_rates`.

    Labels that were drawn with known probabilities stand for all rows: shares, intervals and kappa
    are weighted by one over these, kappa has no interval, and ac1 is None.
    """

    forward: float
    backward: float | None
    strict: float | None
    summed: float
    consistency: float | None
    kappa: float | None
    kappa_interval: BeyondChance | None
    labelled: int
    ac1: BeyondChance | None = None
    intervals: dict[str, Interval] = {}
    rates: JudgeRates | None = None


def agreement(
    evidence: Evidence, level: float = 0.95, *, both_orders: bool = True
) -> Agreement | Unscored:
    """Agreement of judged rows with their labels; rows without one take no part.

    >>> from nova_judge.records import Verdict
    >>> from nova_judge.statistics.evidence import EvidenceRow, gather
    >>> both_right = EvidenceRow(Verdict.A, Verdict.A, label=Verdict.A)
    >>> flip = EvidenceRow(Verdict.A, Verdict.B, label=Verdict.A)
    >>> found = agreement(gather([both_right, both_right, both_right, flip]))
    >>> found.forward, found.strict, found.consistency
    (1.0, 0.75, 0.75)
    """
    labelled = evidence.labelled
    if not labelled.rows:
        return Unscored("no row has a label")
    summed = summed_verdicts(labelled.forward, labelled.backward)
    hits = _hits(labelled, summed, both_orders)
    weights = labelled.weights
    intervals: dict[str, Interval | Unscored | None]
    if weights is None:
        shares = {name: int(hit.sum()) / labelled.rows for name, hit in hits.items()}
        intervals = {
            name: share_interval(hit, labelled.clusters, level) for name, hit in hits.items()
        }
        tables = tables_by_prompt(labelled.labels, summed, labelled.clusters)
        table, repeated = tables.sum(axis=0), tables if tables.sum() > len(tables) else None
        kappa, ac1 = cohen_kappa(table, level, repeated), gwet_ac1(table, level, repeated)
    else:
        shares = {name: float(weights @ hit / weights.sum()) for name, hit in hits.items()}
        intervals = {
            name: weighted_share(hit, labelled.probabilities, labelled.clusters, level)
            for name, hit in hits.items()
        }
        kappa, ac1 = _kappa_of_drawn(labelled.labels, summed, weights, level), None
    return Agreement(
        forward=shares["forward"],
        backward=shares.get("backward"),
        strict=shares.get("strict"),
        summed=shares["summed"],
        consistency=shares.get("consistency"),
        kappa=kappa.estimate if kappa else None,
        kappa_interval=kappa,
        ac1=ac1,
        intervals={name: one for name, one in intervals.items() if isinstance(one, Interval)},
        labelled=labelled.rows,
        rates=judge_rates(labelled),
    )


def _hits(labelled: Evidence, summed: Codes, both_orders: bool) -> dict[str, Flags]:
    """The rows in which each reading of the judge says what the label says."""
    forward, backward = (
        codes == labelled.labels for codes in (labelled.forward, labelled.backward)
    )
    hits = {"forward": forward, "summed": summed == labelled.labels}
    if not both_orders:
        return hits
    alike = (labelled.forward == labelled.backward) & (labelled.forward < Outcome.ERROR)
    return hits | {"backward": backward, "strict": forward & backward, "consistency": alike}


def _kappa_of_drawn(
    labels: Codes, summed: Codes, weights: Floats, level: float
) -> BeyondChance | None:
    """Kappa of all rows, by labels that count one over the probability of their draw."""
    known = summed < Outcome.ERROR
    if not known.any():
        return None
    cells = labels[known].astype(np.intp) * 3 + summed[known]
    table = np.bincount(cells, weights[known], minlength=9).reshape(3, 3)
    kappa = _kappa(table / table.sum())
    return None if kappa is None else BeyondChance(kappa, None, None, level, DRAWN_KAPPA)


def summed_verdicts(forward: Codes, backward: Codes) -> Codes:
    """The sign of both verdicts added, as JudgeBench has it: a lost verdict adds nothing.

    `Outcome.ERROR` where both are lost.

    >>> forward, backward = np.array([Outcome.A, Outcome.A]), np.array([Outcome.TIE, Outcome.B])
    >>> [Outcome(code).name for code in summed_verdicts(forward, backward)]
    ['A', 'TIE']
    """
    codes = forward.astype(np.intp) * len(Outcome) + backward
    summed: Codes = _SUMMED[codes]
    return summed


def tables_by_prompt(labels: Codes, verdicts: Codes, keys: Keys) -> Ints:
    """Rows of each prompt by label and verdict (prompts x 3 x 3: A, B, tie).

    Rows without a label or a verdict are left out.
    """
    known = (labels < Outcome.ERROR) & (verdicts < Outcome.ERROR)
    places = places_of(keys[known])
    cells = (places * 3 + labels[known]) * 3 + verdicts[known]
    prompts = int(places.max(initial=-1)) + 1
    counted: Ints = np.bincount(cells, minlength=prompts * 9).reshape(prompts, 3, 3)
    return counted


def cohen_kappa(
    table: Ints, level: float = 0.95, by_prompt: Ints | None = None
) -> BeyondChance | None:
    """Cohen's kappa of counts by label and verdict (A, B, tie); None where chance is certain.

    Computed for whichever of the table and its A-B exchange sorts first: both give equal bits.

    Interval from the large-sample variance of Fleiss, Cohen and Everitt (1969), at the table with
    one observation of chance agreement and one of full agreement added and Student's t, without
    which its level is .89 at twenty rows. None below twenty rows, and where all but one label (or
    verdict) have fewer than ten rows together: its level is .5 to .9 there. `by_prompt` are the
    tables of the prompts where these repeat; all of that counts what the rows are worth then.

    >>> table = np.array([[20, 5, 0], [10, 15, 0], [0, 0, 0]])
    >>> found = cohen_kappa(table)
    >>> round(found.estimate, 3), round(found.low, 2), round(found.high, 2)
    (0.4, 0.15, 0.65)
    """
    rows = int(table.sum())
    if not rows:
        return None
    exchanged = np.ix_(_EXCHANGED, _EXCHANGED)
    if table[exchanged].tolist() < table.tolist():
        table = table[exchanged]
        by_prompt = None if by_prompt is None else by_prompt[:, _EXCHANGED][:, :, _EXCHANGED]
    shares = table / rows
    estimate = _kappa(shares)
    if estimate is None:
        return None
    low = high = None
    worth, degrees = float(rows), rows - 1
    if by_prompt is not None:
        pull = _kappa_pull(shares, estimate)
        worth, degrees = worth_of(by_prompt.reshape(-1, 9), pull.ravel()), len(by_prompt) - 1
    rarer = min(rows - int(table.sum(axis=axis).max()) for axis in (0, 1)) * worth / rows
    if worth >= MIN_LABELLED and rarer >= MIN_OF_RARER:
        low, high = _kappa_bounds(shares, worth, student_quantile(level, degrees))
    return BeyondChance(estimate, low, high, level, KAPPA_METHOD)


def _kappa(shares: Floats) -> float | None:
    chance = float(shares.sum(axis=1) @ shares.sum(axis=0))
    return None if chance >= 1.0 else (float(np.trace(shares)) - chance) / (1.0 - chance)


def _kappa_bounds(shares: Floats, rows: float, quantile: float) -> tuple[float, float]:
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    added = np.outer(by_row, by_column) + np.diag((by_row + by_column) / 2.0)
    smoothed = (shares * rows + added) / (rows + 2.0)
    centre = _kappa(smoothed) or 0.0
    variance = float((smoothed * _kappa_pull(smoothed, centre) ** 2).sum())
    reach = quantile * math.sqrt(variance / (rows + 2.0))
    estimate = _kappa(shares) or 0.0
    return min(estimate, max(-1.0, centre - reach)), max(estimate, min(1.0, centre + reach))


def _kappa_pull(shares: Floats, kappa: float) -> Floats:
    """The influence of a row of each cell on kappa; its variance is kappa's times the rows."""
    by_row, by_column = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(by_row @ by_column)
    pulled = np.eye(len(shares)) - (1.0 - kappa) * (by_column[:, None] + by_row[None, :])
    pull: Floats = (pulled - (kappa - chance * (1.0 - kappa))) / (1.0 - chance)
    return pull


def _sign_of_both(profile: Profile) -> Outcome:
    given = [outcome for outcome in profile if outcome is not Outcome.ERROR]
    if not given:
        return Outcome.ERROR
    lead = given.count(Outcome.B) - given.count(Outcome.A)
    return Outcome.TIE if lead == 0 else Outcome.B if lead > 0 else Outcome.A


_SUMMED = np.array([_sign_of_both(profile) for profile in PROFILES], dtype=np.uint8)
