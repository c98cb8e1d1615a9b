"""A review: which rows are drawn, what is kept, and what the labels say of the run."""

import itertools
import json

import msgspec
import numpy as np
import pytest

from nova_judge.errors import ReviewError
from nova_judge.findings.audited_figures import audit_report
from nova_judge.records import Verdict
from nova_judge.review.drawing import candidates_of, draw_rows, expected_of
from nova_judge.review.labels import (
    Draw,
    DrawnRow,
    LabelFolder,
    Review,
    ReviewLabel,
    check_name,
    read_draw,
    read_labels,
    read_review,
    write_draw,
)
from nova_judge.review.reviewed import evidence_of, review_findings, reviewed_metrics
from nova_judge.review.session import ReviewSession, SentLabel
from nova_judge.statistics.beyond_chance import nominal_alpha
from nova_judge.statistics.corrected_win_rate import (
    corrected_win_rate,
    drawn_rows,
    expected_reach,
    inclusion_probabilities,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile
from tests.made import generated

AT = "2026-11-29T12:00:00+00:00"


def test_every_row_has_its_chance_and_they_add_up():
    usefulness = np.array([0.0, 0.5, 1.0, np.nan] * 50)
    chances = inclusion_probabilities(usefulness, 30)
    assert chances.sum() == pytest.approx(30)
    assert chances[3] == 0.0
    assert chances[0] < chances[1] < chances[2]
    assert chances[0] > 15 / 150
    assert inclusion_probabilities(np.array([0.0, 1.0, np.nan]), 5).tolist() == [1.0, 1.0, 0.0]
    capped = inclusion_probabilities(np.array([1.0, *[0.0] * 9]), 9)
    assert capped.max() == 1.0
    assert capped.sum() == pytest.approx(9)


def test_rows_are_drawn_with_the_chances_that_are_stated():
    chances = inclusion_probabilities(np.linspace(0, 1, 40), 12)
    draws = [drawn_rows(chances, seed) for seed in range(6000)]
    assert {len(drawn) for drawn in draws} == {12}
    counted = np.bincount(np.concatenate(draws), minlength=40) / len(draws)
    assert np.abs(counted - chances).max() < 0.025  # four standard errors
    first = np.bincount([drawn[0] for drawn in draws], minlength=40) / len(draws)
    assert np.abs(first - chances / 12).max() < 0.02  # in random order: early ends are fair


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "budget", "rate", "right"),
    [(200, 40, 0.6, 0.8), (500, 60, 0.85, 0.85), (2000, 60, 0.6, 0.7)],
)
def test_the_corrected_interval_keeps_its_level_under_the_design(rows, budget, rate, right):
    rng = np.random.default_rng(5)
    held, reaches = [], []
    for seed in range(400):
        truth = (rng.random(rows) < rate).astype(float)
        correct = rng.random(rows) < right
        unsure = rng.random(rows) < np.where(correct, 0.1, 0.45)
        scores = np.where(unsure, 0.5, np.where(correct, truth, 1 - truth))
        chances = inclusion_probabilities(np.where(unsure, 1.0, rng.random(rows) / 2), budget)
        labels = np.full(rows, np.nan)
        drawn = drawn_rows(chances, seed)
        labels[drawn] = truth[drawn]
        found = corrected_win_rate(scores, labels, chances)
        held.append(found.low <= rate <= found.high)
        reaches.append((found.high - found.low) / 2)
    assert np.mean(held) >= 0.93
    expected = expected_reach(scores, chances, right)
    assert expected == pytest.approx(np.mean(reaches), rel=0.45)


def test_flips_and_narrow_margins_come_before_clear_rows():
    rows = generated.judged_rows(300)
    candidates = candidates_of(rows)
    verdicts = [reconcile(profile_of(judged.judgment)) for judged in rows]
    for verdict, useful, score in zip(
        verdicts, candidates.usefulness, candidates.scores, strict=True
    ):
        assert np.isnan(useful) == np.isnan(score) == (verdict is Reconciled.ERROR)
        assert verdict is not Reconciled.INCONSISTENT or useful == 1.0
    draw = draw_rows(candidates, "r", 60, 1, AT)
    assert len({row.line for row in draw.rows}) == 60
    assert all(0 < row.probability <= 1 for row in draw.rows)
    reaches = [expected.reach for expected in expected_of(candidates, 60, 0.95)]
    assert reaches == sorted(reaches, reverse=True)
    with pytest.raises(ReviewError, match="more than 20"):
        draw_rows(candidates_of(rows[:20]), "r", 60, 1, AT)


