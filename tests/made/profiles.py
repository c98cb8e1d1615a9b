"""Judgments made by hand and by seed, for the tests of the statistics."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nova_judge.records import InputRow, JudgedAs, JudgedRow, Judgment, Unscored, Verdict
from nova_judge.statistics.contest import contest_of_profiles
from nova_judge.statistics.evidence import Evidence, EvidenceRow, gather
from nova_judge.statistics.outcomes import Outcome, ProfileCounts, count_profiles
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from nova_judge.statistics.verdict import VerdictStated, state_verdict

DATA = Path(__file__).parents[1] / "data" / "published"
HAIKU = DATA / "judgebench-claude-3-haiku"
ALPACA = DATA / "alpacaeval2"
ANSWERS: list[JudgedAs] = [*Verdict, Unscored("nothing was said")]
SHORT = {"A": Outcome.A, "B": Outcome.B, "t": Outcome.TIE, "e": Outcome.ERROR}


def counts(**rows: int) -> ProfileCounts:
    """`counts(AA=3, Bt=2)`: rows by forward and backward outcome (A, B, t, e)."""
    table = [0] * 16
    for pair, number in rows.items():
        table[SHORT[pair[0]] * 4 + SHORT[pair[1]]] = number
    return ProfileCounts(tuple(table))


def labelled(
    by_label: Mapping[Outcome, ProfileCounts], others: ProfileCounts | None = None
) -> Evidence:
    """Rows by label and profile, each a prompt of its own; `others` have no label."""
    unlabelled = {Outcome.ERROR: others or ProfileCounts()}
    rows = [
        (forward, backward, label)
        for label, profiles in {**by_label, **unlabelled}.items()
        for (forward, backward), number in profiles
        for _ in range(number)
    ]
    forward, backward, labels = (
        np.array([row[part] for row in rows], dtype=np.uint8) for part in range(3)
    )
    empty = gather(EvidenceRow() for _ in rows)
    return replace(empty, forward=forward, backward=backward, labels=labels)


def judgments(number: int, seed: int = 1) -> list[Judgment]:
    """Random judgments with every kind of verdict in either order."""
    draw = random.Random(seed)  # noqa: S311  test data
    return [
        Judgment(forward=draw.choice(ANSWERS), backward=draw.choice(ANSWERS)) for _ in range(number)
    ]


def judged_rows(number: int, seed: int = 1) -> list[JudgedRow]:
    """Judged rows with labels, categories and answers of differing length."""
    draw = random.Random(seed)  # noqa: S311  test data
    return [
        JudgedRow(
            row=InputRow(
                line=line,
                id=f"row-{line}",
                prompt=f"question {line}",
                response_A="a " * draw.randint(1, 60),
                response_B="# b\n- " * draw.randint(1, 20),
                category=draw.choice(["code", "law", "prose"]),
                label=draw.choice([Verdict.A, Verdict.B, Verdict.TIE, None]),
            ),
            judgment=judgment,
        )
        for line, judgment in enumerate(judgments(number, seed), start=1)
    ]


def random_counts(seed: int, most: int = 30) -> ProfileCounts:
    """Random profile counts."""
    draw = random.Random(seed)  # noqa: S311  test data
    return count_profiles(judgments(draw.randint(1, most), seed))


def verdict(profiles: ProfileCounts, settings: StatisticsSettings = DEFAULTS) -> VerdictStated:
    """The verdict on rows judged in both orders, of which no prompt repeats."""
    return state_verdict(contest_of_profiles(profiles), settings)


def jsonl(path: Path, rows: list[object]) -> Path:
    """Write rows as JSON Lines; bytes and text go in as they are."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
