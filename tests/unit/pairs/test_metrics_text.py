import ast
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_judge.pairs.metrics_text import MetricsReader
from nova_judge.pairs.safe_literal import NOT_A_DICT, TOO_LONG, read_safe
from nova_judge.records import Unscored
from tests.made import details

FIELDS = {"predictions", "a_scores", "criteria_breakdown", "score_A", "weight", "type"}
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.lists(st.text(max_size=5), max_size=3),
)
keys = st.text(max_size=6)
rows = st.dictionaries(keys, scalars, max_size=4)
metrics = st.dictionaries(
    keys, st.one_of(scalars, st.dictionaries(keys, rows, max_size=4)), max_size=6
)


def projected(value):
    return {
        key: {n: {k: v for k, v in r.items() if k in FIELDS} for n, r in one.items()}
        if isinstance(one, dict)
        else one
        for key, one in value.items()
        if key in FIELDS
    }


def test_generated_rows_read_the_same_on_both_paths():
    draw = random.Random(7)  # noqa: S311
    reader, columns = MetricsReader(), MetricsReader(FIELDS)
    for _ in range(1_000):
        value = details.rubric_metrics(draw)
        text = str(value)
        assert reader.read(text) == read_safe(text) == value == ast.literal_eval(text)
        assert columns.read(text) == projected(value)


@settings(max_examples=120, deadline=None)
@given(st.lists(metrics, min_size=1, max_size=4))
def test_any_dict_reads_the_same_on_both_paths(values):
    reader = MetricsReader()
    for value in [*values, *values]:  # the second time round the shapes are known
        assert reader.read(str(value)) == read_safe(str(value)) == value


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_damaged_row_reads_the_same_on_both_paths(data):
    draw = random.Random(data.draw(st.integers(0, 50)))  # noqa: S311
    reader, columns = MetricsReader(), MetricsReader(FIELDS)
    text = str(details.rubric_metrics(draw))
    reader.read(text), columns.read(text)
    position = data.draw(st.integers(0, len(text) - 1))
    junk = data.draw(st.text("'\"\\{}[]:, \n\r\0x0eTnN", max_size=3))
    damaged = text[:position] + junk + text[position + data.draw(st.integers(0, 2)) :]
    safe = read_safe(damaged)
    assert repr(reader.read(damaged)) == repr(safe)
    expected = safe if isinstance(safe, Unscored) else columns._kept(safe)
    assert repr(columns.read(damaged)) == repr(expected)


def test_numpy_scalars_and_nan_are_numbers():
    text = "{'a': np.float64(0.5), 'b': numpy.int64(2), 'c': nan, 'd': np.float64(nan), 'e': -inf}"
    value = read_safe(text)
    assert value["a"] == 0.5
    assert value["b"] == 2
    assert math.isnan(value["c"])
    assert math.isnan(value["d"])
    assert value["e"] == -math.inf


HOSTILE = {
    "empty": "",
    "not a dict": "[1, 2]",
    "a call": "{'a': __import__('os').system('id')}",
    "an attribute": "{'a': np.load('x')}",
    "a name": "{'a': x}",
    "arithmetic": "{'a': 2 ** 99999}",
    "a comprehension": "{'a': [i for i in range(9)]}",
    "unhashable key": "{[]: 1}",
    "a key twice": "{'a': 1, 'a': 2}",
    "unclosed": "{'a': {'b': 1}",
    "two dicts": "{'a': 1} {'b': 2}",
    "deep brackets": "[" * 100_000,
    "deep braces": "{'a':" * 50_000 + "1" + "}" * 50_000,
    "deep minus": "{'a': " + "-" * 100_000 + "1}",
    "long digits": "{'a': " + "9" * 100_000 + "}",
    "a huge list": "[" + "1," * 5_000_000 + "]",
    "a huge dict": "{" + ",".join(f"'{n}':{n}" for n in range(400_000)) + "}",
    "a set": "{1, 2}",
    "null byte": "{'a': '\0'}",
    "raw line break": "{'a': 'x\ny'}",
    "bad escape": "{'a': '\\x'}",
    "bad name escape": "{'a': '\\N{no such name}'}",
    "f-string": "{'a': f'{1}'}",
    "code hidden by triple quotes": "{'a': '''x'\"''', 'b': [" + "1," * 2_000_000 + "], '''\"'''}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_unscored(name):
    text = HOSTILE[name]
    reader = MetricsReader()
    reader.read("{'a': 'x'}")
    assert reader.read(text) == read_safe(text)
    assert read_safe(text) in (NOT_A_DICT, TOO_LONG)


def test_a_string_of_ten_megabytes_is_read():
    text = str({"a": "x y" * 3_500_000, "b": 1})
    assert len(text) > 10_000_000
    reader = MetricsReader()
    assert reader.read(text) == reader.read(text) == read_safe(text)
    assert read_safe(text)["b"] == 1