def test_alpha_is_that_of_the_published_example():
    """Krippendorff 2011, section C: 12 units, 4 observers, alpha .743."""
    table = """1 2 3 3 2 1 4 1 2 . . .
               1 2 3 3 2 2 4 1 2 5 . 3
               . 3 3 3 2 3 4 2 2 5 1 .
               1 2 3 3 2 4 4 1 2 5 1 ."""
    units = zip(*(line.split() for line in table.splitlines()), strict=True)
    alpha = nominal_alpha([[value for value in unit if value != "."] for unit in units])
    assert alpha == pytest.approx(0.743, abs=0.0005)
    assert nominal_alpha([["A"], ["B"]]) is None
    assert nominal_alpha([["A", "A"], ["A", "A"]]) is None
    assert nominal_alpha([["A", "A"], ["B", "B"]]) == 1.0


@pytest.fixture
def store(tmp_path):
    return LabelFolder(tmp_path / "labels")


def session_of(store, reviewer="anna", count=30):
    rows = {judged.row.line: judged.row for judged in generated.judged_rows(40)}
    if read_draw(store) is None:
        lines = tuple(DrawnRow(line, 0.5) for line in range(1, count + 1))
        write_draw(store, Draw(run_id="r", budget=count, seed=3, created=AT, rows=lines))
    return ReviewSession(read_draw(store), rows, store, reviewer, lambda: AT)


def test_what_is_said_of_a_side_is_kept_for_its_candidate(store):
    session = session_of(store)
    rows = generated.judged_rows(40)
    orders = set()
    for place in range(30):
        shown, row = session.shown(place), rows[place].row
        left_is_a = shown.left == row.response_A
        assert {shown.left, shown.right} == {row.response_A, row.response_B}
        orders.add(left_is_a)
        session.answer(SentLabel(place, "left" if place % 2 else "right"))
        label = read_labels(store, "anna")[place + 1]
        assert label.verdict == ("A" if left_is_a == bool(place % 2) else "B")
        assert label.shown == ("AB" if left_is_a else "BA")
    assert orders == {True, False}
    others = [session_of(store, "ben").shown(place).left for place in range(30)]
    assert others != [session.shown(place).left for place in range(30)]


def test_nothing_tells_the_reviewer_what_the_judge_or_who_the_candidate_is(store):
    sent = json.loads(msgspec.json.encode(session_of(store).shown(0)))
    assert set(sent) == {
        *("place", "rows", "labelled", "skipped", "prompt", "left", "right", "reference"),
        *("said", "note"),
    }


def test_a_review_goes_on_where_it_ended_and_a_later_word_replaces_an_earlier(store):
    session = session_of(store)
    assert [session.answer(SentLabel(place, "tie")) for place in (0, 1, 3)] == [1, 2, 4]
    session.answer(SentLabel(0, "skip", "unclear"))
    again = session_of(store)
    assert (again.first_open(), again.done, again.rows) == (2, 3, 30)
    assert (again.shown(0).said, again.shown(0).note) == ("skip", "unclear")
    assert again.shown(1).said == "tie"
    assert (again.shown(5).labelled, again.shown(5).skipped) == (2, 1)
    with pytest.raises(ReviewError, match="no row 31 of 30"):
        again.shown(30)


@pytest.mark.parametrize("name", ["", "../anna", "a/b", ".hidden", "x" * 65, "a b"])
def test_a_reviewer_cannot_write_elsewhere(name):
    with pytest.raises(ReviewError, match="letters, digits"):
        check_name(name)


def review_of(labels: dict[str, dict[int, str | None]], chance=0.25, lines=60) -> Review:
    drawn = tuple(DrawnRow(line, chance) for line in range(1, lines + 1))
    said = {
        name: {
            line: ReviewLabel(line, verdict and Verdict(verdict), "AB", AT)
            for line, verdict in of.items()
        }
        for name, of in labels.items()
    }
    return Review(Draw(run_id="r", budget=lines, seed=1, created=AT, rows=drawn), said)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("A", "A"),
        ("AAB", "A"),
        ("AB", "tie"),
        ("tA", "tie"),
        ("xx", "both_bad"),
        ("xt", "tie"),
        ("xxt", "both_bad"),
        ("-B", "B"),
    ],
)
def test_the_label_is_what_most_reviewers_say(said, verdict):
    words = {"t": "tie", "x": "both_bad", "-": None}
    labels = {str(n): {1: words.get(one, one)} for n, one in enumerate(said)}
    assert review_of(labels).rows()[1].verdict == verdict


def as_judged(rows, turned=False):
    """Labels as the judge says, or all of them for the other side."""
    other = {"A": "B", "B": "A"}
    verdicts = {judged.row.line: reconcile(profile_of(judged.judgment)) for judged in rows[:60]}
    return {
        line: other.get(said, "tie") if turned else said.value
        for line, said in verdicts.items()
        if said in ("A", "B", "tie")
    }


