"""Agreement with labels: naive definitions, scikit-learn, statsmodels, published figures."""

from dataclasses import replace

import numpy as np
import pytest

from nova_judge.findings.judgment_file import read_judgment_file
from nova_judge.pairs.judged_evidence import evidence_row
from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.agreement import (
    Agreement,
    _kappa_bounds,
    agreement,
    cohen_kappa,
)
from nova_judge.statistics.beyond_chance import gwet_ac1
from nova_judge.statistics.distributions import student_quantile
from nova_judge.statistics.evidence import Evidence, EvidenceRow, gather
from nova_judge.statistics.outcomes import Outcome
from nova_judge.statistics.positions import positions
from tests.made.profiles import HAIKU, counts, judged_rows, labelled


def evidence(number: int) -> Evidence:
    return gather(evidence_row(row) for row in judged_rows(number))


def test_fractions_are_of_all_labelled_rows() -> None:
    by_label = {Outcome.A: counts(AA=3, AB=1, Ae=1, ee=1), Outcome.B: counts(BB=2, tB=1, At=1)}
    found = agreement(labelled(by_label))
    assert isinstance(found, Agreement)
    assert found.labelled == 10
    assert found.forward == (3 + 1 + 1 + 2) / 10
    assert found.backward == (3 + 2 + 1) / 10
    assert found.strict == (3 + 2) / 10
    assert found.summed == (3 + 1 + 2 + 1) / 10
    assert found.consistency == (3 + 2) / 10


def test_a_naive_count_over_random_rows_agrees() -> None:
    rows = [row for row in judged_rows(400) if row.row.label is not None]
    found = agreement(gather(evidence_row(row) for row in rows))
    assert isinstance(found, Agreement)
    as_tie = {Verdict.BOTH_BAD: Verdict.TIE}
    forward = [as_tie.get(r.judgment.forward, r.judgment.forward) for r in rows]
    backward = [as_tie.get(r.judgment.backward, r.judgment.backward) for r in rows]
    labels = [r.row.label for r in rows]
    n = len(rows)
    assert found.forward == sum(f == v for f, v in zip(forward, labels, strict=True)) / n
    both = zip(forward, backward, labels, strict=True)
    assert found.strict == sum(f == b == v for f, b, v in both) / n


@pytest.mark.parametrize("seed", range(10))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    table = np.random.default_rng(seed).integers(0, 9, (3, 3))
    labels = np.repeat(np.repeat(np.arange(3), 3), table.ravel())
    verdicts = np.repeat(np.tile(np.arange(3), 3), table.ravel())
    found = cohen_kappa(table)
    assert found is not None
    assert found.estimate == pytest.approx(cohen_kappa_score(labels, verdicts))


def test_the_variance_of_kappa_is_that_of_statsmodels() -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.array([[400, 70, 30], [60, 300, 40], [20, 30, 50]]) * 1000
    found = cohen_kappa(table)
    expected = cohens_kappa(table)
    assert found is not None
    assert found.low is not None and found.high is not None
    assert found.low == pytest.approx(expected.kappa_low, abs=1e-5)
    assert found.high == pytest.approx(expected.kappa_upp, abs=1e-5)


def test_kappa_is_not_defined_where_chance_is_certain() -> None:
    assert cohen_kappa(np.diag([7, 0, 0])) is None
    assert cohen_kappa(np.zeros((3, 3), dtype=np.int64)) is None


def test_few_labels_give_a_kappa_without_an_interval() -> None:
    found = cohen_kappa(np.array([[5, 1, 0], [2, 6, 0], [0, 0, 1]]))
    assert found is not None
    assert (found.low, found.high) == (None, None)


def test_exchanging_the_candidates_changes_no_bit_of_kappa() -> None:
    table = np.array([[40, 7, 3], [6, 30, 4], [2, 3, 5]])
    turned = table[[1, 0, 2]][:, [1, 0, 2]]
    assert cohen_kappa(table) == cohen_kappa(turned)


def test_without_labels_there_is_a_reason() -> None:
    assert agreement(gather([])) == Unscored("no row has a label")


