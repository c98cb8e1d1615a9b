"""Every line of an input file is a row, rejected with a reason, or blank; nothing stops a file."""

import itertools
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_judge.inputs import dataset
from nova_judge.inputs.columns import MISSING, RowColumns
from nova_judge.inputs.dataset import Shard, cut, parse_line, shard_lines
from nova_judge.inputs.reading import FIELDS, FROM_FILE, GENERATED, AnswerSources, Reading
from nova_judge.inputs.row_fields import columns_of
from nova_judge.json_lines import Fault, Line
from nova_judge.pairs.judged_evidence import cluster_of
from nova_judge.recipe.column_map import ColumnMap
from nova_judge.records import FailedRow, Failure, InputRow, Rejected, Verdict

BOM = b"\xef\xbb\xbf"
PAIR = {"prompt": "Which planet?", "response_A": "Mars", "response_B": "Venus"}
A_GENERATED = AnswerSources("generated", "file")


def whole(content: bytes) -> Shard:
    return Shard(0, 0, len(content))


def lines_of(content: bytes, **limits) -> list[Line]:
    return list(shard_lines([content], whole(content), **limits))


def parsed(content: bytes, sources=FROM_FILE):
    return parse_line(Line(7, content), sources)


def pair(**changes) -> bytes:
    return json.dumps({**PAIR, **changes}).encode()


# --- cutting -----------------------------------------------------------------------------------

LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\n\n"])
TEXTS = st.binary(max_size=12) | st.sampled_from([b"", b"\r", b" ", b'{"prompt": "x"}', BOM])


@st.composite
def files(draw) -> bytes:
    parts = draw(st.lists(st.tuples(TEXTS, LINE_ENDS), max_size=12))
    return b"".join(itertools.chain(*parts)) + draw(TEXTS)


def naive(content: bytes) -> list[bytes]:
    """The lines by the plain definition: split at line feeds, a last empty piece is no line."""
    pieces = content.split(b"\n")
    if not pieces[-1]:
        pieces.pop()
    return [piece.removeprefix(BOM).removesuffix(b"\r") for piece in pieces]


def chunked(content: bytes, start: int, sizes: list[int]):
    """The file's bytes from an offset on, in chunks of changing sizes."""
    lengths = itertools.cycle(sizes)
    while start < len(content):
        length = next(lengths)
        yield content[start : start + length]
        start += length


