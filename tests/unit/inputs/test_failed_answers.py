"""The trace of a failed generation is told from an answer that speaks of errors."""

import pytest

from nova_judge.inputs.failed_answers import ERROR, ERROR_OBJECT, NOTHING, failure_of


@pytest.mark.parametrize(
    "text",
    [
        "[Qwen2.5 generation failed: timed out]",
        "[ERROR] generation failed",
        "[Generation failed: timeout]",
        "[No response]",
        "[No response received from the model]",
        "[No output: timeout]",
        "[Blocked by content filters]",
        "{'error': 'Rate limit reached'}",
        "#NAME?",
        "[ERROR: 503 from the endpoint]",
        "$ERROR$",
        "ThrottlingException: Too many requests, please wait before trying again.",
        "botocore.errorfactory.ModelErrorException: Received server error (500)",
        "ServiceUnavailableException",
        'botocore.exceptions.ReadTimeoutError: Read timeout on endpoint URL: "https://x"',
        "An error occurred (ThrottlingException) when calling the InvokeModel operation: Slow down",
        "Error: 429 Too Many Requests",
        "Error code: 500 - internal",
        "Traceback (most recent call last):\n  File x\nKeyError: 1",
        "Failed to generate a response: connection reset",
        "Request failed with status code 429",
        "HTTP 503 Service Unavailable",
        "HTTP/1.1 502 Bad Gateway: upstream",
        "HTTP 500.",
        "openai.APITimeoutError: Request timed out.",
        "litellm.RateLimitError: RateLimitError: slow down",
        "<html><head><title>502 Bad Gateway</title></head></html>",
    ],
)
def test_an_error_is_not_an_answer(text):
    assert failure_of(text) == ERROR


@pytest.mark.parametrize(
    "text",
    [
        "TypeError: unsupported operand",  # what does this program print?
        "The server answers with ThrottlingException: retry later.",
        "ThrottlingException means that too many requests arrived.",
        "[ERROR] is the tag of a log line of the level error.\nIt is followed by the message.",
        "[1] The request failed because the form was incomplete.",
        "Error handling in Go is explicit.",
        "An error occurred in the experiment, so the figure was withdrawn.",
        '{"error": null, "answer": "Paris"}',
        '{"error": 0.05, "value": 3}',
        '{"detail": "The house was built in 1900."}',
        "HTTP 404 is the status of a page that is not there.\nIt is permanent.",
        "HTTP 404 means that the page is not there.",
        "HTTP 503 Service Unavailable is sent by a server that is overloaded.",
        "[No answer is right, because the premise is wrong.] See above.",
        "[No answer is right, because the premise is wrong.]",
        "[Filtered water]",
        "[blocked, pending, done]",
        "{'error': 'x', 'value': 3}",
        "<s>struck</s>",
        "null",
        "None",
    ],
)
def test_an_answer_about_errors_is_an_answer(text):
    assert failure_of(text) is None


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"message": "overloaded"}}',
        '{"message": "Rate exceeded", "code": 429}',
        '{"detail": "Not Found"}',
        '{"errorCode": 500}',
        '{"errorMessage": "Task timed out after 900.00 seconds", "errorType": "Sandbox.Timedout"}',
    ],
)
def test_an_error_object_is_not_an_answer(text):
    assert failure_of(text) == ERROR_OBJECT


@pytest.mark.parametrize("text", ["<|im_end|>", " </s>\n", "<|eot_id|><eos>"])
def test_signs_of_the_end_alone_are_no_answer(text):
    assert failure_of(text) == NOTHING
    assert failure_of(text, texts=False) == NOTHING
