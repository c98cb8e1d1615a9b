import json
import re

import pytest
import ryaml
import urllib3
from botocore.stub import Stubber

from nova_judge.errors import LocalModeError
from nova_judge.records import Unscored, Verdict
from nova_judge.sources.completions import Completion
from nova_judge.verdict_labels import parse_verdict
from nova_judge_local.emulator_settings import JudgeCalls
from nova_judge_local.judges import chat_server, pair_judges
from nova_judge_local.judges.chat_server import ServerGoneError
from nova_judge_local.judges.knowledge import KnownRow
from nova_judge_local.judges.pair_judges import (
    NoOutputError,
    RecordedJudge,
    ReferenceJudge,
    Shown,
    judge_from,
    judge_prompt,
)
from tests.made.profiles import HAIKU


def _shown(first="Canberra", second="Sydney", reference="Canberra", order="forward", row="1"):
    return Shown("Capital of Australia?", first, second, order, KnownRow(row, reference))


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("Canberra.", "It is Sydney", Verdict.A),
        ("It is Sydney", "Canberra.", Verdict.B),
        ("the Canberra", "Canberra!", Verdict.TIE),
        ("Perth", "Sydney", Verdict.TIE),
    ],
)
@pytest.mark.parametrize("form", ["pairwise", "rubric"])
def test_the_reference_judge_prefers_the_answer_nearer_to_the_reference(
    first, second, verdict, form
):
    assert parse_verdict(ReferenceJudge().output(_shown(first, second), form)) == verdict


def test_its_rubric_has_weights_that_sum_to_one_and_scores_on_their_scales():
    written = ReferenceJudge().output(_shown("Canberra is it, I think so", "Canberra"), "rubric")

    criteria = ryaml.loads(written)["criteria"]

    assert sum(c["weight"] for c in criteria.values()) == pytest.approx(1)
    assert criteria["exactness"]["score_A"] is False
    assert criteria["exactness"]["score_B"] is True
    assert criteria["accuracy"]["score_B"] == 5
    assert criteria["conciseness"]["score_A"] == 3  # five words more than the reference
    scale = [c for c in criteria.values() if c["type"] == "scale"]
    assert all(1 <= c[key] <= 5 for c in scale for key in ("score_A", "score_B"))


@pytest.mark.parametrize("known", [None, KnownRow("1", None), KnownRow("1", "")])
def test_a_row_without_a_reference_costs_itself_and_says_what_to_do(known):
    shown = Shown("Capital of Australia?", "a", "b", "forward", known)
    with pytest.raises(NoOutputError, match=r"has no `reference`.*--judge"):
        ReferenceJudge().output(shown, "pairwise")


def _recorded(tmp_path, **line):
    file = tmp_path / "verdicts.jsonl"
    file.write_text(json.dumps({"id": 1, **line}), "utf-8")
    return RecordedJudge(file)


def test_a_recorded_text_that_says_the_recorded_verdict_is_replayed_untouched(tmp_path):
    text = "Both fine, I prefer the first: [[A>>B]]"
    judge = _recorded(tmp_path, forward="A>B", forward_output=text, backward="A=B")

    assert judge.output(_shown(), "pairwise") == text
    assert judge.output(_shown(order="backward"), "pairwise") == "[[A=B]]"


def test_a_recorded_text_that_says_something_else_reads_as_the_recorded_verdict(tmp_path):
    judge = _recorded(tmp_path, forward="A>B", forward_output="[[A>B]] or [[B>A]]", backward=None)

    assert parse_verdict(judge.output(_shown(), "pairwise")) == Verdict.A


def test_no_recorded_verdict_stays_without_one_whatever_the_text(tmp_path):
    judge = _recorded(tmp_path, forward=None, forward_output="[[A>B]]", backward=None)

    assert isinstance(parse_verdict(judge.output(_shown(), "pairwise")), Unscored)
    assert isinstance(parse_verdict(judge.output(_shown(order="backward"), "pairwise")), Unscored)


def test_a_row_without_a_recorded_verdict_is_refused(tmp_path):
    with pytest.raises(LocalModeError, match="no verdict is recorded for row 'other'"):
        _recorded(tmp_path).output(_shown(row="other"), "pairwise")


def test_a_real_judges_outputs_are_replayed_word_for_word():
    file = HAIKU / "judgments.jsonl"
    judge = RecordedJudge(file)
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    for line in lines:
        for order in ("forward", "backward"):
            shown = _shown(order=order, row=line["id"])
            assert judge.output(shown, "pairwise") == line[f"{order}_output"]


def test_responses_cannot_reach_into_the_prompts_other_places():
    shown = _shown("first {second} {prompt}", "THE SECOND")

    prompt = judge_prompt(shown, "pairwise")

    assert "first {second} {prompt}" in prompt
    assert prompt.count("THE SECOND") == 1
    assert prompt.count("Capital of Australia?") == 1


def test_the_rubric_prompt_asks_for_a_document_that_its_own_example_is():
    example = re.search(r"criteria:.*?preference: [^\n]*", judge_prompt(_shown(), "rubric"), re.S)

    assert set(ryaml.loads(example[0])) == {"criteria", "overall_justification", "preference"}


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("gpt", "names no judge: write reference, recorded:FILE"),
        ("recorded:", "names no judge"),
        ("recorded:/nowhere", "no such file"),
        ("openai:localhost:11434#m", "not the address of a server"),
        ("openai:http://localhost:11434/v1", "Name the judge's model"),
    ],
)
def test_a_spec_that_cannot_be_used_says_what_can(spec, says):
    with pytest.raises(LocalModeError, match=re.escape(says)):
        judge_from(spec)


