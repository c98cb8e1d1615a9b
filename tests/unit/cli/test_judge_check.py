"""`judge-check` against a server on loopback, and its figures by definition."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from typer.testing import CliRunner

from nova_judge.cli.judge_check import SHIPPED
from nova_judge.cli.main import app
from nova_judge.partitions import VARIABLES
from tests.made.serving import serving

ANSWER = r"<answer_{}>\n(.*?)\n</answer_{}>"


def judged(prompt: str) -> str:
    """The longer answer is better; of two of one length the first."""
    found = [re.search(ANSWER.format(s, s), prompt, re.DOTALL) for s in "AB"]
    if None in found:
        return '{"reasons": "", "verdict": "A=B"}'
    first, second = (len(one[1]) for one in found if one)
    return json.dumps({"reasons": "", "verdict": "A>B" if first >= second else "B>A"})


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict]]]:
    asked: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append(request)
            known = request["model"] == "long"
            text = judged(request["messages"][-1]["content"])
            reply = {
                "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10},
            }
            content = json.dumps(reply if known else {"error": "no such model"}).encode()
            self.send_response(200 if known else 404)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as running:
        yield f"http://127.0.0.1:{running.server_port}/v1", asked


def labelled(tmp_path):
    rows = [
        {
            "id": str(n),
            "prompt": f"q{n}",
            "response_A": "# aa" if n % 2 else "a",
            "response_B": "bb",
            # the longer answer is right on the even rows of the first 30, and on all others
            "label": "B>A" if n % 2 == 0 or n < 30 else "A>B",
        }
        for n in range(40)
    ]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return file


def check(tmp_path, *options: str):
    page = tmp_path / "page.html"
    always = ["--kept", str(tmp_path / "kept"), "--out", str(page)]
    return CliRunner().invoke(app, ["judge-check", *options, *always]), page


def test_the_figures_of_a_judge_that_prefers_length_and_the_first_position(tmp_path, server):
    url, asked = server
    options = ("--judge", f"openai:{url}#long", "--labels", str(labelled(tmp_path)), "--json")
    ran, page = check(tmp_path, *options)
    assert ran.exit_code == 0, ran.output
    (found,) = json.loads(ran.stdout)
    assert (found["rows"], found["judged"]) == (40, 40)
    assert found["agreement"]["summed"] == 25 / 40
    assert (found["length"]["more"], found["length"]["less"]) == (15, 0)
    assert (found["structure"]["more"], found["structure"]["less"]) == (15, 0)
    assert found["first_position"] == 0.5
    assert found["same_again"]["estimate"] == 1.0
    assert (found["padded"]["a"], found["padded"]["b"]) == (0, 30)
    # one answer shown twice: the first is named in both orders, which contradict each other
    assert (found["same_answer"]["named"], found["same_answer"]["flips"]) == (0.0, 1.0)
    assert (found["input_tokens"], found["output_tokens"], found["usd"]) == (200, 20, None)
    assert "How far these judges can be trusted" in page.read_text("utf-8")
    calls = len(asked)
    again, _ = check(tmp_path, *options)
    assert json.loads(again.stdout) == [found]
    assert len(asked) == calls + 1  # the first request alone


def test_the_table_tells_two_prompts_of_one_model_apart(tmp_path, server):
    url, _ = server
    recipes = {"pairwise": "", "mine": "  prompt: mine.txt\n"}
    (tmp_path / "mine.txt").write_text("{{ question }} {{ first }} {{ second }}", "utf-8")
    judges: list[str] = []
    for name, words in recipes.items():
        recipe = tmp_path / f"{name}.yaml"
        model = f"judge:\n  model: {{openai: {url}#long}}\n"
        recipe.write_text(f"name: {name}\nkind: model_judge\n{model}{words}", "utf-8")
        judges += ["--judge", str(recipe)]
    ran, _ = check(tmp_path, *judges, "--labels", str(labelled(tmp_path)), "--rows", "4")
    (prompts,) = (line for line in ran.stdout.splitlines() if line.startswith("│ prompt "))
    assert re.findall(r"([\w.]+) \([0-9a-f]{12}\)", prompts) == ["pairwise", "mine.txt"]


def test_without_credentials_a_judge_on_bedrock_is_one_sentence(tmp_path, monkeypatch):
    for name in (*VARIABLES, "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    judge = ("--judge", "bedrock:us.amazon.nova-pro-v1:0", "--rows", "5")
    without_region, _ = check(tmp_path, *judge)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    without_credentials, _ = check(tmp_path, *judge)
    assert "no region is set: set AWS_REGION" in str(without_region.exception)
    assert "no credentials that work" in str(without_credentials.exception)


def test_what_is_wrong_with_a_judge_is_said_at_once(tmp_path, server):
    url, asked = server
    ran, page = check(tmp_path, "--judge", f"openai:{url}#other")
    assert ran.exit_code != 0
    assert "other cannot be asked: 404" in str(ran.exception)
    assert "Does the address end in /v1" in str(ran.exception)
    assert (len(asked), page.exists()) == (1, False)


def test_a_prompt_that_is_not_there_is_named_where_it_was_typed(tmp_path, server):
    judge = f"openai:{server[0]}#tiny"
    ran, _ = check(tmp_path, "--judge", judge, "--prompt", "strict.md")
    assert f"--judge {judge} --prompt strict.md: judge.prompt: 'strict.md' is neither" in str(
        ran.exception
    )


@pytest.mark.parametrize(
    ("judge", "says"),
    [
        ("reference", "names no judge; write openai:URL#MODEL, bedrock:MODEL_ID"),
        ("openai:localhost", "the address of a server's API and the name of its model"),
    ],
)
def test_a_judge_that_names_no_model_is_refused(tmp_path, judge, says):
    ran, _ = check(tmp_path, "--judge", judge)
    assert says in str(ran.exception)


def test_the_key_of_a_recipes_judge_comes_from_a_variable_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("OWN_API_KEY", raising=False)
    file = tmp_path / "own.yaml"
    model = "{openai: https://models.example.com/v1#m, secret: own}"
    file.write_text(f"name: own\nkind: model_judge\njudge:\n  model: {model}\n", "utf-8")
    ran, _ = check(tmp_path, "--judge", str(file))
    assert "judge.model.secret is own: set OWN_API_KEY" in str(ran.exception)
    monkeypatch.setenv("OWN_API_KEY", "sk")
    ran, _ = check(tmp_path, "--judge", str(file))
    assert "set OWN_BASE_URL to its address if it is" in str(ran.exception)


def test_a_file_without_labels_is_refused(tmp_path):
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"prompt": "q", "response_A": "a", "response_B": "b"}\n', "utf-8")
    ran, _ = check(tmp_path, "--judge", "openai:http://127.0.0.1:9/v1#m", "--labels", str(file))
    assert "0 of 1 line holds a pair with a `label`" in str(ran.exception)


def test_the_pairs_that_ship_are_a_hundred_of_four_kinds_with_both_labels():
    rows = [json.loads(line) for line in SHIPPED.read_text("utf-8").splitlines()]
    kinds = Counter(row["category"] for row in rows)
    assert kinds == {"knowledge": 25, "reasoning": 25, "math": 25, "coding": 25}
    assert Counter(row["label"] for row in rows) == {"A>B": 50, "B>A": 50}
    assert len({row["id"] for row in rows}) == 100


def recorded(tmp_path, lines: list[dict]) -> str:
    file = tmp_path / "verdicts.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return f"recorded:{file}"


def test_recorded_verdicts_are_measured_and_nothing_is_asked(tmp_path):
    lines = [
        {"id": str(n), "forward": "A>B", "backward": "B>A" if n < 10 else "A>B"} for n in range(39)
    ]
    judge = recorded(tmp_path, [*lines, {"id": "39", "forward": None, "backward": None}])
    ran, page = check(tmp_path, "--judge", judge, "--labels", str(labelled(tmp_path)), "--json")
    assert ran.exit_code == 0, ran.output
    (found,) = json.loads(ran.stdout)
    assert (found["name"], found["prompt"]) == ("recorded (verdicts.jsonl)", "recorded")
    assert (found["rows"], found["judged"]) == (40, 39)
    # both orders name A on 10 rows, whose label is B; the others name the answer shown first
    assert (found["flips"], found["agreement"]["summed"]) == (29 / 40, 0.0)
    assert (found["same_again"], found["same_answer"], found["usd"]) == (None, None, None)
    assert page.exists()
    shown, _ = check(tmp_path, "--judge", judge, "--labels", str(labelled(tmp_path)))
    assert "not counted" in shown.stdout


def test_a_row_without_a_recorded_verdict_is_named(tmp_path):
    judge = recorded(tmp_path, [{"id": "0", "forward": "A>B", "backward": "B>A"}])
    ran, _ = check(tmp_path, "--judge", judge, "--labels", str(labelled(tmp_path)))
    assert "no verdict is recorded for row '1'" in str(ran.exception)


def test_a_judge_on_an_endpoint_of_a_run_is_checked_by_a_run(tmp_path):
    recipe = tmp_path / "own.yaml"
    model = "{endpoint: qwen2.5-7b-instruct}"
    recipe.write_text(f"kind: model_judge\njudge:\n  model: {model}\n", "utf-8")
    ran, _ = check(tmp_path, "--judge", str(recipe), "--labels", str(labelled(tmp_path)))
    assert "only while a run of a stage asks it: submit a file with labels" in str(ran.exception)


def test_a_judge_on_bedrock_is_asked_through_converse(tmp_path, monkeypatch):
    asked: list[tuple[str, dict]] = []

    class Bedrock(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked.append((self.path, request))
            text = judged(request["messages"][-1]["content"][0]["text"])
            reply = {
                "output": {"message": {"role": "assistant", "content": [{"text": text}]}},
                "stopReason": "end_turn",
                "usage": {"inputTokens": 1000, "outputTokens": 100, "totalTokens": 1100},
                "metrics": {"latencyMs": 1},
            }
            content = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    judge = "bedrock:us.anthropic.claude-sonnet-4-6"
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)) as running:
        for name, value in {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"http://127.0.0.1:{running.server_port}",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }.items():
            monkeypatch.setenv(name, value)
        ran, _ = check(tmp_path, "--judge", judge, "--labels", str(labelled(tmp_path)), "--json")
    assert ran.exit_code == 0, ran.output
    (found,) = json.loads(ran.stdout)
    assert (found["judged"], found["agreement"]["summed"]) == (40, 25 / 40)
    # 2,000 + 200 tokens a pair at $3.30 and $16.50 per million
    assert found["usd"] == pytest.approx(1000 * (2000 * 3.3 + 200 * 16.5) / 1e6)
    assert {path for path, _ in asked} == {"/model/us.anthropic.claude-sonnet-4-6/converse"}
    first, second = asked[0][1], asked[1][1]
    assert first["inferenceConfig"]["maxTokens"] == 1024
    assert "outputConfig" in second or "outputConfig" in first