def test_labels_that_agree_leave_the_verdict_and_narrow_nothing_away():
    rows = generated.judged_rows(240)
    metrics = generated.metrics(rows)
    said = as_judged(rows)
    found = reviewed_metrics(metrics, rows, review_of({"anna": said, "ben": said}))
    assert found.verdict == metrics.verdict
    assert found.review.agreement.estimate > 0.97
    assert found.review.alpha == 1.0
    assert found.review.labelled_twice == found.review.labelled == len(said)
    assert (found.review.differing, found.review.differing_count) == ((), 0)
    assert found.win_rate_corrected.labelled == len(said)
    assert [(who.name, who.labelled) for who in found.review.reviewers] == [
        ("anna", len(said)),
        ("ben", len(said)),
    ]
    assert found.rows == metrics.rows


def test_labels_that_contradict_the_judge_block_its_verdict_until_they_change():
    rows = generated.judged_rows(240)
    metrics = generated.metrics(rows)
    assert metrics.verdict.word is Word.B_BETTER
    review = review_of({"anna": as_judged(rows, turned=True)})
    found = reviewed_metrics(metrics, rows, review)
    assert found.verdict.word is Word.INCONCLUSIVE
    assert any("labels" in reason for reason in found.statistics.blocked_by)
    assert found.review.agreement.estimate < 0.03
    assert found.review.differing_count == found.review.labelled
    again = reviewed_metrics(found, rows, review)
    assert again == found
    mended = reviewed_metrics(found, rows, review_of({"anna": as_judged(rows)}))
    assert mended.verdict == metrics.verdict


def test_audit_recomputes_what_a_review_changed():
    rows = generated.judged_rows(240)
    for turned in (False, True):
        review = review_of({"anna": as_judged(rows, turned)})
        found = reviewed_metrics(generated.metrics(rows), rows, review)
        ours = review_findings(rows, review, found.statistics.level)
        assert audit_report(found, rows, evidence_of(review), ours).findings == ()
        other = msgspec.structs.replace(found.review, alpha=0.5)
        stated = msgspec.structs.replace(found, review=other)
        audit = audit_report(stated, rows, evidence_of(review), ours)
        assert [one.where for one in audit.findings] == ["metrics.json: review.alpha"]
        assert audit_report(found, rows).findings != ()


def test_weights_undo_the_draw():
    """Rows of side A are drawn ten times as often; weighted, both sides count as they are."""
    rows = generated.judged_rows(240)
    lines = [judged.row.line for judged in rows]
    drawn = tuple(
        DrawnRow(line, 1.0 if line <= 20 else 0.1)
        for line in itertools.chain(lines[:20], lines[20::10])
    )
    said = {
        row.line: ReviewLabel(row.line, Verdict.A if row.line <= 20 else Verdict.B, "AB", AT)
        for row in drawn
    }
    review = Review(Draw(run_id="r", budget=42, seed=1, created=AT, rows=drawn), {"anna": said})
    found = reviewed_metrics(generated.metrics(rows), rows, review)
    assert found.labels.win_rate.estimate == pytest.approx(220 / 240, abs=0.03)
    by_line = {judged.row.line: reconcile(profile_of(judged.judgment)) for judged in rows}
    weight = {row.line: 1 / row.probability for row in drawn}
    right = sum(
        weight[line]
        for line in weight
        if by_line[line] is (Reconciled.A if line <= 20 else Reconciled.B)
    )
    assert found.agreement.strict == pytest.approx(right / sum(weight.values()))
    assert found.agreement.kappa_interval.low is None
    assert found.agreement.ac1 is None


def test_files_that_are_no_labels_are_refused(store):
    store.write("draw.json", b"[]")
    with pytest.raises(ReviewError, match=r"draw\.json is not a design"):
        read_review(store)
    session_of(LabelFolder(store._folder / "other"))
    store.write("draw.json", (store._folder / "other" / "draw.json").read_bytes())
    store.write("anna.jsonl", b'{"line": "one"}\n')
    with pytest.raises(ReviewError, match=r"anna\.jsonl"):
        read_review(store)


@pytest.mark.parametrize("probability", [0, -1, 2])
def test_a_design_with_an_impossible_probability_is_refused(tmp_path, probability):
    store = LabelFolder(tmp_path)
    row = f'{{"line": 1, "probability": {probability}}}'
    design = f'{{"run_id": "r", "budget": 30, "seed": 1, "created": "", "rows": [{row}]}}'
    store.write("draw.json", design.encode())
    with pytest.raises(ReviewError, match=r"draw\.json is not a design of a review"):
        read_draw(store)
