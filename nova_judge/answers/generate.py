"""Answers of the candidates to the rows of one shard: as fast as the endpoints allow, none lost.

Every row ends as exactly one of: an `Answer`, a `FailedAnswer` that says why, or `None` where the
time was up first. What was answered goes to the journal as it comes, and what failed when the time
is up, so that whoever goes on from there asks only for the rest.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Generic, NamedTuple, TypeVar

from nova_judge.answers.answers import Answer, AnswerOutcome, FailedAnswer, Journal, Setback
from nova_judge.answers.lane import AnswerSource, Gate, Lane
from nova_judge.records import CANDIDATES

RESERVE_S = 15.0
"""Seconds kept back, beside the longest call, to store what came and to report it."""


Name = TypeVar("Name", bound=str)
"""Names of those that are asked: candidates, or the judge."""


class Generated(NamedTuple, Generic[Name]):
    """Each one's outcomes in the order of the prompts; None where the time was up first.

    `in_flight`: the calls that each was at last let have under way at once; `throttles`: the calls
    that were refused for load, about (threads count without a lock).
    """

    outcomes: dict[Name, list[AnswerOutcome | None]]
    in_flight: dict[Name, int]
    throttles: dict[Name, int]

    @property
    def measures(self) -> dict[str, float]:
        """Measures of these calls, by the names of `nova_judge.measures`."""
        rows = [row for outcomes in self.outcomes.values() for row in outcomes]
        return {
            "RowsAnswered": sum(isinstance(row, Answer) for row in rows),
            "RowsFailed": sum(isinstance(row, FailedAnswer) for row in rows),
            "Throttles": sum(self.throttles.values()),
            "LimiterLevel": max(self.in_flight.values(), default=0),
        }

    @property
    def left(self) -> int:
        """Answers that are still to be asked for."""
        return sum(row is None for rows in self.outcomes.values() for row in rows)


def generate(
    prompts: Mapping[Name, Sequence[str]],
    sources: Mapping[Name, AnswerSource],
    *,
    time_left: Callable[[], float] = lambda: math.inf,
) -> Generated[Name]:
    """Let every source answer all of its prompts: all at once, each at its own rate.

    Stored answers are taken from the journals; equal prompts are asked once, and those that this
    execution gave up before are not asked again. `time_left` gives the seconds until the caller
    must have returned: no call is begun that could outlast them.
    Raises GenerationFailedError when a model turns out to be shut (no access, no such model) or
    when all the time brought nothing, and whatever a journal raises that cannot store.
    """
    reserve = RESERVE_S + max((s.call_timeout_s for s in sources.values()), default=0.0)
    gate = Gate(lambda: time_left() > reserve)
    stored = {c: _stored(prompts[c], source.journal) for c, source in sources.items()}
    lanes = {c: _lane(c, prompts[c], source, stored[c], gate) for c, source in sources.items()}
    # On the way out each journal is flushed, whatever the others or the lanes raise.
    with ExitStack() as ending:
        for source in sources.values():
            ending.callback(source.journal.flush)
        _run(list(lanes.values()), gate)
    for lane in lanes.values():
        lane.require_progress()
    for c, source in sources.items():
        before, after = stored[c].setbacks, lanes[c].setbacks
        source.journal.set_back(
            {prompt: s for prompt, s in after.items() if s != before.get(prompt)}
        )
    return Generated(
        {c: _in_order(prompts[c], stored[c].outcomes, lane) for c, lane in lanes.items()},
        {c: lane.most_in_flight for c, lane in lanes.items()},
        {c: lane.throttles for c, lane in lanes.items()},
    )


class _Stored(NamedTuple):
    """Results of earlier calls: answers, rows given up, and what other rows have cost."""

    outcomes: dict[str, AnswerOutcome]
    setbacks: dict[str, Setback]


def _stored(prompts: Sequence[str], journal: Journal) -> _Stored:
    outcomes: dict[str, AnswerOutcome] = dict(journal.find(prompts))
    setbacks = journal.setbacks([prompt for prompt in prompts if prompt not in outcomes])
    outcomes |= {prompt: s.failed for prompt, s in setbacks.items() if s.failed is not None}
    return _Stored(outcomes, {prompt: s for prompt, s in setbacks.items() if s.failed is None})


def _lane(
    name: str, prompts: Sequence[str], source: AnswerSource, stored: _Stored, gate: Gate
) -> Lane:
    missing = [prompt for prompt in dict.fromkeys(prompts) if prompt not in stored.outcomes]
    title = f"candidate {name}" if name in CANDIDATES else name
    return Lane(title, missing, source, gate, stored.setbacks)


def _run(lanes: Sequence[Lane], gate: Gate) -> None:
    for lane in lanes:
        lane.start()
    try:
        for lane in lanes:
            lane.join()
    except BaseException:
        gate.close()
        raise
    for lane in lanes:
        lane.check()


def _in_order(
    prompts: Sequence[str], stored: Mapping[str, AnswerOutcome], lane: Lane
) -> list[AnswerOutcome | None]:
    asked = dict(zip(lane.prompts, lane.outcomes, strict=True))
    return [stored[prompt] if prompt in stored else asked[prompt] for prompt in prompts]
