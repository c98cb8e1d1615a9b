"""Files as users of other tools have them: each is read, or refused with the line that reads it.

The shapes are written after the tools' documentation.
"""

import json
import re

import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import InputFileError
from nova_judge.inputs.columns import text_of

ASK = "What is the capital of France?"
A, B = "It may be Lyon.", "It is Paris, on the Seine."
TURN = {"role": "user", "content": ASK}


def said(text):
    return {"role": "assistant", "content": text}


LINES = {
    "our pairs": {"prompt": ASK, "response_A": A, "response_B": B},
    "our prompts": {"prompt": ASK, "reference": "Paris"},
    "MT-bench question": {
        "question_id": 81,
        "category": "writing",
        "turns": [ASK, "Rewrite it."],
    },
    "SQuAD row": {
        "id": "5",
        "title": "France",
        "context": "Paris is the capital.",
        "question": ASK,
        "answers": {"text": ["Paris"], "answer_start": [0]},
    },
    "chat messages": {"messages": [TURN]},
    "TRL conversational prompt": {"prompt": [TURN]},
    "HELM instance": {
        "id": "id1",
        "split": "test",
        "input": {"text": ASK},
        "references": [{"output": {"text": "Paris"}, "tags": ["correct"]}],
    },
    "Inspect sample": {"id": "1", "input": ASK, "target": "Paris"},
    "LangSmith dataset": {"inputs": {"question": ASK}, "outputs": {"answer": "Paris"}},
    "promptfoo test": {"vars": {"question": ASK}, "assert": [{"type": "equals", "value": "Paris"}]},
    "OpenAI evals": {"input": [TURN], "ideal": "Paris"},
}
PAIRS = {
    "AlpacaEval annotation": {"instruction": ASK, "output_1": A, "output_2": B},
    "lower case": {"prompt": ASK, "response_a": A, "response_b": B},
    "camel case": {"prompt": ASK, "responseA": A, "responseB": B},
    "stray blanks": {"prompt ": ASK, " response_A": A, "response_B ": B},
    "TRL preference": {"prompt": ASK, "chosen": A, "rejected": B},
    "TRL conversational preference": {
        "prompt": [TURN],
        "chosen": [said(A)],
        "rejected": [said(B)],
    },
    "UltraFeedback": {"prompt": ASK, "chosen": [TURN, said(A)], "rejected": [TURN, said(B)]},
    "Chatbot Arena": {
        "question_id": "a1",
        "model_a": "x",
        "model_b": "y",
        "winner": "model_b",
        "conversation_a": [TURN, said(A)],
        "conversation_b": [TURN, said(B)],
    },
    "answer1, answer2": {"question": ASK, "answer1": A, "answer2": B, "reference": "Paris"},
    "left and right": {"prompt": ASK, "left": A, "right": B},
    "base and tuned": {"prompt": ASK, "base": A, "tuned": B},
    "nested": {"input": ASK, "outputs": {"a": A, "b": B}},
    "models' names": {"prompt": ASK, "gpt-4o": A, "claude": B},
    "answers of named models": {"prompt": ASK, "gpt4_answer": A, "llama_answer": B},
    "old and new outputs": {"prompt": ASK, "old_output": A, "new_output": B},
    "list of responses": {"prompt": ASK, "responses": [A, B]},
    "completions by model": {
        "prompt": ASK,
        "completions": [{"model": "x", "response": A}, {"model": "y", "response": B}],
    },
    "outputs by model": {"prompt": ASK, "model_outputs": {"gpt": A, "claude": B}},
    "Vertex pairwise": {"prompt": ASK, "baseline_model_response": A, "response": B},
    "promptfoo table": {
        "vars": {"question": ASK},
        "outputs": [{"provider": "x", "text": A}, {"provider": "y", "text": B}],
    },
    "promptfoo CSV": {"question": ASK, "[gpt-4o] {{question}}": A, "[claude] {{question}}": B},
    "WebGPT": {"question": {"full_text": ASK}, "answer_0": A, "answer_1": B},
    "SHP": {"history": ASK, "human_ref_A": A, "human_ref_B": B},
    "full-width letters": {"prompt": ASK, "response_\uff21": A, "response_\uff22": B},
    "one of ours": {"prompt": ASK, "response_A": A, "tuned_answer": B},
    "completion_a": {"prompt": ASK, "completion_a": A, "completion_b": B},
    "LMArena 140k": {
        "model_a": "x",
        "model_b": "y",
        "full_conversation": [
            {
                "user": {"role": "user", "content": [{"type": "text", "text": ASK}]},
                "model_side_a": {"role": "assistant", "content": [{"type": "text", "text": A}]},
                "model_side_b": {"role": "assistant", "content": [{"type": "text", "text": B}]},
            }
        ],
    },
    "UltraFeedback with right answers": {
        "instruction": ASK,
        "completions": [{"model": "x", "response": A}, {"model": "y", "response": B}],
        "correct_answers": ["Paris"],
    },
    "OpenAI preference tuning": {
        "input": {"messages": [TURN]},
        "preferred_output": [said(A)],
        "non_preferred_output": [said(B)],
    },
    "one word a side": {"prompt": ASK, "text_a": "Lyon", "text_b": "Paris"},
    "one word a model": {"prompt": ASK, "gpt-4o": "Lyon", "claude-3": "Paris"},
    "abbreviated": {"prompt": ASK, "resp_a": "Lyon", "resp_b": "Paris"},
    "Spanish": {"prompt": ASK, "respuesta_1": "Lyon", "respuesta_2": "París"},
    "German": {"prompt": ASK, "Antwort alt": "Lyon", "Antwort neu": "Paris"},
    "Chinese": {"prompt": ASK, "模型A回答": "里昂", "模型B回答": "巴黎"},
}
SINGLE = {
    "AlpacaEval outputs": {"instruction": ASK, "output": A, "generator": "x", "dataset": "d"},
    "Alpaca": {"instruction": "Translate to French.", "input": "the town", "output": A},
    "MT-bench answer": {
        "question": ASK,
        "model_id": "x",
        "choices": [{"index": 0, "turns": [A]}],
    },
    "lm-eval sample": {
        "doc_id": 0,
        "doc": {"question": ASK},
        "target": "Paris",
        "resps": [[A]],
        "filtered_resps": [A],
    },
    "Inspect log sample": {"id": "1", "input": ASK, "target": "Paris", "output": {"completion": A}},
    "LangSmith run": {"inputs": {"question": ASK}, "outputs": {"output": A}},
    "model output": {"prompt": ASK, "model_output": A},
    "an output of any name": {"prompt": ASK, "llm_output": A},
    "French": {"prompt": ASK, "réponse": "Lyon"},
    "Japanese": {"prompt": ASK, "回答": "リヨン"},
    "MLflow": {"request": ASK, "response": A, "expected_response": "Paris"},
    "Langfuse": {
        "input": {"messages": [TURN]},
        "output": {"role": "assistant", "content": A},
        "expectedOutput": "Paris",
    },
    "Bedrock evaluation": {
        "inputRecord": {"prompt": ASK, "referenceResponse": "Paris"},
        "modelResponses": [{"response": A, "modelIdentifier": "amazon.nova-lite-v1:0"}],
    },
    "Bedrock batch": {
        "modelInput": {"messages": [{"role": "user", "content": [{"text": ASK}]}]},
        "modelOutput": {"output": {"message": {"content": [{"text": A}]}}},
    },
    "WildBench": {"chat_history": [ASK], "model_input": ASK, "output": [A], "generator": "x"},
}
DOCUMENTS = {
    "Inspect log": (
        {
            "version": 2,
            "status": "success",
            "samples": [{"id": "1", "input": ASK, "target": "Paris"}],
        },
        "samples",
    ),
    "HELM states": (
        {"adapter_spec": {}, "request_states": [{"instance": {"input": {"text": ASK}, "id": "1"}}]},
        "request_states",
    ),
    "promptfoo output": (
        {"evalId": "e", "results": {"version": 3, "results": [{"vars": {"question": ASK}}]}},
        "results.results",
    ),
    "Hub viewer": ({"features": [], "rows": [{"row_idx": 0, "row": {"question": ASK}}]}, "rows"),
}


