import random
from fractions import Fraction
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nova_judge.errors import WeightingError
from nova_judge.pairs.criteria import CriterionGroups, default_groups
from nova_judge.pairs.criterion_weights import (
    Weighting,
    coverage,
    figures,
    judge_weighting,
    mean_weights,
    reweigh,
    settings_for,
    weighting,
)
from nova_judge.pairs.firmness import NO_CATEGORY, drivers, firmness, leading_driver, root_causes
from nova_judge.pairs.judge_output import judgment_of
from nova_judge.pairs.rubric_columns import FULL_SCORE, columns_of
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Criterion, Judgment, Rubric, Unscored, Verdict
from nova_judge.report.slider_data import flat_rows
from nova_judge.statistics.decision import Word
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.sequential import CONFIDENCE_SEQUENCE, anytime_p_value
from nova_judge.statistics.statistics_settings import DEFAULTS, StatisticsSettings
from tests.made import details

GROUPS = default_groups()
ANYTIME = StatisticsSettings(anytime=True)
AS_NAMED = CriterionGroups({}, frozenset())


def scale(name, a, b, weight):
    return Criterion(name=name, weight=weight, type="scale", score_A=a, score_B=b)


def judged(*criteria, forward=Verdict.A, backward=Verdict.A):
    rubric = Rubric(criteria=criteria) if criteria else Unscored("no rubric")
    return Judgment(forward=forward, backward=backward, rubric=rubric)


def generated(rows, seed=1):
    draw = random.Random(seed)  # noqa: S311
    return [judgment_of(details.rubric_metrics(draw))[0] for _ in range(rows)]


def by_fractions(judgment, weights, groups=GROUPS):
    """The definition written out: normalised weights, exact fractions, means inside a group."""
    if not isinstance(judgment.rubric, Rubric):
        return None
    by_group = {}
    for one in judgment.rubric.criteria:
        by_group.setdefault(groups.group(one.name), []).append(one)
    margin = total = Fraction(0)
    for group, criteria in by_group.items():
        own = sum(Fraction(str(one.weight)) for one in criteria)
        weight = own if weights is None else Fraction(str(weights.get(group, 0)))
        inside = [Fraction(str(one.weight)) if own else Fraction(1) for one in criteria]
        gap = sum(
            w * (Fraction(str(one.score_A)) - Fraction(str(one.score_B))) / (4 if scaled else 1)
            for w, one in zip(inside, criteria, strict=True)
            for scaled in [one.type == "scale"]
        ) / sum(inside)
        margin, total = margin + weight * gap, total + weight
    return margin / total if total else None


def outcome(margin):
    if margin is None:
        return Outcome.ERROR
    return Outcome.TIE if margin == 0 else Outcome.A if margin > 0 else Outcome.B


def test_published_rows_recompute():
    (row, _), (other, _) = judgment_of(details.PHOTOSYNTHESIS), judgment_of(details.NOTRE_DAME)
    assert recomputed_scores(row) == (0.425, 1.0, -0.575)
    assert recomputed_scores(other) == (0.175, 0.875, -0.7)


def test_the_judge_s_own_weights_give_the_weighted_scores():
    judgments = generated(300)
    columns = columns_of(judgments, AS_NAMED)
    again = reweigh(columns, judge_weighting(columns))
    for judgment, margin in zip(judgments, again.margins, strict=True):
        assert recomputed_scores(judgment).margin == margin


@pytest.mark.parametrize("weights", [None, {"accuracy": 0.6, "completeness": 0.4}, {"tone": 1}])
def test_verdicts_equal_exact_fractions(weights):
    judgments = [*generated(400), judged()]
    columns = columns_of(judgments, GROUPS)
    spelled = ",".join(f"{name}={weight}" for name, weight in (weights or {}).items())
    again = reweigh(columns, weighting(columns, GROUPS, weights=spelled))
    exact = [by_fractions(judgment, weights) for judgment in judgments]
    assert again.verdicts.tolist() == [outcome(margin) for margin in exact]
    for margin, fraction in zip(again.margins, exact, strict=True):
        assert np.isnan(margin) if fraction is None else abs(margin - fraction) < 3e-6


