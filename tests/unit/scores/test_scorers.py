"""Own scorers: both contracts of AWS's containers, and the limited child process."""

import json
import tracemalloc
from pathlib import Path

import pytest

from nova_judge.errors import ScorerError
from nova_judge.records import Unscored
from nova_judge.scores.scorer_process import NoScoreError, load_scorer
from nova_judge.scores.scorer_sandbox import SandboxLimits, score_rows
from nova_judge.scores.scorers import handle_event

SHIPPED = Path("scorers/numeric_answer.py")
ROW = {"prompt": "2+2?", "answer": "It is 4", "reference": "4", "metadata": None}


@pytest.fixture
def scorer(tmp_path: Path):
    def write(body: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(body, encoding="utf-8")
        return path

    return write


def same(answer: str, reference: str) -> dict[str, float]:
    return {"same": float(answer == reference), "length": float(len(answer))}


def test_postprocessing_answers_with_metrics() -> None:
    data = {"prompt": "2+2?", "inference_output": "4", "gold": "4"}
    for sent in (data, [data]):
        assert handle_event(same, {"process_type": "postprocess", "data": sent}) == {
            "statusCode": 200,
            "body": [{"metric": "same", "value": 1.0}, {"metric": "length", "value": 1.0}],
        }


def test_preprocessing_passes_the_sample_on() -> None:
    data = {"system": None, "prompt": "2+2?", "gold": "4"}
    event = {"process_type": "preprocess", "data": data}
    assert handle_event(same, event) == {"statusCode": 200, "body": data}


SAMPLES = {
    "SageMaker evaluation": {
        "model_response": "Paris",
        "query": "Capital of France?",
        "response": "Paris",
        "reference_answer": {"text": "Paris"},
    },
    "OpenAI chat, with the dataset's own answer before": {
        "messages": [
            {"role": "user", "content": "Capital of France?"},
            {"role": "assistant", "content": "the reference"},
            {"role": "assistant", "content": "Paris"},
        ],
        "reference_answer": {"text": "Paris"},
    },
    "Hugging Face": {
        "prompt": "Capital of France?",
        "completion": "Paris",
        "reference_answer": {"text": "Paris"},
    },
    "verl": {
        "prompt": [
            {"role": "user", "content": "Capital of France?"},
            {"role": "assistant", "content": "Paris"},
        ],
        "response": "Paris",
        "extra_info": {"reference_answer": {"text": "Paris"}},
    },
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_reward_function_reads_every_documented_format(sample: dict[str, object]) -> None:
    asked = []

    def reward(prompt: str, answer: str, reference: str) -> float:
        asked.append(prompt)
        return float(answer == reference)

    (rewarded,) = handle_event(reward, [{"id": "7", **sample}])
    assert asked == ["Capital of France?"]
    assert rewarded == {
        "id": "7",
        "aggregate_reward_score": 1.0,
        "metrics_list": [{"name": "score", "value": 1.0, "type": "Reward"}],
    }


def test_a_reference_that_is_no_text_arrives_as_json() -> None:
    (rewarded,) = handle_event(
        lambda reference: len(json.loads(reference)),
        [{"id": 1, "messages": [], "reference_answer": {"compliant": "No", "why": "…"}}],
    )
    assert rewarded["aggregate_reward_score"] == 2.0


def raising(answer: str) -> float:
    raise KeyError(answer)


@pytest.mark.parametrize(
    "score",
    [raising, lambda: "good", lambda: None, lambda: float("nan"), lambda: {}, lambda: {"a": "b"}],
    ids=["raises", "text", "nothing", "nan", "empty", "text in a dict"],
)
def test_a_failing_scorer_is_a_failure_and_never_a_score(score) -> None:
    event = {"process_type": "postprocess", "data": {"inference_output": "4"}}
    answered = handle_event(score, event)
    rewarded = handle_event(score, [{"id": "1", "model_response": "4"}])
    assert answered["statusCode"] == rewarded["statusCode"] == 500
    assert "the scorer r" in answered["body"]
    assert "sample 1: the scorer r" in json.loads(rewarded["body"])


@pytest.mark.parametrize("event", [None, {}, "x", {"process_type": "postprocess"}, [1]])
def test_an_event_of_neither_contract_is_refused(event: object) -> None:
    with pytest.raises(NoScoreError, match="neither a list of samples"):
        handle_event(same, event)


def test_the_shipped_scorer_runs_in_its_sandbox() -> None:
    rows = [ROW, ROW | {"answer": "1,004 of them. Or 5."}, ROW | {"answer": ""}]
    assert list(score_rows(SHIPPED, rows)) == [
        {"right_number": 1.0, "one_sentence": 1.0},
        {"right_number": 0.0, "one_sentence": 0.0},
        {"right_number": 0.0, "one_sentence": 1.0},
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("x = 1", "defines no function score"),
        ("def score(text): return 1", "score takes text"),
        ("def score(:", "SyntaxError"),
        ("raise RuntimeError('no licence')", "no licence"),
        ("import os; os._exit(3)", "loading it ended the process: exit code 3"),
    ],
)
def test_a_scorer_that_cannot_be_loaded_says_why(scorer, body: str, said: str) -> None:
    with pytest.raises(ScorerError, match=r"mine\.py") as raised:
        list(score_rows(scorer(body), [ROW]))
    assert said in str(raised.value)


def test_loading_has_a_limit_of_its_own(scorer) -> None:
    """Seen on a busy machine: sympy took longer to load than a row may, and nothing was scored."""
    slow = scorer("import time\ntime.sleep(1)\ndef score(answer): return 1")
    assert list(score_rows(slow, [ROW], SandboxLimits(row_seconds=0.5))) == [{"score": 1.0}]
    with pytest.raises(ScorerError, match=r"loading it ended .*: it took more than 0\.5 s"):
        list(score_rows(slow, [ROW], SandboxLimits(load_seconds=0.5)))


CRASHING = """
import os
def score(answer):
    if answer == "die": os._exit(1)
    if answer == "raise": raise ValueError("bad answer")
    if answer == "text": return "great"
    print('{"metrics": {"score": 99}}')
    return len(answer)
"""


def test_a_row_that_kills_the_process_costs_only_itself(scorer) -> None:
    answers = ["a", "die", "ab", "raise", "text", "die", "abc"]
    results = list(score_rows(scorer(CRASHING), [ROW | {"answer": answer} for answer in answers]))
    scored = [result for result in results if not isinstance(result, Unscored)]
    reasons = [result.reason for result in results if isinstance(result, Unscored)]
    assert scored == [{"score": 1.0}, {"score": 2.0}, {"score": 3.0}]
    assert reasons[0] == reasons[3] == "the scorer's process ended: exit code 1"
    assert reasons[1] == "the scorer raised ValueError: bad answer"
    assert reasons[2].startswith("the scorer returned 'great'; score(...) takes")


def test_what_a_scorer_prints_is_held_nowhere(scorer) -> None:
    printing = "import sys\ndef score():\n    for out in (sys.stdout, sys.stderr):\n"
    printing += "        for _ in range(64): print('x' * 2**20, file=out, flush=True)\n    return 1"
    tracemalloc.start()
    assert list(score_rows(scorer(printing), [ROW])) == [{"score": 1.0}]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


WRITING = """
import os
def score(answer):
    os.write(3, answer.encode())
    return len(answer)
"""


def test_nothing_that_a_scorer_writes_is_taken_for_a_result(scorer) -> None:
    answers = ["a", "no end of line", '{"metrics": {"score": 99}}\n', "ab\n\n", ""]
    results = list(score_rows(scorer(WRITING), [ROW | {"answer": answer} for answer in answers]))
    assert results == [{"score": float(len(answer))} for answer in answers]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("while True: pass", "took more than 0.5 s"),
        ("pow(7, 10**12)", "took more than 0.5 s"),
        ("x = bytearray(3 * 1024**3)", "MemoryError"),
        ("import socket; socket.socket()", "may not use socket"),
        ("import os; os.system('true')", "may not use os.system"),
        ("import subprocess; subprocess.run(['true'])", "may not use subprocess"),
        ("import os; os.fork()", "may not use os.fork"),
        ("import ctypes; ctypes.CDLL(None)", "may not use ctypes.dlopen"),
        ("open('/etc/hostname').read()", "may not open /etc/hostname"),
        ("open('/tmp/nova-judge-was-here', 'w')", "may not open /tmp/nova-judge-was-here"),
        ("open(__file__, 'a')", "may not open"),
    ],
)
def test_what_the_sandbox_forbids(scorer, body: str, said: str) -> None:
    limits = SandboxLimits(row_seconds=0.5)
    (result,) = score_rows(scorer(f"def score():\n    {body}\n    return 1"), [ROW], limits)
    assert isinstance(result, Unscored)
    assert said in result.reason


def test_the_child_sees_no_environment_and_an_empty_folder(scorer, monkeypatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    path = scorer(
        "import os\ndef score():\n"
        "    return {'secrets': sum('AWS' in key for key in os.environ),"
        " 'files': len(os.listdir())}"
    )
    assert list(score_rows(path, [ROW])) == [{"secrets": 0.0, "files": 0.0}]


def test_one_process_a_row_when_rows_must_not_meet(scorer) -> None:
    path = scorer("seen = []\ndef score(answer):\n    seen.append(answer)\n    return len(seen)")
    alone = SandboxLimits(rows_per_process=1)
    assert list(score_rows(path, [ROW] * 3)) == [{"score": 1.0}, {"score": 2.0}, {"score": 3.0}]
    assert list(score_rows(path, [ROW] * 3, alone)) == [{"score": 1.0}] * 3


def test_loading_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NoScoreError, match=r"none\.py: there is no such file"):
        load_scorer(tmp_path / "none.py")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(NoScoreError, match=r"is not a Python file: its name ends in \.py"):
        load_scorer(tmp_path / "notes.txt")