@given(files(), st.integers(1, 30), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_shards_hold_every_line_once_and_number_them_as_the_file_does(content, shard_bytes, sizes):
    found = []
    for shard in cut(len(content), shard_bytes):
        own = list(shard_lines(chunked(content, max(shard.start - 1, 0), sizes), shard))
        assert [line.number for line in own] == list(range(1, len(own) + 1))
        found += [line.content for line in own]
    assert found == naive(content)


@given(files(), st.integers(1, 8))
def test_a_line_over_the_cap_keeps_its_number_and_loses_its_content(content, cap):
    found = lines_of(content, max_bytes=cap)
    assert [line.number for line in found] == list(range(1, len(naive(content)) + 1))
    for raw, line in zip(content.split(b"\n"), found, strict=False):
        assert (line.content is None) == (len(raw) > cap)


def test_a_line_of_20_mb_between_good_ones_takes_little_memory():
    def chunks():
        yield b'{"prompt": "first"}\n'
        yield from (b"x" * 65_536 for _ in range(320))
        yield b'\n{"prompt": "last"}\n'

    tracemalloc.start()
    found = list(shard_lines(chunks(), Shard(0, 0, 1 << 40)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert [line.content is None for line in found] == [False, True, False]
    assert peak < 4 << 20


def test_a_shard_takes_no_more_chunks_than_it_needs():
    taken = []

    def chunks():
        for number in range(100):
            taken.append(number)
            yield b"123456789\n"

    assert len(list(shard_lines(chunks(), Shard(0, 0, 25)))) == 3
    assert len(taken) == 3


@pytest.mark.parametrize(("shard", "chunks"), [(Shard(0, 0, 30), 4), (Shard(1, 30, 60), 4)])
def test_of_a_line_without_end_no_more_is_read_than_tells_that_it_is_too_long(shard, chunks):
    taken = []

    def endless():
        while True:
            taken.append(1)
            assert len(taken) < 100
            yield b"x" * 10

    found = list(shard_lines(endless(), shard, max_bytes=15))
    assert found == ([Line(1, None)] if shard.start == 0 else [])
    assert len(taken) <= chunks


def test_a_shard_inside_one_long_line_owns_nothing():
    content = b"x" * 100 + b"\nnext"
    assert list(shard_lines([content[39:]], Shard(1, 40, 60))) == []


def test_the_mark_of_utf_8_before_each_file_that_was_joined_is_no_content():
    joined = BOM + b"one\n" + BOM + b"two\n" + BOM + b"\n"
    assert [line.content for line in lines_of(joined)] == [b"one", b"two", b""]


# --- parsing -----------------------------------------------------------------------------------


def test_a_row_keeps_all_that_stands_in_its_line():
    row = parsed(pair(reference="Mars", id=12, category="space", label="B>A", other=[1, 2]))
    assert row == InputRow(
        line=7,
        id="12",
        prompt="Which planet?",
        response_A="Mars",
        response_B="Venus",
        reference="Mars",
        category="space",
        label=Verdict.B,
    )


@pytest.mark.parametrize(
    ("label", "verdict"),
    [
        ("A>B", Verdict.A),
        ("A", Verdict.A),
        ("B>A", Verdict.B),
        ("B", Verdict.B),
        ("A=B", Verdict.TIE),
        ("tie", Verdict.TIE),
        (None, None),
    ],
)
def test_labels(label, verdict):
    assert parsed(pair(label=label)).label is verdict


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"response_B": 4}, {"response_B": "4"}),
        ({"reference": 3.1}, {"reference": "3.1"}),
        ({"reference": ["Ann"]}, {"reference": "Ann"}),
        ({"reference": ["Ann", "Ann B."]}, {"reference": None, "lost": ("reference",)}),
        ({"id": 1.0}, {"id": "1"}),
        ({"id": 1.5}, {"id": "1.5"}),
        ({"id": True}, {"id": "", "lost": ("id",)}),
        ({"label": "unsure"}, {"label": None, "lost": ("label",)}),
        ({"label": 1}, {"label": None, "lost": ("label",)}),
        ({"label": ""}, {"label": None, "lost": ()}),
        ({"label": "tie (bothbad)"}, {"label": Verdict.BOTH_BAD}),
        ({"label": "[[A>>B]]"}, {"label": Verdict.A}),
        ({"label": "model_b"}, {"label": Verdict.B}),
        ({"category": {"a": 1}}, {"category": None, "lost": ("category",)}),
        ({"system": "Be brief.", "context": "In 1907."}, {"shown": "Be brief.\n\nIn 1907.\n\nQ"}),
        ({"context": "In 1907."}, {"question": "In 1907.\n\nQ", "system": None}),
        ({"context": ["In 1907.", "By him."]}, {"context": "In 1907.\n\nBy him.", "lost": ()}),
        ({"context": ["In 1907.", None, "By him."]}, {"context": "In 1907.\n\nBy him."}),
        ({"context": [], "system": []}, {"context": None, "system": None, "lost": ()}),
        ({"context": {}, "system": {}}, {"context": None, "system": None, "lost": ()}),
        ({"other": float("nan")}, {"prompt": "Q"}),
    ],
)
def test_an_optional_field_is_read_or_costs_itself_and_not_the_row(changes, expected):
    row = parsed(pair(prompt="Q", **changes))
    assert {name: getattr(row, name) for name in expected} == expected


