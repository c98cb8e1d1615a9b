"""The verdict of a panel, written as one judge's details: what follows reads it as any other's."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from nova_judge.pairs.container_details import (
    DETAILS_COLUMNS,
    Detail,
    Numbers,
    WrittenPasses,
    job_numbers,
    pairwise_metrics,
    row_numbers,
)
from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.pairs.judged_rows import JudgedFiles, read_rows
from nova_judge.parquet import write_parquet
from nova_judge.records import Verdict
from nova_judge.statistics.agreement import summed_verdicts
from nova_judge.statistics.arrays import Codes
from nova_judge.statistics.outcomes import VERDICTS, Outcome, outcome_of
from nova_judge.statistics.panel import PanelVotes, combined, weights_by_labels
from nova_judge.verdict_labels import LABELS, turned

NO_QUORUM = "fewer than half of the panel gave a verdict"
_TASK = "custom|panel|0"
_NAMED = {Outcome.A: "A", Outcome.B: "B", Outcome.TIE: "a tie", Outcome.ERROR: "no verdict"}


def read_votes(members: Sequence[tuple[str, JudgedFiles]]) -> PanelVotes:
    """The verdicts that the members gave. Raises JudgeJobError where one's cannot be read."""
    forward, backward = [], []
    lines: list[int] = []
    labels: list[Outcome] = []
    keys: list[int] = []
    for place, (_, files) in enumerate(members):
        given = [
            (outcome_of(one.judgment.forward), outcome_of(one.judgment.backward), one.row)
            for one in read_rows(files)
        ]
        forward.append([code for code, _, _ in given])
        backward.append([code for _, code, _ in given])
        if place == 0:
            lines = [row.line for _, _, row in given]
            keys = [cluster_of(row) for _, _, row in given]
            labels = [
                Outcome.ERROR if row.label is None else outcome_of(row.label) for *_, row in given
            ]
    codes = [
        np.array(side, dtype=np.uint8).T.reshape(len(lines), -1) for side in (forward, backward)
    ]
    votes = PanelVotes(
        tuple(name for name, _ in members),
        tuple(lines),
        codes[0],
        codes[1],
        np.array(labels, dtype=np.uint8),
        np.array(keys, dtype=np.uint64),
        None,
    )
    both = summed_verdicts(votes.forward, votes.backward)
    return votes._replace(weights=weights_by_labels(both, votes.labels, votes.keys))


def write_panel(votes: PanelVotes, rows: Path, folder: Path) -> JudgedFiles:
    """The files of a judge that gave the panel's verdicts on `rows`."""
    sides = [combined(side, votes.voting) for side in (votes.forward, votes.backward)]
    numbers: list[Numbers] = []

    def details() -> Iterator[dict[str, object]]:
        for place in range(len(votes.lines)):
            passes = WrittenPasses(
                *(_text(votes, place, side, codes) for side, codes in enumerate(sides)),
                *(NO_QUORUM if codes[place] == Outcome.ERROR else None for codes in sides),
            )
            metrics = pairwise_metrics(passes)
            numbers.append(row_numbers(passes))
            yield Detail("", metrics, [passes.forward, passes.backward]).columns()

    target, results = folder / "panel.parquet", folder / "panel.json"
    write_parquet(target, DETAILS_COLUMNS, details())
    figures = job_numbers(numbers)
    results.write_text(json.dumps({"results": {_TASK: figures, "all": figures}}), "utf-8")
    return JudgedFiles(target, results, rows)


def _text(votes: PanelVotes, place: int, side: int, codes: Codes) -> str:
    """What each judge said of one pass, and the label of them all in the order shown."""
    given = (votes.forward, votes.backward)[side][place]
    said = "; ".join(
        f"{name}: {_NAMED[Outcome(code)]}" for name, code in zip(votes.names, given, strict=True)
    )
    if codes[place] == Outcome.ERROR:
        return said
    verdict = VERDICTS[Outcome(codes[place])]
    shown = turned(verdict) if side else verdict
    return f"{said}\n\n{LABELS[Verdict(shown)] if isinstance(shown, Verdict) else ''}"
