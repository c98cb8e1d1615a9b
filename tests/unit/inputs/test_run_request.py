"""What starts a run: an S3 event's detail, or two words from the console."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_judge.errors import RequestError
from nova_judge.inputs.run_request import EvaluationRequest, parse_request, run_id

DETAIL = {
    "version": "0",
    "bucket": {"name": "data"},
    "object": {"key": "inbox/rubric/my questions.jsonl", "size": 5, "version-id": "v1"},
    "request-id": "C3D13FE58DE4C810",
    "reason": "CompleteMultipartUpload",
}


def detail(**changes):
    return {**DETAIL, "object": {**DETAIL["object"], **changes}}


def test_an_event_names_the_version_and_the_inbox_names_the_recipe():
    assert parse_request(DETAIL) == EvaluationRequest(
        "data", "inbox/rubric/my questions.jsonl", "v1", "rubric", by_event=True
    )


def test_an_event_of_a_bucket_without_versions_means_the_newest():
    without = {"bucket": {"name": "data"}, "object": {"key": "inbox/r/x.jsonl"}}
    assert parse_request(without).version is None


def test_folders_below_the_recipe_are_part_of_the_name():
    assert parse_request(detail(key="inbox/pairwise/2026/11/x.jsonl")).recipe == "pairwise"


@pytest.mark.parametrize("key", ["inbox/x.jsonl", "runs/a/report/x.html", "inbox//x", "inbox/r/"])
def test_an_event_from_elsewhere_is_told_where_to_drop_files(key):
    with pytest.raises(RequestError, match=re.escape("inbox/<recipe>/<name>.jsonl")):
        parse_request(detail(key=key))


@pytest.mark.parametrize(
    "document",
    [
        {"bucket": {}, "object": {"key": "inbox/r/x"}},
        {"bucket": {"name": "b"}, "object": {}},
        {"bucket": "b", "object": {"key": "inbox/r/x"}},
        {"bucket": {"name": "b"}, "object": "x"},
        {"bucket": None, "object": None},
    ],
)
def test_half_an_event_says_what_it_lacks(document):
    with pytest.raises(RequestError, match=r"expected bucket\.name, object\.key"):
        parse_request(document)


def test_the_console_needs_an_input_and_a_recipe():
    request = parse_request({"input": "s3://data/inbox/a/b.jsonl", "recipe": "pairwise"})
    assert request == EvaluationRequest("data", "inbox/a/b.jsonl", None, "pairwise", False)


def test_a_person_may_ask_for_fresh_answers():
    document = {"input": "s3://data/x.jsonl", "recipe": "pairwise", "no_cache": True}
    assert parse_request(document).no_cache is True


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input": "inbox/x.jsonl"}, "; expected an S3 URI"),
        ({"input": "s3://bucket"}, "; expected an S3 URI"),
        ({"input": 5}, "; expected an S3 URI"),
        ({"recipe": ""}, "; expected a recipe's name"),
        ({"recipe": "../secrets"}, "; expected a recipe's name"),
        ({"recipe": None}, "; expected a recipe's name"),
        ({"no_cache": "yes"}, "found 'yes'; expected `bool`"),
        ({"modell": "x"}, "modell: unknown key; allowed here: recipe, input, no_cache"),
    ],
)
def test_what_the_console_sends_wrong_is_named(change, words):
    with pytest.raises(RequestError, match=words):
        parse_request({"input": "s3://data/x.jsonl", "recipe": "pairwise", **change})


@pytest.mark.parametrize("document", [{}, {"input": "s3://a/b"}, [], "pairwise", 5, None])
def test_anything_else_is_shown_an_example(document):
    with pytest.raises(RequestError, match='"recipe": "pairwise"'):
        parse_request(document)


def test_only_who_wants_answers_of_its_own_gets_a_run_of_its_own():
    shared = run_id("bucket", "inbox/r/x.jsonl", "v1", "sha")
    assert run_id("bucket", "inbox/r/x.jsonl", "v1", "sha", own="") == shared
    first, redriven, second = (
        run_id("bucket", "inbox/r/x.jsonl", "v1", "sha", own=arn)
        for arn in ("arn:first", "arn:first", "arn:second")
    )
    assert len({shared, first, second}) == 3
    assert redriven == first


@given(st.text(min_size=1), st.text(), st.text())
def test_a_run_id_is_short_and_fits_every_name_made_from_it(key, version, sha256):
    name = run_id("bucket", key, version, sha256)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert len(name) <= 33


def test_a_run_id_tells_object_version_and_recipe_apart():
    names = {
        run_id(bucket, key, version, recipe)
        for bucket in "ab"
        for key in ("x.jsonl", "y.jsonl")
        for version in ("1", "2")
        for recipe in ("r", "s")
    }
    assert len(names) == 16
    assert run_id("a", "inbox/p/My Questions.v2.jsonl", "1", "r").startswith("my-questions-")
