"""Recipes with candidates under names of their own: which pairs they make, and what is refused."""

import msgspec
import pytest

from nova_judge.errors import RecipeError
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.records import FailedRow, InputRow
from nova_judge.runs.row_accounting import Response, merged
from nova_judge.runs.usage import Workload

THREE = "{base: {bedrock: amazon.nova-lite-v1:0}, one: {bedrock: amazon.nova-pro-v1:0}, two: %s}"
PRO = "{bedrock: amazon.nova-pro-v1:0, generation: {seed: 1}}"


def recipe(candidates=THREE % PRO, extra="", kind="pairwise"):
    head, _, tail = packaged_recipe(kind).partition("candidates:")
    judge = tail.partition("judge:")[2]
    return load_recipe(f"{head}candidates: {candidates}\n{extra}\njudge:{judge}", file="many.yaml")


def test_all_pairs_or_those_against_one():
    assert recipe().compared == (("base", "one"), ("base", "two"), ("one", "two"))
    against = recipe(extra="pairs: against one")
    assert against.compared == (("one", "base"), ("one", "two"))
    assert recipe().names == ("base", "one", "two")


def test_a_and_b_are_the_same_as_before():
    two = load_recipe(packaged_recipe("pairwise"), file="pairwise.yaml")
    assert (two.many, two.names, two.compared) == (False, ("A", "B"), (("A", "B"),))


@pytest.mark.parametrize(
    ("candidates", "extra", "words"),
    [
        (THREE % PRO, "pairs: against on", "Did you mean 'one'"),
        (THREE % PRO, "pairs: some", "expected `all`, or `against` and a candidate"),
        (THREE % "{file: response_A}", "", "of many candidates each is asked"),
        (THREE % "{bedrok: x}", "", "candidates.two.bedrok: unknown key"),
        (THREE % PRO, "controls: [same_answer]", "allowed with A and B only"),
        ("{a b: {bedrock: amazon.nova-lite-v1:0}}", "", "candidates"),
        ("{only: {bedrock: amazon.nova-lite-v1:0}}", "", "found 1 names"),
    ],
)
def test_what_many_candidates_cannot_have(candidates, extra, words):
    with pytest.raises(RecipeError) as caught:
        recipe(candidates, extra)
    assert words in str(caught.value)


def test_another_kind_knows_a_and_b_alone():
    with pytest.raises(RecipeError, match="knows A and B alone"):
        recipe(kind="bedrock-judge")


def test_the_judge_s_hours_grow_with_the_pairs():
    usage = [
        kind_of("llm_judge").usage(each, Workload(rows=100, generated=each.names)).jobs
        for each in (recipe(), recipe(extra="pairs: against one"))
    ]
    assert [len(jobs) for jobs in usage] == [3, 2]


def shard(rows):
    class Rows:
        rejected = failed = ()

    Rows.rows = rows
    return Rows


def response(text=None, reason=None):
    document = {"answer": {"text": text}} if text else {"failed": {"reason": reason, "tries": 1}}
    return msgspec.convert(document, Response)


def test_a_row_holds_all_answers_and_is_set_aside_where_one_is_missing():
    rows = [InputRow(line=n, id=str(n), prompt="p") for n in (1, 2)]
    given = {
        "base": [response("x"), response("y")],
        "one": [response("z"), response(reason="429")],
    }
    whole, without = merged(shard(rows), given, 0)
    assert (whole.answers, whole.response_A) == ({"base": "x", "one": "z"}, None)
    assert isinstance(without, FailedRow)
    assert [failure.candidate for failure in without.failures] == ["one"]
