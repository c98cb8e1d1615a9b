"""Rows of a judge job come back as they were sent, each with its own judgment."""

import json
from collections import Counter

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nova_judge.errors import JudgeJobError
from nova_judge.pairs.judged_rows import (
    MISSING,
    JudgedFiles,
    job_metrics,
    read_rows,
)
from nova_judge.records import InputRow, Verdict
from nova_judge.runs.results_json import stand_in_of

FORWARD = {"forward_output": "[[A>B]]", "backward_output": "[[B>A]]"}
METRICS = {**FORWARD, "a_scores": 2.0, "b_scores": 0.0, "ties": 0.0, "inference-score": 0.0}
SHOWN = "You are a judge.\n\nQuestion: {prompt}\n\nAnswer A: a\n\nAnswer B: b"


def row(number: int, prompt: str | None = None) -> InputRow:
    text = prompt if prompt is not None else f"Which planet is number {number}?"
    return InputRow(line=number, id=f"r{number}", prompt=text, response_A="a", response_B="b")


@pytest.fixture
def job(tmp_path):
    def write(sent, shown, results=None, column="full_prompt") -> JudgedFiles:
        details = pa.table(
            {
                column: shown,
                "metrics": [repr(METRICS)] * len(shown),
                "predictions": [[]] * len(shown),
            }
        )
        files = JudgedFiles(
            tmp_path / "details.parquet", tmp_path / "results.json", tmp_path / "rows.jsonl"
        )
        pq.write_table(details, files.details)
        files.results.write_text(json.dumps(results or {}))
        files.rows.write_bytes(b"".join(msgspec.json.encode(r) + b"\n" for r in sent))
        return files

    return write


def shown(rows, form=lambda text: text):
    return [form(SHOWN.format(prompt=r.prompt)) for r in rows]


def test_every_row_comes_back_with_both_verdicts(job):
    sent = [row(n) for n in range(1_201)]
    judged = list(read_rows(job(sent, shown(sent))))
    assert [j.row for j in judged] == sent
    assert {(j.judgment.forward, j.judgment.backward) for j in judged} == {(Verdict.A, Verdict.A)}


def test_a_row_that_the_details_leave_out_is_unscored_not_dropped(job):
    sent = [row(n) for n in range(3)]
    judged = list(read_rows(job(sent, shown(sent)[:2])))
    assert len(judged) == 3
    assert judged[2].judgment.forward == judged[2].judgment.backward == MISSING


def test_more_details_than_rows_are_refused(job):
    sent = [row(1), row(2)]
    with pytest.raises(JudgeJobError, match="more lines than rows"):
        list(read_rows(job(sent[:1], shown(sent))))


def test_details_in_another_order_are_refused_with_the_line(job):
    sent = [row(n) for n in range(5)]
    other = [sent[0], sent[1], sent[3], sent[2], sent[4]]
    with pytest.raises(JudgeJobError, match="the row of line 2 shows another prompt"):
        list(read_rows(job(sent, shown(other))))


def test_equal_prompts_may_change_places(job):
    sent = [row(1, "same"), row(2, "same")]
    assert len(list(read_rows(job(sent, shown(sent[::-1]))))) == 2


TRICKY = [
    'Say "hello"\tand\nnext line',
    "C:\\temp\\new",
    "café, 日本語 and π",
    "日本語だけ",
    "print('a\\n')",
    "x " * 4_000,
]


@pytest.mark.parametrize(
    "form",
    [
        lambda text: text,
        repr,
        json.dumps,
        lambda text: str([{"role": "user", "content": text}]),
        lambda text: text[:2_000],
        lambda text: " ".join(text.split()),
    ],
    ids=["as it is", "repr", "json", "messages", "cut", "joined"],
)
def test_how_the_details_write_a_prompt_is_not_its_order(job, form):
    sent = [row(n, text) for n, text in enumerate(TRICKY)]
    assert len(list(read_rows(job(sent, shown(sent, form))))) == len(TRICKY)


@pytest.mark.parametrize("column", ["full_prompt", "other"])
def test_details_that_never_show_the_prompt_prove_nothing(job, column):
    sent = [row(n) for n in range(3)]
    assert len(list(read_rows(job(sent, ["a prompt template"] * 3, column=column)))) == 3


@pytest.mark.parametrize("nothing", [0, [], ""])
def test_a_column_of_prompts_that_holds_no_texts_harms_nothing(job, nothing):
    sent = [row(1), row(2)]
    assert [j.row for j in read_rows(job(sent, [nothing] * 2))] == sent


def test_what_disagrees_within_the_details_is_counted(job):
    notes: Counter[str] = Counter()
    sent = [row(1)]
    list(read_rows(job(sent, shown(sent)), notes))
    assert notes.total() == 0


RESULTS = {"results": {"custom|llm_judge_judge|0": {"a_scores": 16.0, "b_scores": 10.0}}}


def test_one_jobs_figures_are_its_own(job):
    assert job_metrics([job([], [], RESULTS).results])["a_scores"] == 16.0


def test_of_several_jobs_only_counts_add_up(job, tmp_path):
    first = job([], [], RESULTS)
    other = tmp_path / "other.json"
    figures = {"a_scores": 1.0, "b_scores": 2.0, "winrate": 0.5}
    other.write_text(json.dumps({"results": {"custom|llm_judge_judge|0": figures}}))
    both = job_metrics([first.results, other])
    assert both == {"a_scores": 17.0, "b_scores": 12.0}


def test_who_stood_in_for_the_judge_is_told(job):
    files = job([], [], {"config_general": {"stand_in": "reference"}})
    assert stand_in_of([files.results]) == "reference"
    assert stand_in_of([job([], [], {"config_general": {}}).results]) is None
    assert stand_in_of([job([], [], {"config_general": "x"}).results]) is None