def validate(path, *options):
    return CliRunner().invoke(app, ["validate", str(path), *options])


def written(tmp_path, row, name="rows.jsonl"):
    path = tmp_path / name
    lines = (json.dumps({**row, "n": n}) for n in range(3))
    texts = (line.replace(A, f"{A} {n}").replace(B, f"{B} {n}") for n, line in enumerate(lines))
    path.write_text("".join(f"{text}\n" for text in texts))
    return path


def suggestion(result) -> str:
    assert isinstance(result.exception, InputFileError), result.output
    (line,) = re.findall(r"Read it with --map ('[^']*'|\S+)", str(result.exception))
    return line.strip("'")


def printed(result) -> str:
    return " ".join(result.stdout.split())


@pytest.mark.parametrize("shape", LINES)
def test_questions_are_read_or_refused_with_the_map_that_reads_them(tmp_path, shape):
    path = written(tmp_path, LINES[shape])
    result = validate(path)
    if result.exit_code != 0:
        result = validate(path, "--map", suggestion(result))
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    assert "3 usable rows" in printed(result)


@pytest.mark.parametrize("shape", PAIRS)
def test_pairs_are_refused_with_the_map_that_reads_them_as_pairs(tmp_path, shape):
    path = written(tmp_path, PAIRS[shape])
    first = validate(path)
    assert "will answer" not in printed(first)
    result = validate(path, "--map", suggestion(first))
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    assert "3 usable rows (ready pairs)" in printed(result)