def test_a_broken_line_of_recorded_verdicts_is_named(tmp_path):
    file = tmp_path / "verdicts.jsonl"
    file.write_text('{"id": 1}\n{"forward": "A>B"}\n', "utf-8")

    with pytest.raises(LocalModeError, match=r"verdicts\.jsonl, line 2"):
        judge_from(f"recorded:{file}")


def test_a_model_behind_a_server_is_asked_without_randomness(monkeypatch):
    asked = []

    def complete(server, model, messages, settings):
        asked.append((server.url, model, messages, settings))
        return Completion("I prefer [[B>A]]", "stop", 1, 1)

    monkeypatch.setattr(pair_judges, "complete", complete)
    monkeypatch.setenv("OPENAI_API_KEY", "sk")
    judge = judge_from("openai:http://localhost:11434/v1#llama")

    assert judge.output(_shown(), "pairwise") == "I prefer [[B>A]]"
    ((url, model, (message,), settings),) = asked
    assert (url, model, settings["temperature"]) == ("http://localhost:11434/v1", "llama", 0)
    assert message["content"] == judge_prompt(_shown(), "pairwise")


@pytest.mark.parametrize(
    ("done", "reason", "text"),
    [
        (
            Completion("[[A>B]] at first", "length", 1, 1),
            "cut off (finish_reason length)",
            "[[A>B]]",
        ),
        (Completion("", "content_filter", 1, 1), "withheld the output", ""),
        (Completion("", "stop", 1, 1, thought="[[A>B]]"), "a thought and no answer", "[[A>B]]"),
        (Completion("", "stop", 1, 1, refusal="No."), "the model refused: No.", ""),
        (Completion("", "tool_calls", 1, 1), "wrote nothing (finish_reason tool_calls)", ""),
    ],
)
def test_an_output_that_is_not_finished_is_no_output(monkeypatch, done, reason, text):
    monkeypatch.setattr(pair_judges, "complete", lambda *_: done)
    with pytest.raises(NoOutputError, match=re.escape(reason)) as raised:
        judge_from("openai:http://localhost:1/v1#m").output(_shown(), "pairwise")
    assert raised.value.text.startswith(text)


@pytest.mark.parametrize(
    ("kept", "says"),
    [("/kept", "what was judged is kept, and only the rest is asked"), (None, "command again.")],
)
def test_a_server_that_is_gone_stops_the_judging_with_what_to_do(monkeypatch, kept, says):
    def gone(*_: object) -> None:
        raise ServerGoneError("http://x/v1 cannot be reached: refused. Is the server up?")

    monkeypatch.setattr(pair_judges, "complete", gone)
    judge = judge_from("openai:http://x/v1#m", JudgeCalls(kept=kept))
    shown = Shown("q", "a", "b", "forward", None)
    with pytest.raises(LocalModeError, match="Is the server up") as caught:
        judge.output(shown, "pairwise")
    assert says in str(caught.value)


def test_the_most_tokens_and_seconds_are_the_users(monkeypatch):
    asked = []

    def complete(server, model, messages, settings):
        asked.append((server.timeout_s, settings["max_tokens"]))
        return Completion("[[A>B]]", "stop", 1, 1)

    monkeypatch.setattr(pair_judges, "complete", complete)
    calls = JudgeCalls(timeout_s=7, max_tokens=99)
    judge_from("openai:http://localhost:1/v1#m", calls).output(_shown(), "pairwise")
    assert asked == [(7, 99)]


def test_a_model_on_bedrock_is_asked_through_converse(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    judge = judge_from("bedrock:us.amazon.nova-pro-v1:0")
    message = {"role": "user", "content": [{"text": judge_prompt(_shown(), "rubric")}]}
    answer = {
        "output": {"message": {"role": "assistant", "content": [{"text": "[[A=B]]"}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
    expected = {
        "modelId": "us.amazon.nova-pro-v1:0",
        "messages": [message],
        "inferenceConfig": {"maxTokens": 4096, "temperature": 0},
    }

    with Stubber(judge._client) as stubber:
        stubber.add_response("converse", answer, expected)
        assert judge.output(_shown(), "rubric") == "[[A=B]]"
    assert judge.name == "bedrock (us.amazon.nova-pro-v1:0)"


def test_rows_of_one_id_get_their_recorded_verdicts_in_order(tmp_path):
    record = tmp_path / "r.jsonl"
    record.write_text(
        '{"id": "s", "forward": "A>B", "backward": "B>A"}\n'
        '{"id": "s", "forward": "B>A", "backward": "A>B"}\n'
    )
    judge = RecordedJudge(record)

    def said(place: int) -> str:
        known = KnownRow("s", None, place)
        return judge.output(Shown("p", "a", "b", "forward", known), "pairwise")

    assert [said(0), said(1), said(0)] == ["[[A>B]]", "[[B>A]]", "[[A>B]]"]
    with pytest.raises(LocalModeError, match=r"Id 's' stands more than once .* 2 times in the"):
        said(2)


def test_recorded_verdicts_may_be_a_json_array(tmp_path):
    file = tmp_path / "verdicts.json"
    file.write_text('[{"id": "r1", "forward": "A>B", "backward": "B>A"}]', "utf-8")
    assert judge_from(f"recorded:{file}").output(_shown(row="r1"), "pairwise").endswith("[[A>B]]")


def test_words_of_a_server_that_is_gone_or_refuses_end_with_what_to_do():
    refusal = urllib3.HTTPResponse(body=b"out of memory", status=418)
    server = chat_server.parse_chat_server("http://x/v1#m")
    with pytest.raises(chat_server.RefusedByServerError) as refused:
        chat_server._read(server, refusal)
    assert str(refused.value) == (
        "http://x/v1 answered 418: out of memory The server's own log says why."
    )
    cure = chat_server._connection_cure(ConnectionRefusedError())
    assert cure.endswith("Start it, or name another.")
