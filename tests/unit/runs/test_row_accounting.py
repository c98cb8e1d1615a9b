"""Every line of the input ends in exactly one place, and the sum closes."""

import collections

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_judge.answers.answers import Answer, FailedAnswer
from nova_judge.errors import GenerationFailedError, InputFileError, RowSumError
from nova_judge.inputs.dataset import ShardRows, cut, read_shard
from nova_judge.inputs.reading import FROM_FILE, GENERATED
from nova_judge.records import InputRow, Rejected
from nova_judge.runs.row_accounting import (
    CutOff,
    DatasetCounter,
    DatasetSummary,
    FailedRow,
    Response,
    TokenCount,
    check_summary,
    decode_responses,
    merged,
)

ANSWERED = st.builds(lambda text: Response(answer=Answer(text)), st.text(min_size=1))
FAILED = st.builds(
    lambda reason: Response(failed=FailedAnswer(reason, 3)), st.sampled_from(["timed out", "503"])
)
LINES = st.lists(
    st.sampled_from(
        [b'{"prompt": "p"}', b'{"prompt": "p", "id": "x"}', b"broken", b"{}", b" ", b""]
    ),
    max_size=25,
)


def shard(*kinds: str) -> ShardRows:
    rows = [InputRow(line=n, prompt="p", id="") for n, k in enumerate(kinds, 1) if k == "row"]
    rejected = [Rejected(n, "not JSON") for n, k in enumerate(kinds, 1) if k == "bad"]
    return ShardRows(len(kinds), tuple(rows), tuple(rejected))


def test_a_shard_is_read_as_it_was_written():
    rows = read_shard(
        [b'{"prompt": "p", "response_A": "a"}\nbroken\n\n'], next(cut(99, 99)), GENERATED
    )
    assert rows.lines == 3
    assert [rejected.line for rejected in rows.rejected] == [1, 2]
    assert msgspec.json.decode(msgspec.json.encode(rows), type=ShardRows) == rows


@given(LINES, st.integers(1, 60), st.data())
def test_however_a_file_is_cut_and_answered_the_sum_of_its_lines_closes(lines, shard_bytes, data):
    content = b"\n".join(lines)
    counter, places, before = DatasetCounter(), [], 0
    for piece in cut(len(content), shard_bytes):
        rows = read_shard([content[max(piece.start - 1, 0) :]], piece, GENERATED)
        exactly = {"min_size": len(rows.rows), "max_size": len(rows.rows)}
        responses = {c: data.draw(st.lists(ANSWERED | FAILED, **exactly)) for c in "AB"}
        for line in merged(rows, responses, before):
            counter.count(line)
            places.append(line.line)
        before += rows.lines
    summary = counter.summary(jobs=1)

    in_the_file = [n for n, line in enumerate(lines, 1) if line.strip()]
    assert sorted(places) == in_the_file
    assert summary.input == len(in_the_file)
    assert summary.input == summary.rejected + summary.generation_failed + summary.rows
    bad = sum(line in (b"broken", b"{}") for line in lines)
    assert summary.rejected == sum(r.count for r in summary.rejected_reasons) == bad


def test_rows_get_their_place_in_the_file_and_a_name_from_it():
    named = InputRow(line=2, prompt="q", id="mine")
    rows = ShardRows(2, (InputRow(line=1, prompt="p", id=""), named), (Rejected(3, "not JSON"),))
    found = list(merged(rows, {}, lines_before=40))
    assert found[0] == Rejected(43, "not JSON")
    assert [(row.line, row.id) for row in found[1:]] == [(41, "line-41"), (42, "mine")]


def test_answers_are_filled_in_for_the_side_that_was_asked():
    rows = ShardRows(1, (InputRow(line=1, prompt="p", id="x", response_A="from the file"),), ())
    (row,) = merged(rows, {"B": [Response(answer=Answer("generated"))]}, 0)
    assert (row.response_A, row.response_B) == ("from the file", "generated")


def test_a_row_without_an_answer_is_not_judged_and_says_whose_failed():
    answers = {
        "A": [Response(answer=Answer("fine"))],
        "B": [Response(failed=FailedAnswer("timed out", 300, "after 60 s"))],
    }
    (row,) = merged(shard("row"), answers, 0)
    assert isinstance(row, FailedRow)
    (failure,) = row.failures
    assert (failure.candidate, failure.reason, failure.tries) == ("B", "timed out", 300)


@pytest.mark.parametrize(("answers", "told"), [(1, "no answer to line 2"), (3, "more answers")])
def test_answers_that_are_not_one_a_row_are_a_fault_of_ours(answers, told):
    given = [Response(answer=Answer("x"))] * answers
    with pytest.raises(RowSumError, match=f"candidate A has {told}"):
        list(merged(shard("row", "row"), {"A": given}, 0))


