"""metrics.json: the sum of rows, the figures of the job, order of rows, judgments.parquet."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from nova_judge.errors import RowSumError, SavedReportError
from nova_judge.findings.judgments import COLUMNS, read_judgments, write_judgments
from nova_judge.findings.metrics import compute_metrics, failed_metrics
from nova_judge.findings.metrics_record import (
    CandidateFacts,
    ErrorCount,
    GenerationFacts,
    InputFacts,
    JudgeFacts,
    Metrics,
    RecipeFacts,
    RunFailure,
    decode_metrics,
    encode_metrics,
)
from nova_judge.findings.sentences import headline
from nova_judge.pairs.controls import Control, judge_control
from nova_judge.records import Criterion, InputRow, JudgedRow, Judgment, Rubric, Unscored, Verdict
from nova_judge.runs.row_accounting import ReasonCount
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from tests.made.generated import rows_of
from tests.made.profiles import counts, judged_rows, labelled


def facts(**changes: Any) -> Metrics:
    known = Metrics(
        status="completed",
        failure=None,
        run_id="2026-11-21-abc",
        kind="llm_judge",
        created="2026-11-21T18:00:00Z",
        input=InputFacts(uri="s3://data/inbox/pairwise/x.jsonl", version="v1", size=99),
        recipe=RecipeFacts("pairwise", "0" * 64),
        candidates={"A": CandidateFacts("base", "file"), "B": CandidateFacts("new", "file")},
        judge=JudgeFacts(model="nova-micro/prod"),
        statistics=DEFAULTS,
        rows=rows_of(123, rejected=2, generation_failed=1),
        generation=GenerationFacts(1, (ReasonCount("B: timeout", 1),), 0),
        errors=(ErrorCount("input", "not JSON", 2), ErrorCount("generation", "B: timeout", 1)),
    )
    return msgspec.structs.replace(known, **changes)


def pairs(verdicts: Sequence[str]) -> list[JudgedRow]:
    """`pairs("BBA")`: both orders name these candidates."""
    return [
        JudgedRow(
            row=InputRow(
                line=line, id=str(line), prompt=f"{line}?", response_A="a", response_B="b"
            ),
            judgment=Judgment(forward=Verdict(one), backward=Verdict(one)),
        )
        for line, one in enumerate(verdicts, start=1)
    ]


def test_the_sum_of_rows_closes_or_there_is_no_result() -> None:
    found = compute_metrics(facts(), judged_rows(120), None)
    assert found.rows.input == 123 == found.rows.accounted
    with pytest.raises(RowSumError, match="but the input has 123"):
        compute_metrics(facts(), judged_rows(119), None)


def test_rows_left_over_when_judging_stopped_are_in_the_sum() -> None:
    found = compute_metrics(
        facts(rows=rows_of(123, rejected=2, generation_failed=1, not_judged=20)),
        judged_rows(100),
        None,
    )
    assert found.rows.not_judged == 20
    all_judged = msgspec.json.encode(compute_metrics(facts(), judged_rows(120), None).rows)
    assert b"not_judged" not in all_judged


def test_metrics_read_again_are_the_same_and_the_order_of_rows_changes_no_bit() -> None:
    rows = judged_rows(120)
    found = compute_metrics(facts(), iter(rows), None)
    shuffled = random.Random(1).sample(rows, len(rows))  # noqa: S311  test data
    again = compute_metrics(facts(), shuffled, None)
    assert encode_metrics(found) == encode_metrics(again)
    assert decode_metrics(encode_metrics(found), "metrics.json") == found


def test_a_failed_run_says_where_and_why_and_nothing_else() -> None:
    failed = failed_metrics(facts(), "RunJudgeJobs", "stopped by hand")
    assert failed.failure == RunFailure("RunJudgeJobs", "stopped by hand")
    assert failed.win_rate is failed.verdict is failed.rows.judged is None


def test_a_control_that_fails_blocks_the_verdict_of_the_run() -> None:
    finding = judge_control(Control.PADDED, labelled({}, counts(BB=38, AA=2)))
    run = facts(
        input=InputFacts(uri="s3://d/x", version=None, size=1),
        rows=rows_of(43, rejected=2, generation_failed=1),
        controls=(finding,),
    )
    found = compute_metrics(run, pairs("B" * 40), None)
    assert found.verdict.word == "inconclusive"
    assert "padded answer" in found.verdict.sentence
    assert found.controls[0].blocks == finding.blocks


def test_the_settings_come_back_as_they_were_used() -> None:
    settings = StatisticsSettings(
        level=0.9, equivalence_margin=0.04, seed=5, anytime=True, blocked_by=("of old",)
    )
    finding = judge_control(Control.PADDED, labelled({}, counts(BB=38, AA=2)))
    run = facts(statistics=settings, controls=(finding,))
    written = encode_metrics(compute_metrics(run, judged_rows(120), None))
    used = msgspec.structs.replace(settings, blocked_by=("of old", finding.blocks))
    assert decode_metrics(written, "metrics.json").statistics == used
    assert failed_metrics(run, "RunJudgeJobs", "stopped").statistics == settings
    guessed = written.replace(b'"level": 0.9', b'"level": "high"', 1)
    with pytest.raises(SavedReportError, match=r"float.*at `\$\.statistics\.level`"):
        decode_metrics(guessed, "metrics.json")


def test_errors_are_grouped_by_stage_and_reason() -> None:
    found = compute_metrics(facts(), judged_rows(120), None).errors
    stages = {entry.stage for entry in found}
    assert stages == {"input", "generation", "judge, forward", "judge, backward"}
    counted = [entry.count for entry in found]
    assert counted == sorted(counted, reverse=True)


def test_what_the_job_reports_stands_beside_what_its_rows_hold() -> None:
    run = facts(
        input=InputFacts(uri="s3://d/x", version=None, size=1),
        rows=rows_of(13),
        errors=(),
    )
    published = {"a_scores": 16.0, "a_scores_stderr": 0.03, "b_scores": 10.0, "ties": 0.0}
    published |= {"inference_error": 0.0, "winrate": 0.38, "lower_rate": 0.23, "upper_rate": 0.56}
    job = compute_metrics(run, pairs("AAAAAAAABBBBB"), published).job
    assert job.winrate == 0.38
    assert job.bootstrap.method.startswith("percentile bootstrap")
    assert any(note.startswith("a_scores_stderr: the job reports 0.03;") for note in job.notes)
    wrong = compute_metrics(run, pairs("AAAAAAAABBBBB"), published | {"b_scores": 12.0}).job
    assert "b_scores: the job reports 12; recomputed: 10" in wrong.notes
    narrow = compute_metrics(run, pairs("AAAAAAAABBBBB"), published | {"lower_rate": 0.37}).job
    assert any("0.370 to 0.560; recomputed: no usual" in note for note in narrow.notes)
    broken = compute_metrics(run, pairs("AAAAAAAABBBBB"), {"winrate": "nan", "ties": None}).job
    assert broken.notes == ()
    assert broken.other == {"winrate": "nan", "ties": None}


RUBRIC = Rubric(
    criteria=(
        Criterion(name="clarity", weight=0.5, type="scale", score_A=2, score_B=5),
        Criterion(name="ответ\x00", weight=0.5, type="binary", score_A=1, score_B=0),
    ),
    overall_justification="</script>\u2028",
    reported_margin=-0.125,
)
HOSTILE = [
    JudgedRow(
        row=InputRow(
            line=3, id="\x00", prompt='"\\\n\r\t', response_A="", response_B="\U0001d56c" * 999
        ),
        judgment=Judgment(forward=Verdict.BOTH_BAD, backward=Unscored("cut off"), rubric=RUBRIC),
    ),
    JudgedRow(
        row=InputRow(line=4, id="4", prompt="=1+1", label=Verdict.B, category="x'; DROP TABLE y"),
        judgment=Judgment(
            forward=Unscored("a"), backward=Unscored("b"), rubric=Unscored("no YAML")
        ),
    ),
]


def test_judgments_come_back_as_they_were_written(tmp_path: Path) -> None:
    rows = [*judged_rows(150), *HOSTILE]
    assert write_judgments(iter(rows), tmp_path / "one.parquet") == 152
    assert list(read_judgments(tmp_path / "one.parquet")) == rows
    write_judgments(rows, tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.parquet", "two.parquet"]


def test_columns_are_for_people_too(tmp_path: Path) -> None:
    write_judgments(HOSTILE, tmp_path / "j.parquet")
    table = duckdb.sql(f"FROM '{tmp_path / 'j.parquet'}'")
    assert table.columns == list(COLUMNS)
    first = dict(zip(table.columns, table.fetchall()[0], strict=True))
    assert (first["forward"], first["backward"], first["reconciled"]) == ("both_bad", None, "error")
    assert first["margin"] == pytest.approx(0.625 - 0.5)
    assert first["length_B"] == 999


def test_a_lone_surrogate_does_not_stop_the_file(tmp_path: Path) -> None:
    row = JudgedRow(
        row=InputRow(line=1, id="1", prompt="?"),
        judgment=Judgment(
            forward=Verdict.A,
            backward=Verdict.A,
            forward_output="\ud800 [[A>B]]",
            rubric=msgspec.structs.replace(
                RUBRIC, criteria=(msgspec.structs.replace(RUBRIC.criteria[0], name="x\udfff"),)
            ),
        ),
    )
    write_judgments([row], tmp_path / "j.parquet")
    (found,) = read_judgments(tmp_path / "j.parquet")
    assert found.judgment.forward_output == "\ufffd [[A>B]]"
    assert isinstance(found.judgment.rubric, Rubric)
    assert found.judgment.rubric.criteria[0].name == "x\ufffd"


def test_no_rows_make_an_empty_file(tmp_path: Path) -> None:
    assert write_judgments([], tmp_path / "j.parquet") == 0
    assert list(read_judgments(tmp_path / "j.parquet")) == []


@pytest.mark.parametrize(("rejected", "says"), [(1, False), (2, True)])
def test_lines_set_aside_stand_in_the_headline_above_a_hundredth(rejected: int, says: bool) -> None:
    known = facts(rows=rows_of(100 + rejected, rejected=rejected))
    found = headline(compute_metrics(known, judged_rows(100), None))
    ending = f" {rejected} of {100 + rejected} lines were set aside and do not count."
    assert found.evidence.endswith(ending) is says
