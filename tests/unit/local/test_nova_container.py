"""The stand-in on an `/opt/ml` folder: what it reads and writes, and how it fails."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from nova_judge.errors import LocalModeError
from nova_judge.pairs.container_details import bradley_terry
from nova_judge.pairs.judge_output import judgment_of, read_judgments
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Unscored
from nova_judge_local.container import judge_tasks
from nova_judge_local.container.mounted_job import Outside, read_job
from nova_judge_local.judges.pair_judges import NoOutputError

ROWS = [
    {"prompt": "Capital of Australia?", "response_A": "Sydney", "response_B": "Canberra"},
    {"prompt": "2 + 2?", "response_A": "4", "response_B": "5"},
    {"prompt": "Say \"'hi'\"\n", "response_A": "'hi' \\n \u2028", "response_B": "'hi' \\n \u2028"},
]
REFERENCES = ["Canberra", "4", "hi"]


def _root(folder, task="llm_judge", rows=ROWS, references=REFERENCES):
    root = folder / "ml"
    for name in ("input/config", "input/data/train", "input/data/recipe", "output/data", "known"):
        (root / name).mkdir(parents=True)
    recipe = f"""
run: {{name: my-run, model_type: amazon.nova-micro-v1:0:128k, model_name_or_path: nova-micro/prod}}
evaluation: {{task: {task}, strategy: judge, metric: all}}
inference: {{top_p: 1.0}}
"""
    (root / "input/data/recipe/recipe.yaml").write_text(recipe, "utf-8")
    hyperparameters = {"sagemaker_recipe_local_path": "/opt/ml/input/data/recipe/recipe.yaml"}
    (root / "input/config/hyperparameters.json").write_text(json.dumps(hyperparameters), "utf-8")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (root / "input/data/train/llm_judge.jsonl").write_text(lines, "utf-8")
    known = [{**row, "reference": r} for row, r in zip(rows, references, strict=False)]
    known_lines = "".join(json.dumps(row) + "\n" for row in known)
    (root / "known" / "rows.jsonl").write_text(known_lines, "utf-8")
    return root


def _judged(root):
    judge_tasks.run(read_job(root, Outside("reference", root / "known")))
    (results,) = (root / "output/data/my-run/eval_results").glob("results_*.json")
    (details,) = (root / "output/data/my-run/eval_results/details").rglob("details_*.parquet")
    return json.loads(results.read_text("utf-8")), details


def test_pairwise_details_have_the_containers_columns_and_metrics(tmp_path):
    _, details = _judged(_root(tmp_path))

    table = pq.read_table(details)
    rows = [ast.literal_eval(text) for text in table.column("metrics").to_pylist()]

    assert table.column_names == ["full_prompt", "gold", "metrics", "predictions", "pred_logits"]
    assert list(rows[0]) == [
        "forward_output",
        "backward_output",
        "a_scores",
        "b_scores",
        "ties",
        "inference-score",
        "score",
    ]
    assert [(r["a_scores"], r["b_scores"], r["ties"]) for r in rows] == [
        (0.0, 2.0, 0.0),
        (2.0, 0.0, 0.0),
        (0.0, 0.0, 2.0),
    ]
    assert table.column("predictions").to_pylist()[0] == [
        rows[0]["forward_output"],
        rows[0]["backward_output"],
    ]
    assert "[[B>A]]" in rows[0]["forward_output"]
    assert "[[A>B]]" in rows[0]["backward_output"]  # in the order shown


def test_files_lie_where_the_container_puts_them(tmp_path):
    _, details = _judged(_root(tmp_path))

    path = details.relative_to(tmp_path / "ml/output/data").as_posix()

    assert re.fullmatch(
        r"my-run/eval_results/details/nova-micro/prod/[^/]+/"
        r"details_custom\|llm_judge_judge\|0_[^/]+\.parquet",
        path,
    )


def test_results_hold_the_documented_figures_and_say_that_a_stand_in_worked(tmp_path):
    results, _ = _judged(_root(tmp_path))

    metrics = results["results"]["custom|llm_judge_judge|0"]

    assert list(results) == ["config_general", "results", "versions"]
    assert results["results"]["all"] == metrics
    assert (metrics["a_scores"], metrics["b_scores"], metrics["ties"]) == (2.0, 2.0, 2.0)
    assert (metrics["inference_error"], metrics["score"], metrics["winrate"]) == (0.0, 2.0, 0.5)
    assert metrics["lower_rate"] < 0.5 < metrics["upper_rate"]
    assert {
        f"{k}_stderr" for k in ("a_scores", "b_scores", "ties", "inference_error", "score")
    } < set(metrics)
    assert results["config_general"]["stand_in"].startswith("reference (SQuAD")


def test_rubric_details_hold_criteria_whose_scores_recompute(tmp_path):
    results, details = _judged(_root(tmp_path, task="rubric_llm_judge"))

    row = ast.literal_eval(pq.read_table(details).column("metrics").to_pylist()[0])
    by_hand = 0.5 * (row["criteria_breakdown"]["accuracy"]["score_B"] - 1) / 4 + 0.3 + 0.2

    assert row["predictions"] == ["B>A"]
    assert row["weighted_score_B"] == pytest.approx(by_hand) == pytest.approx(1)
    assert row["score_margin"] == pytest.approx(row["weighted_score_A"] - row["weighted_score_B"])
    assert set(row["criteria_breakdown"]["exactness"]) == {
        "description",
        "type",
        "weight",
        "score_A",
        "score_B",
        "justification_A",
        "justification_B",
    }
    metrics = results["results"]["custom|rubric_llm_judge_judge|0"]
    assert metrics["score_margin"] == pytest.approx(
        metrics["weighted_score_A"] - metrics["weighted_score_B"]
    )


def test_the_products_own_reader_reads_what_the_stand_in_writes(tmp_path):
    _, details = _judged(_root(tmp_path, task="rubric_llm_judge"))

    judgments = list(read_judgments(details))

    assert [(j.forward, j.backward) for j in judgments] == [("B", "B"), ("A", "A"), ("tie", "tie")]
    for judgment in judgments:
        ours = recomputed_scores(judgment)
        assert ours.margin == pytest.approx(judgment.rubric.reported_margin)


def test_bradley_terry_for_two_reproduces_the_interval_that_aws_publishes():
    rate = bradley_terry(3, 7, 1)

    assert rate["winrate"] == pytest.approx(0.7)
    assert rate["lower_rate"] == pytest.approx(0.4, abs=0.001)
    assert rate["upper_rate"] == pytest.approx(10 / 11, abs=0.001)


def test_without_a_decisive_judgment_the_rate_is_a_half():
    assert bradley_terry(0, 0, 5) == {"winrate": 0.5, "lower_rate": 0.0, "upper_rate": 1.0}


def _run(root, *arguments):
    command = [sys.executable, "-m", "nova_judge_local.container.entry", "--root", str(root)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    failure = root / "output/failure"
    return done, failure.read_text("utf-8") if failure.exists() else None


def test_the_container_ends_with_zero_and_tells_its_progress(tmp_path):
    root = _root(tmp_path)

    done, failure = _run(root, "--knowledge", str(root / "known"))

    assert (done.returncode, failure) == (0, None)
    assert done.stdout.splitlines()[-1] == "judged 3"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda root: (root / "known/rows.jsonl").unlink(), "has no `reference`"),
        (lambda root: (root / "input/data/train/two.jsonl").touch(), "holds 2 files"),
        (lambda root: (root / "input/data/train/llm_judge.jsonl").write_text(""), "no row"),
        (
            lambda root: (root / "input/data/train/llm_judge.jsonl").write_text("{}\n"),
            "line 1: field `prompt` is missing",
        ),
        (lambda root: (root / "input/data/recipe/recipe.yaml").unlink(), "does not exist"),
        (
            lambda root: (root / "input/data/recipe/recipe.yaml").write_text("run: [no"),
            "is not a recipe of the container",
        ),
    ],
)
def test_what_fails_is_told_in_the_failure_file(tmp_path, spoil, says):
    root = _root(tmp_path)
    spoil(root)

    done, failure = _run(root, "--knowledge", str(root / "known"))

    assert done.returncode == 1
    assert says in failure


def test_a_task_without_a_stand_in_is_refused_by_name(tmp_path):
    done, failure = _run(_root(tmp_path, task="no_such_task"))

    assert done.returncode == 1
    assert re.search("'no_such_task' has no stand-in.*llm_judge", failure)


def test_a_long_row_is_written_whole(tmp_path):
    long = "word " * 400_000
    row = {"prompt": "p", "response_A": long, "response_B": "word"}

    _, details = _judged(_root(tmp_path, rows=[row], references=["word"]))

    assert long in pq.read_table(details).column("full_prompt").to_pylist()[0]


def test_rows_keep_their_order_whatever_their_number(tmp_path):
    rows = [{"prompt": str(n), "response_A": str(n), "response_B": "x"} for n in range(2500)]
    _, details = _judged(_root(tmp_path, rows=rows, references=[str(n) for n in range(2500)]))

    prompts = pq.read_table(details).column("full_prompt").to_pylist()

    assert [int(re.search(r"<question>\n(\d+)", p)[1]) for p in prompts] == list(range(2500))


def test_the_stand_in_writes_nothing_outside_its_folder(tmp_path):
    root = _root(tmp_path)
    before = {path for path in tmp_path.rglob("*") if not path.is_relative_to(root / "output")}

    _judged(root)

    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(root / "output")}
    assert after == before
    assert Path(root / "output").exists()


class _Flaky:
    """A judge whose model fails for the prompts given."""

    name = "flaky"

    def __init__(self, *failing):
        self._failing = failing

    def output(self, shown, form):
        if shown.prompt in self._failing:
            raise NoOutputError("the model answered 400")
        return "[[A>B]]"


def test_a_pass_without_output_is_an_inference_error(tmp_path, monkeypatch):
    monkeypatch.setattr(judge_tasks, "judge_from", lambda *_: _Flaky("2 + 2?"))

    results, details = _judged(_root(tmp_path))

    row = ast.literal_eval(pq.read_table(details).column("metrics").to_pylist()[1])
    assert (row["forward_output"], row["backward_output"]) == ("", "")
    assert (row["a_scores"], row["b_scores"], row["inference-score"]) == (0.0, 0.0, 2.0)
    assert row["forward_error"] == row["backward_error"] == "the model answered 400"
    judgment, note = judgment_of(row)
    assert judgment.forward == judgment.backward == Unscored("the model answered 400")
    assert note is None
    assert results["results"]["all"]["inference_error"] == 2.0


def test_without_any_output_the_job_fails_with_the_reason(tmp_path, monkeypatch):
    everyone = _Flaky(*(row["prompt"] for row in ROWS))
    monkeypatch.setattr(judge_tasks, "judge_from", lambda *_: everyone)

    with pytest.raises(LocalModeError, match=r"no output for any row\. the model answered 400"):
        _judged(_root(tmp_path))


SHOWN = """
from pathlib import Path
from nova_judge_local.emulator_settings import ChatServer, EmulatorSettings
from nova_judge_local.engine.emulated_account import _container
server = ChatServer(url="http://localhost/v1", api_key="sk-hidden")
made = _container(EmulatorSettings(chat_server=server), Path("f"), "http://localhost")
given = made.environment["NOVA_JUDGE_CHAT_SERVER"]
print("sk-hidden" in str(made.command), given.count("sk-hidden"))
"""


def test_the_key_of_a_server_stands_in_no_command_line():
    command = [sys.executable, "-c", SHOWN]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "1"]


def test_a_container_asks_the_server_that_its_environment_names(tmp_path, monkeypatch):
    monkeypatch.setenv("NOVA_JUDGE_CHAT_SERVER", "no JSON")
    done, failure = _run(_root(tmp_path))
    assert done.returncode == 1
    assert failure.startswith("DecodeError: JSON is malformed")