def test_answers_are_taken_one_at_a_time():
    taken = []
    lines = (taken.append(n) or msgspec.json.encode(Response(answer=Answer("x"))) for n in range(3))
    counter = DatasetCounter()
    responses = {"A": counter.counted("A", decode_responses(lines))}
    found = merged(shard("row", "row", "row"), responses, 0)
    next(found)
    assert taken == [0]
    assert len(list(found)) == 2
    assert counter.summary(1).cut_off == {"A": CutOff(0, 3)}


def test_responses_are_read_as_they_were_written():
    written = [Response(answer=Answer("x", tries=2)), Response(failed=FailedAnswer("503", 1))]
    assert list(decode_responses(map(msgspec.json.encode, written))) == written


def counted(**given: list[Answer]) -> DatasetSummary:
    counter = DatasetCounter()
    for candidate, answers in given.items():
        responses = [Response(answer=answer) for answer in answers]
        responses.append(Response(failed=FailedAnswer("503", 1)))
        assert list(counter.counted(candidate, responses)) == responses
    return counter.summary(1)


def test_answers_of_an_earlier_run_are_counted_and_cost_no_tokens():
    asked, known = (Answer("x", cached=c, input_tokens=2, output_tokens=3) for c in (False, True))
    found = counted(A=[known, asked], B=[known])
    assert found.cached == 2
    assert found.tokens == {"A": TokenCount(2, 3), "B": TokenCount(0, 0)}


@pytest.mark.parametrize("reason", ["length", "max_tokens", "model_context_window_exceeded"])
def test_answers_that_were_cut_off_are_counted(reason):
    whole, cut = Answer("It is 4.", finish_reason="stop"), Answer("It i", finish_reason=reason)
    found = counted(A=[whole, Answer("ok")], B=[cut, whole, cut])
    assert found.cut_off == {"A": CutOff(0, 2), "B": CutOff(2, 3)}


def summary(rows=0, failed=0, rejected=0, reasons=()) -> DatasetSummary:
    counter = DatasetCounter()
    for line in (
        *[InputRow(line=1, prompt="p", id="x")] * rows,
        *[FailedRow(1, "x", ())] * failed,
        *[Rejected(1, reason) for reason in (reasons or ["not JSON"] * rejected)],
    ):
        counter.count(line)
    return counter.summary(1)


@pytest.mark.parametrize(("rows", "failed"), [(1, 0), (98, 2), (1, 0)])
def test_few_failures_are_allowed(rows, failed):
    check_summary(summary(rows, failed), "s3://b/x", max_failed=0.02)


@pytest.mark.parametrize(
    ("rows", "failed", "most", "said"),
    [
        (97, 3, 0.02, "3 of 100 rows got"),
        (9, 1, 0.0, "1 of 10 rows got"),
        (0, 5, 1.0, "5 of 5 rows got"),
        (0, 1, 0.5, "1 of 1 row got"),
    ],
)
def test_too_many_failures_are_not_judged(rows, failed, most, said):
    with pytest.raises(GenerationFailedError, match=said):
        check_summary(summary(rows, failed), "s3://b/x", most)


@pytest.mark.parametrize(
    ("local", "says"),
    [
        (False, 'Start it again with {"input": "s3://b/x"'),
        (True, "Mend what the reasons name, and run the same command again: only what is missing"),
    ],
)
def test_the_next_step_is_one_that_its_reader_has(local, says):
    with pytest.raises(GenerationFailedError) as caught:
        check_summary(summary(0, 5), "s3://b/x", 0.02, local=local)
    assert says in str(caught.value)
    assert ("s3://" in str(caught.value)) is not local


def test_no_usable_line_says_what_is_wrong_with_them():
    with pytest.raises(InputFileError, match=r"s3://b/x: none of 3 lines .* 3 of “not JSON”"):
        check_summary(summary(rejected=3), "s3://b/x", 0.02)


def test_many_reasons_are_counted_the_most_frequent_first():
    reasons = [f"reason {n}" for n in range(60) for _ in range(60 - n)]
    found = summary(reasons=reasons).rejected_reasons
    assert [r.reason for r in found] == [f"reason {n}" for n in range(50)]
    assert found[0].count == collections.Counter(reasons).most_common(1)[0][1]


def test_ready_pairs_need_no_responses():
    rows = read_shard(
        [b'{"prompt": "p", "response_A": "a", "response_B": "b"}'], next(cut(99, 99)), FROM_FILE
    )
    (row,) = merged(rows, {}, 0)
    assert (row.response_A, row.response_B) == ("a", "b")


def test_optional_fields_that_cannot_be_read_are_counted_by_row() -> None:
    counter = DatasetCounter()
    for line, lost in enumerate([("label",), ("label", "category"), ()], start=1):
        counter.count(InputRow(line=line, id=str(line), prompt="?", lost=lost))
    assert counter.summary().lost == {"category": 1, "label": 2}
