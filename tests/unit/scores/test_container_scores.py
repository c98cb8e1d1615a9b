"""What AWS's containers write, read back as scores, from archives and from plain files."""

import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nova_judge.errors import JudgeJobError
from nova_judge.inputs.own_data import OwnRow
from nova_judge.records import Unscored
from nova_judge.runs.archive import fetch
from nova_judge.runs.job_output import Details, JobOutput, task_of
from nova_judge.runs.results_json import stand_in_of
from nova_judge.scores.container_scores import detail_scores, recomputed_scores, reported_figures
from nova_judge.scores.metric_score import Reported
from nova_judge.scores.table import NOT_FINITE
from nova_judge.scores.text_metrics import corpus_bleu

PUBLISHED = {
    "rouge1": 0.9152812653966208,
    "rouge1_stderr": 0.003536439199232507,
    "em": 0.6562150055991042,
    "em_stderr": 0.007948251702846893,
    "bleu": 100.00000000000004,
    "bleu_stderr": 1.464411857851008,
}


def results(folder: Path, tasks: dict[str, dict[str, float]], **general: str) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps({"config_general": general, "results": tasks}))
    return path


def details(folder: Path, *metrics: str) -> Path:
    path = folder / "details.parquet"
    table = pa.table(
        {
            "full_prompt": [f"prompt {n}" for n in range(len(metrics))],
            "gold": [[f"gold {n}"] for n in range(len(metrics))],
            "metrics": list(metrics),
            "predictions": [[f"answer {n}"] for n in range(len(metrics))],
        }
    )
    pq.write_table(table, path)
    return path


def test_the_figures_over_all_tasks_are_those_reported(tmp_path: Path) -> None:
    files = JobOutput(
        results=(results(tmp_path, {"custom|gen_qa_gen_qa|0": PUBLISHED, "all": PUBLISHED}),)
    )
    figures = reported_figures(files)
    assert set(figures) == {"rouge1", "em", "bleu"}
    assert figures["em"] == Reported(0.6562150055991042, 0.007948251702846893)


def test_without_all_the_first_task_speaks(tmp_path: Path) -> None:
    files = JobOutput(results=(results(tmp_path, {"custom|gen_qa_gen_qa|0": {"em": 0.5}}),))
    assert reported_figures(files) == {"em": Reported(0.5, None)}


def test_a_stand_in_names_itself(tmp_path: Path) -> None:
    assert stand_in_of([results(tmp_path, {}, stand_in="local")]) == "local"
    assert stand_in_of([results(tmp_path, {})]) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"results": 1}', b"\xff", b"[" * 100_000])
def test_results_that_cannot_be_read_say_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(JudgeJobError, match=r"results\.json"):
        reported_figures(JobOutput((path,)))


def test_every_number_of_a_row_is_a_score(tmp_path: Path) -> None:
    path = details(tmp_path, "{'accuracy': 1.0, 'note': 'x'}", "{'accuracy': np.float64(0.0)}")
    files = JobOutput(details=(Details("mmlu_zs_cot:anatomy", path),))
    first, second = detail_scores("base", files, ["accuracy"])
    assert (first.metric, first.result, first.row) == ("accuracy", 1.0, 0)
    assert (first.category, first.id) == ("anatomy", "anatomy-1")
    assert (first.prompt, first.reference, first.answer) == ("prompt 0", "gold 0", "answer 0")
    assert second.result == 0.0


def test_a_row_that_cannot_be_read_is_unscored_by_every_metric(tmp_path: Path) -> None:
    files = JobOutput(details=(Details("", details(tmp_path, "nonsense", "{'m': nan}")),))
    found = list(detail_scores("base", files, ["accuracy", "f1"]))
    assert [score.metric for score in found] == ["accuracy", "f1"] * 2
    assert all(isinstance(score.result, Unscored) for score in found)


ROWS = [OwnRow(row, f"line-{row}", f"q{row}", gold) for row, gold in ((1, "Rome"), (4, "Oslo"))]


def inference(folder: Path, *lines: dict[str, str]) -> JobOutput:
    path = folder / "inference.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return JobOutput(inference_output=(path,))


def test_own_data_is_scored_again_from_the_answers(tmp_path: Path) -> None:
    files = inference(
        tmp_path,
        {"prompt": "q1", "inference": "The city on the Tiber is Rome", "gold": "Rome"},
        {"prompt": "q4", "inference": "Oslo", "gold": "Oslo"},
    )
    again = recomputed_scores("base", files, ROWS)
    exact = {score.row: score.result for score in again.scores if score.metric == "em"}
    assert exact == {1: 0.0, 4: 1.0}
    assert again.bleu == corpus_bleu([("The city on the Tiber is Rome", "Rome"), ("Oslo", "Oslo")])


def test_a_row_without_an_answer_is_unscored(tmp_path: Path) -> None:
    files = inference(tmp_path, {"prompt": "q1", "inference": "Rome", "gold": "Rome"})
    again = recomputed_scores("base", files, ROWS)
    missing = [score for score in again.scores if score.row == 4]
    assert missing
    assert all(isinstance(score.result, Unscored) for score in missing)


def test_answers_in_another_order_are_refused(tmp_path: Path) -> None:
    files = inference(tmp_path, {"prompt": "q4", "inference": "Oslo", "gold": "Oslo"})
    with pytest.raises(JudgeJobError, match="not in the order of the input"):
        recomputed_scores("base", files, ROWS)


@pytest.mark.parametrize(
    ("name", "task"),
    [
        (
            "details_custom|mmlu_zs_cot:anatomy|0_2026-11-21T10-00-00.000.parquet",
            "mmlu_zs_cot:anatomy",
        ),
        ("details_custom|gen_qa_gen_qa|0_2026-11-21T10-00-00.parquet", "gen_qa_gen_qa"),
        ("details_anything.parquet", ""),
    ],
)
def test_the_task_stands_in_the_file_s_name(name: str, task: str) -> None:
    assert task_of(name) == task


