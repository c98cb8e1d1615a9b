"""Assumptions are settled by evidence alone, are written down once, and hold no secrets."""

import re
from pathlib import Path

import msgspec
import pytest

from nova_judge.check import Check
from nova_judge.json_lines import indented
from nova_judge.preflight import verification
from nova_judge.preflight.verification import (
    SettlingRun,
    Unconfirmed,
    Verification,
    assumption_rows,
    probe_rows,
    unconfirmed,
    verification_table,
)
from nova_judge.recipe.files import recipe_names
from nova_judge.steps.verify_stage import EVIDENCE, SMALLEST

ROOT = Path(__file__).parents[3]
DOC = ROOT / "docs" / "architecture.md"
FILE = re.compile(r"`([\w/]+/[\w.]*)`")
BY_RUN = Unconfirmed(what="w", assumed="a", runs=("pairwise",), refuted_when="order", mend="m")
BY_EVIDENCE = Unconfirmed(what="w", assumed="a", runs=("pairwise",), evidence="e", mend="m")
BY_PROBE = Unconfirmed(what="w", assumed="a", probe="rule Start", mend="m")


def run(**facts) -> SettlingRun:
    return SettlingRun(recipe="pairwise", run_id="r", **{"reported": True, **facts})


def test_the_documentation_lists_the_same_rows():
    section = DOC.read_text("utf-8").partition("## Not yet confirmed on AWS")[2]
    row = re.compile(r"^\| (?!what \| assumed|---)(.+?) \| (.+?) \|$", re.MULTILINE)
    listed = row.findall(section)
    assert listed == [(row.what, row.assumed) for row in unconfirmed()]


def test_every_row_says_what_mends_it_and_names_what_there_is():
    names = {name for name, _ in SMALLEST}
    for row in unconfirmed():
        assert row.mend
        assert set(row.runs) <= names
        assert row.evidence in {"", *EVIDENCE}
        re.compile(row.refuted_when)
        for file in FILE.findall(row.mend):
            assert any((ROOT / place / file).exists() for place in ("", "nova_judge")), file
    assert names <= set(recipe_names())


@pytest.mark.parametrize(
    ("row", "checks", "runs", "status"),
    [
        (BY_RUN, (), (), "not tried"),
        (BY_RUN, (), (run(),), "confirmed"),
        (BY_RUN, (), (run(stand_in=True),), "not tried"),
        (BY_RUN, (), (run(reported=False, cause="another order"),), "refuted"),
        (BY_RUN, (), (run(reported=False, cause="no quota"),), "not tried"),
        (BY_EVIDENCE, (), (run(),), "not tried"),
        (BY_EVIDENCE, (), (run(proved=("e",)),), "confirmed"),
        (BY_EVIDENCE, (), (run(disproved=("e",)),), "refuted"),
        (BY_PROBE, (Check("rule StartOnUpload", "pass", "f"),), (), "confirmed"),
        (BY_PROBE, (Check("rule StartOnUpload", "fail", "f"),), (), "refuted"),
        (BY_PROBE, (Check("rule StartOnUpload", "not run", "f"),), (), "not tried"),
        (BY_PROBE, (Check("rule Other", "fail", "f"),), (), "not tried"),
    ],
)
def test_a_row_is_settled_by_its_own_evidence_alone(monkeypatch, row, checks, runs, status):
    monkeypatch.setattr(verification, "unconfirmed", lambda: (row,))
    (settled,) = assumption_rows(checks, runs)
    assert settled.status == status
    assert settled.advice == ("" if status == "confirmed" else "m")


def test_what_is_sent_to_others_holds_no_account_and_no_key():
    key = "AKIA" + "Q" * 16
    finding = f"arn:aws:iam::123456789012:role/x | {key}\nnew line"
    found = Verification(
        stage="dev",
        region="us-east-1",
        at="2026-11-29T00:00:00Z",
        probes=probe_rows([Check("name", "fail", finding, "advice")]),
        assumptions=(),
    )
    table = verification_table(found)
    for text in (table, indented(found).decode()):
        assert "123456789012" not in text
        assert key not in text
    line = "| name | refuted | arn:aws:iam::<account>:role/x \\| <key> new line | advice |"
    assert line in table.splitlines()
    assert msgspec.json.decode(indented(found), type=Verification) == found
    assert [row.what for row in found.refuted()] == ["name"]
