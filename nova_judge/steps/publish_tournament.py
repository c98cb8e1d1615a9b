"""Publishes a run of many candidates: a report of each pair, and one over all of them."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from nova_judge.errors import JudgeJobError
from nova_judge.findings.bradley_terry import prompts_of
from nova_judge.findings.facts import run_facts, stand_in_for
from nova_judge.findings.metrics import compute_metrics
from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.tournament import PairFound, tournament_metrics, tournament_of
from nova_judge.findings.tournament_record import CandidateUse
from nova_judge.kinds.job import FinishedJob
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.pairs.judged_rows import PairsFound, job_metrics
from nova_judge.preflight.pricing import bill
from nova_judge.records import Unscored
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.results_json import stand_in_of
from nova_judge.runs.row_accounting import DatasetSummary
from nova_judge.runs.run import Run
from nova_judge.runs.usage import Meter, Usage, tokens_of
from nova_judge.sources.known_sources import source_of
from nova_judge.steps import run_folder


class EndedRun(NamedTuple):
    """A run whose jobs have ended: as it was asked for, judged and metered."""

    bucket: str
    run: Run
    summary: DatasetSummary
    outcomes: Sequence[JobOutcome]
    meter: Meter

    def facts(self, stand_in: str | None) -> Metrics:
        """The metrics of its report, without an estimate."""
        return run_facts(self.run, self.summary, self.outcomes, stand_in, self.meter)


def publish_tournament(whole: EndedRun, jobs: Sequence[FinishedJob]) -> tuple[Metrics, str]:
    """Write every file of all reports; the metrics of the whole run, and the URI of its page."""
    bucket, run, summary, outcomes, _ = whole
    found: list[PairFound] = []
    lost: set[int] = set()
    stood_in: str | None = None
    for a, b in run.recipe.compared:
        own = [job for job in jobs if job.planned.pair == (a, b)]
        numbers = {job.planned.number for job in own}
        ended = [outcome for outcome in outcomes if outcome.number in numbers]
        pairs = kind_of(run.recipe.kind).results(run, own)
        if not isinstance(pairs, PairsFound):
            raise JudgeJobError(f"the jobs of {a} against {b} judged no pairs")
        stood_in = stood_in or stand_in_of(pairs.results)
        folder = f"pairs/{a}-vs-{b}/"
        metrics = _pair_metrics(run, summary, ended, pairs, (a, b))
        run_folder.store_pair_report(bucket, run, folder, metrics, pairs)
        lost |= set(_without_verdict(pairs))
        names = (run.candidate_label(a), run.candidate_label(b))
        found.append(PairFound(*names, metrics, prompts_of(pairs.rows()), folder))
    facts = whole.facts(stood_in)
    uses = list(_uses(run, summary))
    tournament = tournament_of(found, uses, run.recipe.statistics.level)
    metrics = tournament_metrics(facts, tournament, found, len(lost))
    return metrics, run_folder.store_report(bucket, metrics)


def _pair_metrics(
    run: Run,
    summary: DatasetSummary,
    outcomes: Sequence[JobOutcome],
    pairs: PairsFound,
    pair: tuple[str, str],
) -> Metrics:
    """The metrics of one pair, as of a run with these two as A and B."""
    as_two = run_of_pair(run, pair)
    sides = dict(zip("AB", pair, strict=True))
    own = msgspec.structs.replace(
        summary,
        jobs=len(outcomes),
        tokens={side: summary.tokens[name] for side, name in sides.items()},
        cut_off={side: summary.cut_off[name] for side, name in sides.items()},
    )
    facts = run_facts(as_two, own, outcomes, stand_in_of(pairs.results))
    facts = msgspec.structs.replace(facts, cost=None)
    return compute_metrics(facts, pairs.rows(), job_metrics(pairs.results))


def run_of_pair(run: Run, pair: tuple[str, str]) -> Run:
    """The run as if these two alone were its candidates; its id names them."""
    specs = {
        side: msgspec.structs.replace(run.recipe.candidate(name), name=run.candidate_label(name))
        for side, name in zip("AB", pair, strict=True)
    }
    recipe = msgspec.structs.replace(run.recipe, candidates=specs, pairs="all")
    name = f"{run.run_id}.{pair[0]}-vs-{pair[1]}"
    return msgspec.structs.replace(run, run_id=name, recipe=recipe)


def _without_verdict(pairs: PairsFound) -> Iterator[int]:
    """The lines of rows without a verdict in either order."""
    for judged in pairs.rows():
        judgment = judged.judgment
        if isinstance(judgment.forward, Unscored) and isinstance(judgment.backward, Unscored):
            yield judged.row.line


def _uses(run: Run, summary: DatasetSummary) -> Iterator[CandidateUse]:
    for name in run.recipe.names:
        spec, tokens = run.recipe.candidate(name), summary.tokens[name]
        stand_in = stand_in_for(run, name)
        use = tokens_of(spec, tokens.input, tokens.output) if stand_in is None else None
        cost = bill(Usage(bedrock=(use,))) if use else None
        yield CandidateUse(
            name=run.candidate_label(name),
            model=source_of(spec).title(spec),
            stand_in=stand_in,
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            usd=None if cost is None or cost.unpriced else cost.usd,
        )
