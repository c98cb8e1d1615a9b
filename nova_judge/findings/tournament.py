"""Findings over all pairs of a run: who is above whom, what each candidate scores and costs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from nova_judge.findings.bradley_terry import Leaderboard, Match, Prompts, Standing, leaderboard
from nova_judge.findings.merge_gate import saved_contest
from nova_judge.findings.metrics import known_metrics
from nova_judge.findings.metrics_record import ErrorCount, Metrics
from nova_judge.findings.tournament_record import (
    CandidateUse,
    CriterionMean,
    PairResult,
    Tournament,
)
from nova_judge.records import Headline
from nova_judge.statistics.decision import holm
from nova_judge.statistics.outcomes import profiles_from_dict


class PairFound(NamedTuple):
    """A pair of candidates by name, its metrics, its prompts, and the folder of its report."""

    a: str
    b: str
    metrics: Metrics
    prompts: Prompts
    report: str


def tournament_of(
    pairs: Sequence[PairFound], uses: Iterable[CandidateUse], level: float
) -> Tournament:
    """The board over all pairs jointly, the pairs with corrected p-values, and the candidates."""
    board = leaderboard(map(_match, pairs), level)
    return Tournament(
        board=board,
        pairs=tuple(_results(pairs, level)),
        criteria=tuple(_criteria(pairs)),
        candidates=tuple(uses),
    )


def tournament_metrics(
    facts: Metrics, tournament: Tournament, pairs: Sequence[PairFound], lost: int
) -> Metrics:
    """The metrics of the whole run. `lost`: rows that some pair's judge left without a verdict."""
    judging = [
        ErrorCount(f"{pair.a} against {pair.b}: {error.stage}", error.reason, error.count)
        for pair in pairs
        for error in pair.metrics.errors
        if error.stage not in ("input", "generation")
    ]
    judged = facts.rows.input - facts.rows.rejected - facts.rows.generation_failed - lost
    metrics = known_metrics(facts, judged, lost, judging)
    notes = (*facts.notes, tournament.board.method, *_blocked(pairs))
    return msgspec.structs.replace(
        metrics, headline=headline_of(tournament), tournament=tournament, notes=notes
    )


def headline_of(tournament: Tournament) -> Headline:
    """Who ranks first, if anybody is apart from all others."""
    board = tournament.board
    if not board.standings or board.components > 1 or board.not_compared:
        return Headline("The candidates cannot be ranked", "No chain of judged rows connects all.")
    first, *others = board.standings
    if first.rank == 1:
        return Headline(
            f"{first.name} ranks first of {len(board.standings)}",
            f"Its strength, {_ends(first, board)}, lies above that of every other candidate; "
            f"next is {others[0].name}, {_ends(others[0], board)}.",
        )
    may = [standing.name for standing in board.standings if standing.best_rank == 1]
    return Headline(
        f"No candidate of {len(board.standings)} ranks first",
        f"{', '.join(may)} are not distinguished; the strongest is {first.name}, "
        f"{_ends(first, board)}.",
    )


def _ends(standing: Standing, board: Leaderboard) -> str:
    level = f"{100 * board.level:g} % interval"
    ends = f"{standing.low:+.2f} to {standing.high:+.2f}"
    return f"{standing.strength:+.2f} ({level} {ends})".replace("-", "\N{MINUS SIGN}")


def _match(pair: PairFound) -> Match:
    metrics = pair.metrics
    profiles = profiles_from_dict(metrics.profiles or {})
    return Match(pair.a, pair.b, profiles, pair.prompts, saved_contest(metrics))


def _results(pairs: Sequence[PairFound], level: float) -> Iterable[PairResult]:
    """Each pair; the p-values are corrected over those that have one."""
    values = [p.metrics.verdict.p_value for p in pairs if p.metrics.verdict]
    corrected = iter(holm(values))
    for pair in pairs:
        metrics = pair.metrics
        p_holm = next(corrected) if metrics.verdict else None
        rate = metrics.win_rate
        decided = p_holm is not None and p_holm < 1 - level and not metrics.blocked_by
        leader = pair.b if rate is not None and rate.estimate > 0.5 else pair.a
        yield PairResult(
            a=pair.a,
            b=pair.b,
            rows=metrics.rows.judged or 0,
            win_rate=rate,
            p_holm=p_holm,
            better=leader if decided and rate is not None else None,
            report=pair.report,
        )


def _criteria(pairs: Sequence[PairFound]) -> Iterable[CriterionMean]:
    """The mean over all judgments of a candidate, whoever it was shown beside."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for pair in pairs:
        for each in pair.metrics.rubric.criteria if pair.metrics.rubric else ():
            for name, mean in ((pair.a, each.mean_A), (pair.b, each.mean_B)):
                sums[each.name, name][0] += each.n * mean
                sums[each.name, name][1] += each.n
    for (criterion, candidate), (total, rows) in sums.items():
        if rows:
            yield CriterionMean(criterion, candidate, total / rows, int(rows))


def _blocked(pairs: Sequence[PairFound]) -> Iterable[str]:
    for pair in pairs:
        for reason in pair.metrics.blocked_by:
            yield f"{pair.a} against {pair.b}: nothing is concluded: {reason}"