def test_a_real_judge_has_the_published_figures() -> None:
    reading = read_judgment_file(HAIKU / "judgments.jsonl", HAIKU / "pairs.jsonl")
    found = agreement(reading.evidence)
    assert isinstance(found, Agreement)
    shares = (found.forward, found.strict, found.consistency, found.summed)
    assert [round(share, 4) for share in shares] == [0.2963, 0.1407, 0.5, 0.3222]
    profiles = reading.evidence.profiles
    assert (profiles.forward.errors, profiles.backward.errors) == (11, 2)
    assert round(positions(profiles).flips or 0, 3) == 0.163


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 100])
def test_the_interval_of_kappa_keeps_its_level(n: int) -> None:
    table = np.array([[0.4, 0.08, 0.02], [0.08, 0.3, 0.02], [0.02, 0.03, 0.05]])
    chance = table.sum(0) @ table.sum(1)
    truth = (np.trace(table) - chance) / (1 - chance)
    drawn = np.random.default_rng(n).multinomial(n, table.ravel(), 2000).reshape(-1, 3, 3)
    found = [cohen_kappa(one) for one in drawn]
    given = [one for one in found if one.low is not None and one.high is not None]
    assert len(given) >= 1_500
    held = [one.low <= truth <= one.high for one in given]
    assert 0.93 <= np.mean(held) <= 0.98


def test_intervals_count_prompts_where_these_repeat() -> None:
    """Fifty prompts with five rows, each right with a chance of its own (log-odds 1.5 +- 2)."""
    rng = np.random.default_rng(8)
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    right = float(weights @ (1 / (1 + np.exp(-1.5 - 2 * nodes))) / weights.sum())
    keys = np.repeat(np.arange(1, 51), 5).astype(np.uint64)
    held = {"share": [], "kappa": [], "ac1": [], "rows alone": []}
    for _ in range(300):
        chance = np.repeat(1 / (1 + np.exp(-rng.normal(1.5, 2, 50))), 5)
        labels = rng.integers(0, 2, 250).astype(np.uint8)
        codes = np.where(rng.random(250) < chance, labels, 1 - labels).astype(np.uint8)
        empty = gather(EvidenceRow() for _ in range(250))
        rows = replace(empty, forward=codes, backward=codes, labels=labels, clusters=keys)
        found = agreement(rows)
        share, beyond = found.intervals["strict"], 2 * right - 1
        held["share"].append(share.low <= right <= share.high)
        held["kappa"].append(found.kappa_interval.low <= beyond <= found.kappa_interval.high)
        held["ac1"].append(found.ac1.low <= beyond <= found.ac1.high)
        alone = agreement(replace(rows, clusters=keys * 0)).kappa_interval
        held["rows alone"].append(alone.low <= beyond <= alone.high)
    shares = {name: float(np.mean(inside)) for name, inside in held.items()}
    assert min(shares["share"], shares["kappa"], shares["ac1"]) >= 0.9
    assert shares["rows alone"] < 0.85


def test_exchanging_the_candidates_mirrors_what_prompts_say() -> None:
    rng = np.random.default_rng(9)
    labels, codes = rng.integers(0, 2, (2, 100)).astype(np.uint8)
    keys = np.repeat(np.arange(1, 26), 4).astype(np.uint64)
    empty = gather(EvidenceRow() for _ in range(100))
    rows = replace(empty, forward=codes, backward=codes, labels=labels, clusters=keys)
    mirror = replace(rows, forward=1 - codes, backward=1 - codes, labels=1 - labels)
    assert agreement(mirror).kappa_interval == agreement(rows).kappa_interval


SKEWED = np.array([[0.90, 0.04, 0], [0.03, 0.03, 0], [0, 0, 0]])


def test_kappa_would_not_keep_its_level_where_it_has_no_interval() -> None:
    """94 % of 20 labels on one side, 2,000 draws."""
    rows = 20
    chance = SKEWED.sum(0) @ SKEWED.sum(1)
    truth = (np.trace(SKEWED) - chance) / (1 - chance)
    drawn = np.random.default_rng(rows).multinomial(rows, SKEWED.ravel(), 2000).reshape(-1, 3, 3)
    told = [one for one in drawn if cohen_kappa(one) is not None]
    assert all(cohen_kappa(one).low is None for one in told)
    ends = [_kappa_bounds(one / rows, rows, student_quantile(0.95, rows - 1)) for one in told]
    assert np.mean([low <= truth <= high for low, high in ends]) == pytest.approx(0.65, abs=0.04)


@pytest.mark.parametrize("rows", [20, 100, 500])
@pytest.mark.parametrize("base", [0.5, 0.8, 0.97])
def test_the_interval_of_ac1_keeps_its_level(rows: int, base: float) -> None:
    """A judge that is right on .85, 1,000 draws: a standard error of .007."""
    table = np.array([[0.85 * base, 0.15 * base], [0.15 * (1 - base), 0.85 * (1 - base)]])
    margins = (table.sum(0) + table.sum(1)) / 2
    chance = margins @ (1 - margins)
    truth = (np.trace(table) - chance) / (1 - chance)
    drawn = np.random.default_rng(rows).multinomial(rows, table.ravel(), 1000).reshape(-1, 2, 2)
    told = [found for one in drawn if (found := gwet_ac1(one)) is not None]
    assert np.mean([one.low <= truth <= one.high for one in told]) >= 0.93
