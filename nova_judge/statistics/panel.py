"""Several judges on the same rows: one verdict of them all, and how far they agree.

Verdicts are `Outcome` codes, rows x judges; `Outcome.ERROR` where a judge gave none.
"""

from typing import Final, NamedTuple

import numpy as np

from nova_judge.statistics.arrays import Codes, Flags, Floats, Keys, RowIndices
from nova_judge.statistics.clusters import places_of
from nova_judge.statistics.outcomes import Outcome

__all__ = ["combined", "weights_by_labels"]

FEWEST_LABELS: Final = 20
_VERDICTS: Final = (Outcome.A, Outcome.B, Outcome.TIE)


class PanelVotes(NamedTuple):
    """Verdicts of a panel's judges on the same rows, as codes of `Outcome` (rows x judges).

    `weights` are those that were learnt (rows x judges), None where each judge has one vote.
    """

    names: tuple[str, ...]
    lines: tuple[int, ...]
    forward: Codes
    backward: Codes
    labels: Codes
    keys: Keys
    weights: Floats | None

    @property
    def voting(self) -> Floats:
        """The weight of each judge on each row."""
        shape = self.forward.shape
        return np.ones(shape) if self.weights is None else self.weights


def combined(verdicts: Codes, weights: Floats) -> Codes:
    """The verdict with the most weight per row; a tie where two have the most.

    `weights`: judges, or rows x judges. `Outcome.ERROR` where fewer than half of the judges gave a
    verdict, and where those that did have no weight.

    >>> majority, split = [Outcome.A, Outcome.A, Outcome.B], [Outcome.A, Outcome.B, Outcome.TIE]
    >>> [Outcome(v).name for v in combined(np.array([majority, split]), np.ones(3))]
    ['A', 'TIE']
    """
    votes = np.stack([((verdicts == one) * weights).sum(axis=1) for one in _VERDICTS], axis=1)
    most = votes.max(axis=1)
    leaders = np.isclose(votes, most[:, None], rtol=0.0, atol=1e-12)
    named = np.array(_VERDICTS, dtype=np.uint8)[votes.argmax(axis=1)]
    verdict = np.where(leaders.sum(axis=1) == 1, named, np.uint8(Outcome.TIE))
    gave = (verdicts < Outcome.ERROR).sum(axis=1)
    voted = (2 * gave >= verdicts.shape[1]) & (gave > 0) & (most > 0)
    codes: Codes = np.where(voted, verdict, np.uint8(Outcome.ERROR)).astype(np.uint8)
    return codes


def weights_by_labels(verdicts: Codes, labels: Codes, keys: Keys) -> Floats | None:
    """Weight of each judge on each row, learnt on the labels of other prompts (rows x judges).

    The log odds of being right, which are the best weights of judges that err independently
    (Nitzan and Paroush 1982, Int. Econ. Rev. 23), at one right and one wrong verdict more than were
    seen; a judge that is wrong more often than right has none. None below `FEWEST_LABELS` labels,
    and where no judge would have a weight.

    >>> labels = np.tile([Outcome.A, Outcome.B], 20)
    >>> right, guess = labels, np.full(40, Outcome.A)
    >>> prompts = np.arange(1, 41, dtype=np.uint64)
    >>> weights = weights_by_labels(np.stack([right, guess], 1), labels, prompts)
    >>> bool((weights[:, 0] > weights[:, 1]).all())
    True
    """
    labelled = labels < Outcome.ERROR
    if int(labelled.sum()) < FEWEST_LABELS:
        return None
    gave = (verdicts < Outcome.ERROR) & labelled[:, None]
    right = (verdicts == labels[:, None]) & gave
    prompts = places_of(keys)
    others_right = right.sum(axis=0) - _of_prompt(right, prompts)
    others_given = gave.sum(axis=0) - _of_prompt(gave, prompts)
    odds = (others_right + 1.0) / (others_given - others_right + 1.0)
    weights: Floats = np.maximum(np.log(odds), 0.0)
    return weights if bool((weights.sum(axis=1) > 0).all()) else None


def _of_prompt(flags: Flags, prompts: RowIndices) -> Floats:
    """The sum over each row's own prompt (rows x judges)."""
    sums = np.zeros((int(prompts.max(initial=-1)) + 1, flags.shape[1]))
    np.add.at(sums, prompts, flags)
    of_rows: Floats = sums[prompts]
    return of_rows
