import json

import pytest

from nova_judge.sources.completions import Completion, NotACompletionError, read_completion


def answer(message, finish_reason="stop"):
    return json.dumps({"choices": [{"message": message, "finish_reason": finish_reason}]}).encode()


def events(*deltas, finish_reason="stop"):
    lines = [{"choices": [{"delta": delta}]} for delta in deltas]
    if finish_reason:
        lines.append({"choices": [{"delta": {}, "finish_reason": finish_reason}]})
    sent = [f"data: {json.dumps(line)}\r\n\r\n" for line in lines]
    return "".join([": a comment\r\n"[:0], *sent, "data: [DONE]\r\n"]).encode()


@pytest.mark.parametrize(
    ("data", "text", "failure"),
    [
        (answer({"content": "yes"}), "yes", None),
        (answer({"content": [{"type": "text", "text": "ye"}, {"text": "s"}]}), "yes", None),
        (
            answer(
                {"content": [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "yes"}]}
            ),
            "yes",
            None,
        ),
        (answer({"content": "yes"}, None), "yes", None),
        (
            answer({"content": "ye"}, "length"),
            "ye",
            "the output was cut off (finish_reason length)",
        ),
        (
            answer({"content": None, "reasoning_content": "hm"}),
            "",
            "the model wrote a thought and no answer",
        ),
        (
            answer({"content": "<think>hm</think>"}),
            "<think>hm</think>",
            "the model wrote a thought and no answer",
        ),
        (
            answer({"content": "ye"}, "MAX_TOKENS"),
            "ye",
            "the output was cut off (finish_reason MAX_TOKENS)",
        ),
        (
            answer({"content": "ye"}, "error"),
            "ye",
            "the output was not finished (finish_reason error)",
        ),
        (answer({"content": "yes"}, "eos_token"), "yes", None),
        (answer({"content": None}), "", "the model wrote nothing (finish_reason stop)"),
        (answer({"content": None, "refusal": "I will not."}), "", "the model refused: I will not."),
        (events({"content": "ye"}, {"content": "s"}), "yes", None),
        (
            events({"content": "ye"}, finish_reason=None),
            "ye",
            "the output was cut off (finish_reason length)",
        ),
    ],
)
def test_what_a_server_answers_is_text_and_whether_it_is_finished(data, text, failure):
    done = read_completion(data)
    assert (done.text, done.failure()) == (text, failure)


@pytest.mark.parametrize("data", [b"", b"<html>", b"{}", b'{"choices": []}', b"data: [DONE]"])
def test_what_is_no_completion_is_refused(data):
    with pytest.raises(NotACompletionError):
        read_completion(data)


def test_tokens_are_counted_where_the_server_says_so():
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    data = json.dumps({"choices": [{"message": {"content": "x"}}], "usage": usage}).encode()
    assert read_completion(data) == Completion("x", "stop", 3, 2)