@pytest.mark.parametrize("field", ["system", "context"])
@pytest.mark.parametrize("value", [{"text": "In 1907."}, [1, {"a": 2}], True])
def test_a_row_whose_question_is_not_whole_is_set_aside(field, value):
    """Otherwise another question would be asked and judged, without a word in the report."""
    found = parsed(pair(prompt="Q", **{field: value}))
    assert isinstance(found, Rejected)
    assert found.field == field


def test_numbers_are_read_as_the_file_writes_them():
    assert parsed(pair()[:-1] + b', "reference": 3.10}').reference == "3.10"


@pytest.mark.parametrize(
    ("prompt", "question", "system"),
    [
        ([{"role": "user", "content": "Hi"}], "Hi", None),
        (
            [{"role": "system", "content": "S"}, {"role": "user", "content": "Hi"}],
            "Hi",
            "S",
        ),
        ([{"from": "human", "value": "Hi"}], "Hi", None),
        ([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "Hi", None),
    ],
)
def test_a_conversation_of_one_question_is_a_prompt(prompt, question, system):
    row = parsed(pair(prompt=prompt, response_A=[{"role": "assistant", "content": "Mars"}]))
    assert (row.question, row.system, row.response_A) == (question, system, "Mars")


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (
            [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Ho"},
                {"role": "user", "content": "And?"},
            ],
            "field `prompt`: a conversation of several turns (user, assistant, user)",
        ),
        (
            [{"role": "user", "content": [{"type": "image", "url": "x"}]}],
            "field `prompt`: a turn holds more than text",
        ),
    ],
)
def test_other_conversations_are_refused_with_the_turns_they_have(prompt, reason):
    assert parsed(pair(prompt=prompt)).reason.startswith(reason)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "the answer is empty"),
        (" \t", "the answer is empty"),
        ("\u200b\ufeff", "the answer holds no visible character"),
        ("<think>Hm", "the answer is a thought only"),
        ("[Qwen2.5 generation failed: timed out]", "the answer is an error message"),
    ],
)
def test_the_trace_of_a_failed_generation_is_no_answer(answer, reason):
    failed = parsed(pair(id="q1", category="space", response_A=answer))
    assert failed == FailedRow(7, "q1", (Failure("A", reason, 0, answer),), "space")


def test_the_rule_for_failed_generations_can_be_switched_off_but_for_empty_answers():
    reading = Reading(failures=False)
    thought, empty = pair(response_A="<think>Hm"), pair(response_A="\u200b")
    assert isinstance(parse_line(Line(1, thought), FROM_FILE, reading), InputRow)
    assert isinstance(parse_line(Line(1, empty), FROM_FILE, reading), FailedRow)


def test_the_source_stands_in_for_the_category():
    assert parsed(pair(source="mmlu")).category == "mmlu"
    assert parsed(pair(source="mmlu", category="math")).category == "math"