def test_only_documented_files_are_fetched_and_under_names_of_ours(tmp_path: Path) -> None:
    base = "runs/r/judge/0/output/job/output/output/run/eval_results"
    keys = [
        f"{base}/results_2026.json",
        f"{base}/details/m/t/details_custom|math_zs_cot:algebra|0_2026-11-21T10-00-00.parquet",
        f"{base}/inference_output.jsonl",
        f"{base}/../../../../../../etc/passwd",
        "runs/r/judge/0/output/job/u/models/A-x/taskTypes/General/datasets/d/u_output.jsonl",
        "runs/r/judge/0/output/job/profiler-output/x.json",
    ]
    fetched: list[str] = []

    def download(key: str, target: Path) -> None:
        fetched.append(key)
        target.write_bytes(b"")

    files = fetch(keys, download, tmp_path / "job")
    assert sorted(fetched) == sorted([*keys[:3], keys[4]])
    assert [part.task for part in files.details] == ["math_zs_cot:algebra"]
    written = {path.name for path in (tmp_path / "job").iterdir()}
    assert written == {"results-0.json", "details-0.parquet", "inference-0.jsonl", "judged-0.jsonl"}


def test_an_archive_is_read_with_the_tasks_of_its_details(tmp_path: Path) -> None:
    packed = tmp_path / "packed.tar.gz"
    names = ["math_zs_cot:geometry", "math_zs_cot:algebra"]
    with tarfile.open(packed, "w:gz") as archive:
        for task in names:
            source = details(tmp_path, "{'exact_match': 1.0}")
            archive.add(
                source,
                f"run/eval_results/details/m/t/details_custom|{task}|0_2026-11-21T10-00-00.parquet",
            )
    key = "runs/r/judge/0/output/job/output/output.tar.gz"

    def download(wanted: str, target: Path) -> None:
        assert wanted == key
        target.write_bytes(packed.read_bytes())

    files = fetch([key], download, tmp_path / "job")
    assert [part.task for part in files.details] == sorted(names)


def own_row(number: int, reference: str) -> OwnRow:
    return OwnRow(row=number, id=f"r{number}", prompt=f"q{number}", reference=reference)


ODD = {
    "no answer": (b'{"prompt": "q2", "inference": null, "gold": "two"}', "gave no answer"),
    "no field": (b'{"prompt": "q2", "gold": "two"}', "gave no answer"),
    "a number": (b'{"inference": 2, "gold": "two"}', "not a text"),
    "cut off": (b'{"prompt": "q2", "inference": "tw', "not JSON"),
    "a list": (b"[1]", "not a JSON object"),
    "not UTF-8": (b'{"inference": "tw\xff", "gold": "two"}', "not UTF-8"),
    "another reference": (b'{"inference": "two", "gold": "2"}', "reference of another row"),
}


@pytest.mark.parametrize(("line", "reason"), ODD.values(), ids=ODD)
def test_an_odd_line_costs_its_own_row(tmp_path: Path, line: bytes, reason: str) -> None:
    whole = [
        b'{"inference": "one", "gold": "one"}',
        line,
        b'{"inference": "three", "gold": "three"}',
    ]
    path = tmp_path / "inference_output.jsonl"
    path.write_bytes(b"\n".join(whole) + b"\n")
    rows = [own_row(0, "one"), own_row(1, "two"), own_row(2, "three")]
    found = recomputed_scores("base", JobOutput(inference_output=(path,)), rows)
    exact = {score.row: score.result for score in found.scores if score.metric == "em"}
    assert (exact[0], exact[2]) == (1.0, 1.0)
    assert isinstance(exact[1], Unscored)
    assert reason in exact[1].reason


@pytest.mark.parametrize(
    "line",
    [
        b'{"inference": "two", "gold": "two", "metadata": NaN}',
        b'\n{"inference": "two", "gold": "two"}',
        b'{"inference": ["two"], "gold": ["two"]}',
        b'{"inference": "two", "gold": "two ", "extra": "\\ud83d"}',
        b'{"prompt": [{"role": "user"}], "inference": "two", "gold": "two"}',
    ],
)
def test_what_a_line_holds_beside_its_answer_costs_nothing(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "inference_output.jsonl"
    path.write_bytes(b'{"inference": "one", "gold": "one"}\n' + line + b"\n")
    rows = [own_row(0, "one"), own_row(1, "two")]
    found = recomputed_scores("base", JobOutput(inference_output=(path,)), rows)
    assert [score.result for score in found.scores if score.metric == "em"] == [1.0, 1.0]
    assert found.lines == 2


def test_bleu_of_scripts_without_blanks_is_unscored(tmp_path: Path) -> None:
    path = tmp_path / "inference_output.jsonl"
    path.write_text('{"inference": "巴黎", "gold": "巴黎"}\n', "utf-8")
    found = recomputed_scores("base", JobOutput(inference_output=(path,)), [own_row(0, "巴黎")])
    assert isinstance(found.bleu, Unscored)


@pytest.mark.parametrize(
    ("metrics", "scores"),
    [
        ("{'m': 1e999, 'n': 1.0}", {"m": NOT_FINITE, "n": 1.0}),
        (f"{{'m': 1{'0' * 400}, 'n': 0.5}}", {"m": NOT_FINITE, "n": 0.5}),
    ],
)
def test_a_score_that_is_not_finite_is_none(tmp_path: Path, metrics: str, scores) -> None:
    files = JobOutput(details=(Details("", details(tmp_path, metrics)),))
    assert {score.metric: score.result for score in detail_scores("base", files, ["m"])} == scores
