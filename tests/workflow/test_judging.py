"""Judging one file after another until the rows decide, and rows that no candidate should win."""

from collections.abc import Callable
from pathlib import Path

from tests.workflow.conftest import ROOT, Account, lines

Start = Callable[..., Account]


def rows(number: int, better: str) -> list[dict[str, object]]:
    answers = {"right": "Mars", "wrong": "It is one of the many planets that circle the sun"}
    other = "wrong" if better == "right" else "right"
    return [
        {
            "id": f"{better}{n}",
            "prompt": f"Which planet is red? ({better} {n})",
            "response_A": answers[other],
            "response_B": answers[better],
            "reference": "Mars",
        }
        for n in range(number)
    ]


def drop(here: Account, content: bytes, options: str, folder: Path) -> None:
    recipe = (ROOT / "recipes" / "pairwise.yaml").read_text()
    recipe = recipe.replace("judge:\n", "judge:\n  max_rows_per_job: 20\n", 1) + options
    key = "recipes/careful.yaml"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=recipe.encode())
    here.drop("pairs.jsonl", content, recipe="careful", folder=folder)


def test_judging_stops_when_the_rows_decide_and_says_what_was_left(
    account: Start, tmp_path: Path
) -> None:
    here = account()
    drop(here, lines(*rows(100, "right")), "\nstop: when_decided\n", tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert len(here.jobs()) == 1
    metrics = here.metrics()
    assert metrics["rows"]["judged"] == 20
    assert metrics["rows"]["not_judged"] == 80
    assert metrics["verdict"]["word"] == "B better"
    assert any("stopped" in note for note in metrics["notes"])


def test_judging_goes_on_while_the_rows_do_not_decide(account: Start, tmp_path: Path) -> None:
    here = account()
    mixed = [row for pair in zip(rows(25, "right"), rows(25, "wrong"), strict=True) for row in pair]
    drop(here, lines(*mixed), "\nstop: when_decided\n", tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert len(here.jobs()) == 3
    metrics = here.metrics()
    assert metrics["rows"]["judged"] == 50
    assert metrics["verdict"]["word"] == "inconclusive"


def test_controls_are_judged_beside_the_rows_and_told(account: Start, tmp_path: Path) -> None:
    here = account()
    options = "\ncontrols: [same_answer, padded, repeat]\n"
    drop(here, lines(*rows(30, "right")), options, tmp_path)

    (execution,) = here.ended()

    assert execution.status == "SUCCEEDED", execution
    assert len(here.jobs()) == 5
    metrics = here.metrics()
    assert metrics["rows"]["judged"] == 30
    assert (metrics["retest"]["rows"], metrics["retest"]["same"]["estimate"]) == (30, 1.0)
    assert metrics["retest"]["changed"] == 0
    assert [(c["control"], c["rows"]) for c in metrics["controls"]] == [
        ("same_answer", 30),
        ("padded", 30),
    ]
    assert metrics["verdict"]["word"] == "B better"
    assert metrics["verdict"]["blocked_by"] == []
