"""Facts of a job that was started elsewhere: its files are all that is known."""

import hashlib
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from nova_judge.findings.metrics_record import (
    CandidateFacts,
    ErrorCount,
    GenerationFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
    Rows,
)
from nova_judge.records import CANDIDATES, Candidate, Rejected
from nova_judge.runs.job_output import JobOutput
from nova_judge.statistics.statistics_settings import DEFAULTS

_STAMP = re.compile(r"results_(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)")


class JobSource(NamedTuple):
    """Where a job's output was found, its files on disk, and the names of the candidates."""

    uri: str
    output: JobOutput
    created: str
    names: dict[Candidate, str]


class GivenFile(NamedTuple):
    """The file that a job was given, as JSON Lines on disk, and its own name."""

    lines: Path
    name: str


def facts_of(
    source: JobSource,
    kind: str,
    given: GivenFile | None,
    rows: int,
    *,
    judge: JudgeFacts,
    rejected: tuple[Rejected, ...] = (),
    judged: tuple[Candidate, ...] = CANDIDATES,
) -> Metrics:
    content = content_hash(source.output)
    reasons = Counter(line.reason for line in rejected)
    size = given.lines.stat().st_size if given else 0
    compares = judge.role == "judge"
    return Metrics(
        run_id=f"imported-{content[:16]}",
        status="completed",
        failure=None,
        kind=kind,
        created=_created(source),
        input=InputFacts(uri=given.name if given else source.uri, version=None, size=size),
        recipe=RecipeFacts("imported", content),
        candidates={
            side: CandidateFacts(source.names.get(side) or f"response_{side}", "file")
            for side in judged
            if compares
        },
        judge=judge,
        statistics=DEFAULTS,
        rows=Rows(
            input=rows,
            rejected=len(rejected),
            generation_failed=0,
            judge_failed=None,
            judged=None,
        ),
        generation=GenerationFacts(0, (), 0),
        errors=tuple(ErrorCount("input", *one) for one in reasons.most_common()),
        notes=(f"imported from {source.uri}: a job that was started elsewhere",),
    )


def content_hash(output: JobOutput) -> str:
    """The SHA-256 of everything that was read of a job: equal output is one run."""
    digest = hashlib.sha256()
    details = [details.path for details in output.details]
    for path in (*output.results, *details, *output.inference_output, *output.judged):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _created(source: JobSource) -> str:
    """The moment in the name of the results file, else that of the source; ISO 8601 in UTC."""
    for name in source.output.members:
        if match := _STAMP.search(name):
            return f"{match[1]}T{match[2]}:{match[3]}:{match[4]}Z"
    return source.created