def test_a_tie_is_exact_whatever_the_weights_add_up_to():
    even = [judged(*(scale(name, 1 + n, 3 - n, 0.1) for n, name in enumerate("abc")))]
    columns = columns_of(even, AS_NAMED)
    assert reweigh(columns, judge_weighting(columns)).verdicts.tolist() == [Outcome.TIE]
    thirds = [judged(scale("a", 5, 1, 0.33), scale("b", 1, 3, 0.33), scale("c", 1, 3, 0.33))]
    columns = columns_of(thirds, AS_NAMED)
    assert reweigh(columns, judge_weighting(columns)).verdicts.tolist() == [Outcome.TIE]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 1_000_000), min_size=7, max_size=7))
def test_exchanging_the_candidates_mirrors_and_the_order_of_rows_is_nothing(seed, weights):
    judgments = generated(30, seed)
    columns = columns_of(judgments, AS_NAMED)
    chosen = Weighting(
        np.array(weights[: len(columns.groups)]), np.ones(len(columns.groups), dtype=bool)
    )
    mirrored = columns_of(map(exchanged, judgments), AS_NAMED)
    again, other = reweigh(columns, chosen), reweigh(mirrored, chosen)
    swap = [Outcome.B, Outcome.A, Outcome.TIE, Outcome.ERROR]
    assert other.verdicts.tolist() == [swap[code] for code in again.verdicts]
    assert np.array_equal(other.margins, -again.margins, equal_nan=True)
    backwards = columns_of(judgments[::-1], AS_NAMED)
    assert reweigh(backwards, chosen).verdicts.tolist() == again.verdicts.tolist()[::-1]
    assert mean_weights(backwards).tolist() == mean_weights(columns).tolist()
    assert drivers(backwards) == drivers(columns)


def exchanged(judgment):
    def other(one):
        return msgspec.structs.replace(one, score_A=one.score_B, score_B=one.score_A)

    return Judgment(
        forward=judgment.forward,
        backward=judgment.backward,
        rubric=Rubric(criteria=tuple(map(other, judgment.rubric.criteria))),
    )


def test_a_run_that_may_have_stopped_early_is_reweighed_with_what_allows_for_it():
    columns = columns_of(generated(80), GROUPS)
    found = figures(columns, reweigh(columns, judge_weighting(columns)), ANYTIME)
    assert found.verdict.p_value == anytime_p_value(found.a, found.b)
    assert found.win_rate.method == found.win_rate_decisive.method == CONFIDENCE_SEQUENCE


def test_drop_and_only_keep_the_judge_s_weights_of_the_rest():
    judgments = [judged(scale("accuracy", 5, 1, 0.3), scale("readability", 1, 5, 0.7))]
    columns = columns_of(judgments, GROUPS)

    def verdict(**chosen):
        return reweigh(columns, weighting(columns, GROUPS, **chosen)).verdicts[0]

    assert verdict() == Outcome.B
    assert verdict(drop="clarity") == Outcome.A
    assert verdict(only="clarity_of_explanation") == Outcome.B
    assert verdict(only="accuracy,clarity", drop="readability") == Outcome.A
    assert verdict(weights="accuracy=0.6,clarity=0.4") == Outcome.A
    assert verdict(weights="accuracy=2,clarity=2") == Outcome.TIE
    assert verdict(drop="accuracy,clarity") == Outcome.ERROR


def test_rows_without_the_named_criteria_are_unscored_not_tied():
    judgments = [judged(scale("tone", 5, 1, 1.0)), judged(scale("accuracy", 1, 5, 1.0)), judged()]
    columns = columns_of(judgments, GROUPS)
    found = figures(columns, reweigh(columns, weighting(columns, GROUPS, weights="accuracy=1")))
    assert (found.a, found.b, found.ties, found.unscored) == (0, 1, 0, 2)
    assert found.win_rate.estimate == 1.0
    assert found.margin == -1.0
    assert "both orders" not in found.verdict.sentence


@pytest.mark.parametrize(
    "weights",
    [
        *("accuracy", "accuracy=x", "accuracy=-1", "accuracy=nan", "accuracy=0", "price=1"),
        *("accuracy=0,accuracy=1", "accuracy=0.6,Accuracy=0.4"),
    ],
)
def test_weights_that_cannot_be_used_are_named(weights):
    columns = columns_of([judged(scale("accuracy", 5, 1, 1.0))], GROUPS)
    with pytest.raises(WeightingError, match=r"accuracy|price"):
        weighting(columns, GROUPS, weights=weights)