@pytest.mark.parametrize("blank", [b"", b"   ", b"\t", b"\r"])
def test_a_blank_line_is_no_row_and_no_fault(blank):
    assert parsed(blank) is None


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("content", "reason", "field"),
    [
        (b"hello", "not JSON", None),
        (b'{"prompt": "x"', "not JSON", None),
        (b'{"prompt": "x"} {"prompt": "y"}', "not JSON", None),
        (b'{"prompt": "\\ud800"}', "not JSON", None),
        (b'{"prompt": "x", "n": ' + DEEP + b"}", "not JSON", None),
        (b'{"prompt": "\\u0041", "n": ' + DEEP + b"}", "not JSON", None),
        (b"[]", "not a JSON object: expected `object`, got `array`", None),
        (b"null", "not a JSON object: expected `object`, got `null`", None),
        (b'"text"', "not a JSON object: expected `object`, got `str`", None),
        (b'{"prompt": "caf\xe9"}', "not UTF-8: byte 16 of the line", None),
        (BOM + b'{"prompt": "x"}', "not JSON", None),
        (b"{}", "field `prompt` is missing", "prompt"),
        (b'{"prompt": " \\n"}', "field `prompt` is empty", "prompt"),
        (b'{"prompt": null}', "field `prompt` is missing", "prompt"),
        (b'{"prompt": true}', "field `prompt`: a text is expected, found true", "prompt"),
        (b'{"prompt": ["x", "y"]}', "field `prompt`: a list of 2, where one text is", "prompt"),
        (
            b'{"prompt": {"text": "x"}}',
            "field `prompt`: an object; --map prompt=prompt.text (in a recipe: map: "
            "{prompt: prompt.text}) reads it",
            "prompt",
        ),
        (b'{"prompt": "x", "response_A": "y"}', "field `response_B` is missing", "response_B"),
        (pair(response_B=None), "field `response_B` is missing", "response_B"),
    ],
)
def test_a_broken_line_says_what_is_wrong_with_which_field(content, reason, field):
    found = parsed(content)
    assert isinstance(found, Rejected)
    assert found.reason.startswith(reason)
    assert (found.line, found.field) == (7, field)


def test_a_line_over_the_cap_is_rejected_with_the_cap():
    assert parse_line(Line(3, None), FROM_FILE) == Rejected(
        3, "the line is longer than 1,048,576 bytes"
    )


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b'{"prompt": "x", "prompt": "y"}', "prompt"),
        (b'{"prompt": "x", "pr\\u006fmpt": "x"}', "prompt"),
        (b'{"prompt": "x", "\\u0070rompt": "y", "deep": {"a": 1}}', "prompt"),
        (pair()[:-1] + b', "response\\u005fA": "Pluto"}', "response_A"),
        (pair(id=1)[:-1] + b', "id": 1}', "id"),
    ],
)
def test_a_key_that_stands_twice_is_refused_however_it_is_spelled(content, key):
    found = parsed(content, GENERATED if b"response_A" not in content else FROM_FILE)
    assert found == Rejected(7, f"key `{key}` appears more than once", key)


@pytest.mark.parametrize("column", ["größe", "質問", "question/de", 'a "b"', "a\\b", "a\tb"])
@pytest.mark.parametrize("escaped", [True, False])
def test_a_named_column_that_stands_twice_is_refused_however_it_is_spelled(column, escaped):
    """JSON may write each of these names with a backslash, and some it must."""
    key = json.dumps(column, ensure_ascii=escaped)
    key = key.replace("/", "\\/") if escaped else key
    content = f'{{{key}: "x", {key}: "y"}}'.encode()
    names = ColumnMap(prompt=column)
    assert columns_of(content, names) == Fault(f"key `{column}` appears more than once", column)
    assert isinstance(columns_of(f'{{{key}: "x", "n": {key}}}'.encode(), names), RowColumns)


@pytest.mark.parametrize(
    ("columns", "content", "found"),
    [
        (ColumnMap(response_A="base"), b'{"response_A": "x"}', "x"),
        (ColumnMap(response_A="base"), b'{"base": null, "response_A": "x"}', MISSING),
        (ColumnMap(response_A="base", response_B="response_A"), b'{"response_A": "x"}', MISSING),
        (ColumnMap(response_A="base", ignore="response_A"), b'{"response_A": "x"}', MISSING),
        (ColumnMap(response_A="response_A.text"), b'{"response_A": "x"}', "x"),
    ],
)
def test_a_field_is_never_read_from_what_its_name_holds_of_another(columns, content, found):
    row = columns_of(content, columns)
    assert isinstance(row, RowColumns)
    assert row.find("response_A") is found or row.find("response_A") == found


