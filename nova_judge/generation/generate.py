"""Answers of the candidates to the rows of one shard: as fast as the endpoints allow, none lost.

Every row ends as exactly one of: an `Answer`, a `FailedAnswer` that says why, or `None` where the
time was up first. What was answered goes to the journal as it comes, so that whoever goes on from
there asks only for the rest.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

from nova_judge.generation.answers import Answer, FailedAnswer, Journal, Outcome, Port
from nova_judge.generation.lane import Gate, Lane
from nova_judge.generation.limiter import Limiter
from nova_judge.generation.retries import RetryPolicy
from nova_judge.records import Candidate

MOST_THREADS = 64
RESERVE_S = 15.0
"""Seconds kept back, beside the longest call, to store what came and to report it."""

__all__ = ["Answer", "FailedAnswer", "Generated", "Outcome", "Source", "generate", "reasons"]


class Source(NamedTuple):
    """One candidate that answers by calls, where its answers are kept and how long it is tried."""

    port: Port
    journal: Journal
    policy: RetryPolicy = RetryPolicy()
    call_timeout_s: float = 60.0
    threads: int = MOST_THREADS


class Generated(NamedTuple):
    """Each candidate's outcomes in the order of the prompts; None where the time was up first."""

    outcomes: dict[Candidate, list[Outcome | None]]

    @property
    def left(self) -> int:
        """Answers that are still to be asked for."""
        return sum(row is None for rows in self.outcomes.values() for row in rows)


def forever() -> float:
    """The time left of a caller that has no limit."""
    return float("inf")


def generate(
    prompts: Sequence[str],
    sources: Mapping[Candidate, Source],
    *,
    time_left: Callable[[], float] = forever,
) -> Generated:
    """Let every source answer every prompt: all at once, each at its own rate.

    Stored answers are taken from the journals; equal prompts are asked once. `time_left` gives the
    seconds until the caller must have returned: no call is begun that could outlast them.
    Raises GenerationFailedError when a candidate turns out to be shut (no access, no such model),
    and whatever a journal raises that cannot store.
    """
    reserve = RESERVE_S + max((s.call_timeout_s for s in sources.values()), default=0.0)
    known = {c: dict(source.journal.find(prompts)) for c, source in sources.items()}
    missing = {c: [p for p in dict.fromkeys(prompts) if p not in known[c]] for c in sources}
    gate = Gate(lambda: time_left() > reserve)
    lanes = {
        c: Lane(f"candidate {c}", missing[c], s.port, s.journal, Limiter(s.threads), s.policy, gate)
        for c, s in sources.items()
    }
    # On the way out each journal is flushed, whatever the others or the lanes raise.
    with ExitStack() as ending:
        for source in sources.values():
            ending.callback(source.journal.flush)
        _run([(lanes[c], s.threads) for c, s in sources.items()], gate)
    return Generated(
        {
            c: _in_order(prompts, known[c], dict(zip(missing[c], lane.outcomes, strict=True)))
            for c, lane in lanes.items()
        }
    )


def _run(lanes: Sequence[tuple[Lane, int]], gate: Gate) -> None:
    for lane, threads in lanes:
        lane.start(threads)
    try:
        for lane, _ in lanes:
            lane.join()
    except BaseException:
        gate.close()
        raise
    for lane, _ in lanes:
        lane.check()


def _in_order(
    prompts: Sequence[str],
    known: Mapping[str, Answer],
    asked: Mapping[str, Outcome | None],
) -> list[Outcome | None]:
    return [known[prompt] if prompt in known else asked[prompt] for prompt in prompts]


def reasons(outcomes: Iterable[Outcome | None]) -> Counter[str]:
    """How many rows failed for each reason."""
    return Counter(row.reason for row in outcomes if isinstance(row, FailedAnswer))