def test_criteria_of_one_group_in_one_row_share_its_weight():
    row = judged(
        scale("clarity", 5, 1, 0.1), scale("readability", 1, 5, 0.3), scale("accuracy", 5, 1, 0.6)
    )
    columns = columns_of([row], GROUPS)
    assert columns.members == (("accuracy",), ("clarity", "readability"))
    entries = columns.by_group
    assert entries.group.tolist() == [0, 1]
    assert (entries.A - entries.B).tolist() == [400_000, -200_000]
    assert by_fractions(row, {"clarity": 1}) == Fraction(-1, 2)


def test_coverage_counts_rows_and_weight():
    both = judged(scale("a", 1, 1, 0.25), scale("b", 1, 1, 0.75))
    columns = columns_of([both, judged(scale("a", 1, 1, 2)), judged()], AS_NAMED)
    found = [(c.group, c.rows, c.share_of_rows, c.share_of_weight) for c in coverage(columns)]
    assert found == [("a", 2, 1.0, 0.625), ("b", 1, 0.5, 0.375)]
    assert mean_weights(columns).tolist() == [625_000, 375_000]


@pytest.mark.parametrize("rows", [20, 140, 280])
def test_a_group_in_exactly_a_twentieth_of_the_rows_is_a_main_one(rows):
    rare = [judged(scale("b", 1, 1, 1))] * (rows // 20)
    common = [judged(scale("a", 1, 1, 1))] * (rows - len(rare))
    assert columns_of(rare + common, AS_NAMED).main.tolist() == [True, True]
    less = columns_of([*rare[1:], *common, common[0]], AS_NAMED)
    assert less.main.tolist() == [True, False][: len(less.groups)]


def test_the_form_for_a_page_gives_the_same_verdicts_in_doubles():
    """Reads the form as a page does: doubles only, sums in any order, one division."""
    judgments = [*generated(200), judged()]
    columns = columns_of(judgments, GROUPS)
    rows = flat_rows(columns)
    assert len(rows) == columns.rows
    draw = np.random.default_rng(5)
    for _ in range(50):
        units = draw.integers(0, 1_000_001, len(columns.groups))
        chosen = Weighting(units, np.ones(len(units), dtype=bool))
        again = reweigh(columns, chosen)
        for row, verdict, margin in zip(rows, again.verdicts, again.margins, strict=True):
            entries = list(zip(*(iter(row),) * 3, strict=True))[::-1]
            lead = sum((float(units[g]) * (a - b) for g, a, b in entries), 0.0)
            whole = sum((float(units[g]) for g, *_ in entries), 0.0) * FULL_SCORE
            assert verdict == (outcome(lead) if whole else Outcome.ERROR)
            assert np.isnan(margin) if not whole else margin == lead / whole


def test_drivers_add_up_to_the_mean_margin():
    judgments = generated(250)
    columns = columns_of(judgments, GROUPS)
    found = drivers(columns)
    margin = reweigh(columns, judge_weighting(columns)).margins.mean()
    assert abs(sum(one.contribution for one in found) - margin) < 1e-5
    assert leading_driver(found).contribution * margin > 0
    sizes = [abs(one.contribution) for one in found]
    assert all(first >= second for first, second in pairwise(sizes))


def test_root_causes_name_category_criterion_and_worst_rows():
    lost = judged(scale("accuracy", 5, 1, 0.8), scale("tone", 3, 4, 0.2))
    mild = judged(scale("accuracy", 5, 4, 0.8), scale("tone", 3, 4, 0.2))
    won = judged(scale("accuracy", 1, 5, 1.0), forward=Verdict.B, backward=Verdict.B)
    flip = judged(scale("accuracy", 5, 1, 1.0), backward=Verdict.B)
    columns = columns_of([mild, lost, won, flip, judged()], GROUPS)
    causes = root_causes(columns, ["math", "math", "math", "math", None], "B")
    assert [(one.category, one.group, one.lost, one.worst) for one in causes] == [
        ("math", "accuracy", 2, (1, 0))
    ]
    assert abs(causes[0].loss - (0.8 + 0.2) / 2) < 1e-9
    assert root_causes(columns, [None] * 5, "A")[0].category == NO_CATEGORY


def leader(columns, weights):
    chosen = Weighting(np.array(weights), np.ones(len(columns.groups), dtype=bool))
    verdicts = reweigh(columns, chosen).verdicts
    return int((verdicts == Outcome.B).sum()) - int((verdicts == Outcome.A).sum())


@pytest.mark.parametrize("seed", range(8))
def test_the_lead_turns_where_firmness_says_and_nowhere_nearer(seed):
    columns = columns_of(generated(41, seed), GROUPS)
    start = mean_weights(columns)
    found = firmness(columns, weightings=50)
    net = leader(columns, start)
    assert found.leader == ("B" if net > 0 else "A" if net < 0 else None)
    turns = {turn.group: turn for turn in found.turns}

    def moved(code, weight):
        others = np.where(np.arange(len(start)) == code, 0, start)
        scaled = np.rint(others * (1 - weight) * 1_000_000 / others.sum()).astype(np.int64)
        scaled[code] = round(weight * 1_000_000)
        return np.sign(leader(columns, scaled))

    for code, group in enumerate(columns.groups if net else ()):
        present = start[code] / 1_000_000
        reach = turns[group].change if group in turns else 2.0
        for step in np.linspace(0, 1, 101):
            if abs(step - present) < reach - 1e-4:
                assert moved(code, step) != -np.sign(net)
        if group in turns and 0.001 < turns[group].turns_at < 0.999:
            beyond = turns[group].turns_at + 1e-5 * np.sign(turns[group].turns_at - present)
            assert moved(code, beyond) == -np.sign(net)


def test_shares_of_weightings_are_right_where_they_are_known():
    """A leads when its criterion has more than half the weight: half of all weightings."""
    columns = columns_of([judged(scale("a", 5, 1, 0.5), scale("b", 1, 5, 0.5))] * 9, AS_NAMED)
    found = firmness(columns, weightings=4_000, seed=2)
    assert abs(found.share_a - 0.5) < 0.03
    assert found.share_a + found.share_b + found.share_level == 1.0
    assert found == firmness(columns, weightings=4_000, seed=2)
    always = firmness(columns_of([judged(scale("a", 5, 1, 1.0))] * 9, AS_NAMED))
    assert (always.leader, always.share_a, always.turns) == ("A", 1.0, ())
    one_row = firmness(columns_of([judged(scale("a", 5, 1, 1.0))], AS_NAMED))
    assert (one_row.leader, one_row.share_a, one_row.share_level) == ("A", 0.0, 1.0)
    assert firmness(columns_of([judged()], AS_NAMED)) is None


@pytest.mark.slow
def test_trying_many_weights_names_a_winner_no_more_often_than_one_look():
    """100 rows, five criteria, equal candidates: 40 weightings tried in each of 60 runs."""
    draw = np.random.default_rng(5)
    named = 0
    for _ in range(60):
        table = draw.integers(1, 6, (100, 5, 2)).astype(float)
        columns = columns_of(
            [judged(*(scale(f"c{k}", *pair, 0.2) for k, pair in enumerate(row))) for row in table],
            AS_NAMED,
        )
        corrected = settings_for(columns, DEFAULTS)
        assert corrected.looks > 1
        for weights in draw.dirichlet(np.ones(5), 40):
            spelled = ",".join(f"c{k}={weight:.3f}" for k, weight in enumerate(weights))
            tried = reweigh(columns, weighting(columns, AS_NAMED, weights=spelled))
            if figures(columns, tried, corrected).verdict.word is not Word.INCONCLUSIVE:
                named += 1
                break
    assert named <= 6  # 3 expected at most; two standard deviations more


def test_rare_criteria_share_one_weight():
    rows = [judged(scale("main", 5, 1, 0.9), scale(f"once {n}", 1, 5, 0.1)) for n in range(60)]
    found = firmness(columns_of(rows, AS_NAMED), weightings=2_000)
    assert len(found.rare) == 60
    assert abs(found.share_a - 0.5) < 0.05