@pytest.mark.parametrize(
    "extra",
    [
        b'"meta": {"prompt": 1, "prompt": 2}',
        b'"meta": {"prompt": 1}, "rows": [{"id": 1, "id": 2}]',
        b'"note": "\\u0041", "meta": {"x": 1, "x": 2}',
        b'"other": 1, "oth\\u0065r": 2',
        b'"note": "\\u0041", "number": ' + b"9" * 5000,
    ],
)
def test_keys_inside_other_values_and_keys_that_nobody_reads_may_repeat(extra):
    assert isinstance(parsed(b'{"prompt": "x", ' + extra + b"}", GENERATED), InputRow)


@given(st.binary(max_size=80) | st.text(max_size=40).map(lambda t: f'{{"prompt":{t}'.encode()))
def test_no_line_raises(content):
    assert parsed(content) is None or isinstance(parsed(content), InputRow | FailedRow | Rejected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "x"]), JSON), st.booleans())
def test_what_is_accepted_says_what_json_says(document, ascii_only):
    content = json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    found = parsed(content, GENERATED)
    if isinstance(found, InputRow):
        if isinstance(document["prompt"], str):
            assert found.prompt == document["prompt"]
        if isinstance(reference := document.get("reference"), str) and reference.strip():
            assert found.reference == reference


@pytest.mark.parametrize("sources", [GENERATED, A_GENERATED])
def test_a_row_that_brings_an_answer_to_be_generated_is_refused(sources):
    found = parsed(pair(), sources)
    assert found.field == "response_A"
    assert "this run generates it" in found.reason


def test_where_one_side_is_generated_the_other_comes_from_the_row():
    row = parsed(b'{"prompt": "x", "response_B": "y"}', A_GENERATED)
    assert (row.response_A, row.response_B) == (None, "y")


# --- the whole file ----------------------------------------------------------------------------


PROMPT_LINE = b'{"prompt": "x"}\n'


@pytest.mark.parametrize(
    ("head", "answers"),
    [
        (pair(), True),
        (BOM + pair() + b"\r\n", True),
        (PROMPT_LINE, False),
        (pair(response_B=None), False),
        (b"broken\n\n" + pair(), True),
        (pair(response_A=""), True),
        (PROMPT_LINE + pair() + b"\n" + pair(), True),
        (PROMPT_LINE + pair(), True),
        (PROMPT_LINE * 2 + pair(), False),
        (b"broken\n{}\n", None),
        (pair()[:-3], None),
        (b"", None),
    ],
)
def test_most_of_the_first_rows_decide_who_answers(head, answers):
    assert dataset.file_brings_answers(head) is answers


def test_a_hundred_rows_are_enough():
    assert dataset.file_brings_answers(PROMPT_LINE * 100 + (pair() + b"\n") * 500) is False


def head_of(content: bytes) -> tuple[bytes, list[int]]:
    asked = []

    def read(size: int) -> bytes:
        asked.append(size)
        return content[:size]

    return dataset.usable_head(
        read, lambda head: dataset.file_brings_answers(head) is not None
    ), asked


def test_a_megabyte_is_read_where_it_holds_a_row():
    head, asked = head_of(PROMPT_LINE * 100_000)
    assert (len(head), asked) == (1 << 20, [1 << 20])


def test_behind_a_line_of_20_mb_the_head_still_finds_a_row():
    head, asked = head_of(b"x" * 20_000_000 + b"\n" + PROMPT_LINE)
    assert dataset.file_brings_answers(head) is False
    assert asked == [1 << 20, 32 << 20]


def test_a_short_file_without_a_row_is_read_once():
    assert head_of(b"broken\n") == (b"broken\n", [1 << 20])


def test_one_prompt_about_two_contexts_is_two_questions():
    """Else a file that asks for a summary of each document would be one prompt."""
    contexts = ("In 1907.", "In 1908.", "In 1907.", None)
    rows = [parsed(pair(prompt="Summarize.", context=context)) for context in contexts]
    keys = [cluster_of(row) for row in rows]
    assert keys[0] == keys[2]
    assert len(set(keys)) == 3
    assert parsed(pair(context="In 1907.", cluster="c")).cluster == "c"