@pytest.mark.parametrize("shape", SINGLE)
def test_answers_of_one_model_are_refused_with_the_join_that_reads_two(tmp_path, shape):
    path = written(tmp_path, SINGLE[shape])
    other = written(tmp_path, SINGLE[shape], "other.jsonl")
    refused = validate(path)
    assert isinstance(refused.exception, InputFileError), refused.output
    (line,) = re.findall(r"--join OTHER --map ('[^']*'|\S+)", str(refused.exception))
    result = validate(path, "--join", str(other), "--map", line.strip("'"))
    assert result.exit_code == 0, f"{result.output} {result.exception}"
    assert "3 usable rows (ready pairs)" in printed(result)
    assert "3 rows matched, 0 have no row there" in " ".join(result.stderr.split())


def test_no_speaker_and_no_question_is_proposed_as_an_answer(tmp_path):
    """Seen: Nova's own DPO files were to be read with `response_A=messages.0.role`."""
    candidates = [{"content": [{"text": text}], "preferenceLabel": "x"} for text in (A, B)]
    turns = [{"role": "user", "content": [{"text": ASK}]}]
    rows = {"messages": [*turns, {"role": "assistant", "candidates": candidates}]}
    assert suggestion(validate(written(tmp_path, rows))) == "prompt=messages.0.content.0.text"
    posts = {"info": {"post": ASK}, "summaries": [{"text": A}, {"text": B}]}
    refused = str(validate(written(tmp_path, posts, "posts.jsonl")).exception)
    assert "Its columns are `info.post`, `summaries.0.text`: say which is which" in refused


PARTS = {
    "Anthropic": ([{"type": "text", "text": A}], None),
    "Bedrock": ([{"text": "It may "}, {"text": "be Lyon."}], None),
    "Gemini": (
        {"candidates": [{"content": {"parts": [{"text": A}]}}]},
        "an object; --map response_A=response_A.candidates.0.content.parts.0.text",
    ),
    "thought and answer": (
        [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": A}],
        "a list without texts, where one text is read: --map response_A=response_A.1.text",
    ),
    "a call of a tool": ([{"type": "tool_use", "id": "1", "name": "f"}], "a list without texts"),
}


@pytest.mark.parametrize("parts", PARTS)
def test_answers_as_apis_give_them_are_read_or_refused_with_the_path_to_their_text(parts):
    value, reason = PARTS[parts]
    read = text_of(value, "response_A")
    assert read == A if reason is None else reason in read.reason, read


def test_an_answer_may_be_the_right_one(tmp_path):
    path = tmp_path / "known.csv"
    path.write_text("question,answer\n1 + 1?,2\n1 + 2?,3\n", "utf-8")
    refused = str(validate(path).exception)
    assert "where `answer` holds the right answers, with --map prompt=question,refer" in refused
    result = validate(path, "--map", "prompt=question,reference=answer")
    assert "`reference` is read on 2 rows" in printed(result)


@pytest.mark.parametrize("shape", DOCUMENTS)
def test_documents_are_refused_with_the_path_to_their_rows(tmp_path, shape):
    document, at = DOCUMENTS[shape]
    path = tmp_path / "log.json"
    path.write_text(json.dumps(document, indent=1))
    refused = validate(path)
    assert f"--map rows={at}" in str(refused.exception)
    result = validate(path, "--map", f"rows={at}")
    if result.exit_code != 0:
        result = validate(path, "--map", f"rows={at},{suggestion(result)}")
    assert "1 usable row" in printed(result)
