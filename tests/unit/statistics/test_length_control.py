"""Win rates at equal length: an outside fit, AlpacaEval's published figures, mirrors, errors."""

import csv
import gzip
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from nova_judge.findings.judgment_file import read_judgment_file
from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.evidence import EvidenceRow, Markup, gather
from nova_judge.statistics.findings import Estimates, find
from nova_judge.statistics.length_control import (
    FORMAT,
    LENGTH,
    PRECISION_PER_ROOT,
    STYLE,
    ControlledRate,
    controlled_win_rate,
    win_rate_at_equal,
)
from nova_judge.statistics.statistics_settings import DEFAULTS
from tests.made.profiles import ALPACA


def generated(number: int = 400, seed: int = 1, effect: float = 0.8):
    rng = np.random.default_rng(seed)
    difference = rng.normal(300, 500, (number, 1))
    share = 1 / (1 + np.exp(0.5 - effect * np.tanh(difference[:, 0] / difference.std())))
    return np.round((rng.random((2, number)) < share).mean(axis=0) * 4) / 4, difference


def test_the_fit_is_the_minimum_that_scipy_finds() -> None:
    scores, difference = generated()
    found = controlled_win_rate(scores, difference, ("length",))
    assert isinstance(found, ControlledRate)
    feature = np.tanh(difference[:, 0] / difference.std())

    def loss(parameters: np.ndarray) -> float:
        linear = parameters[0] + parameters[1] * feature
        fit = np.logaddexp(0, linear) - scores * linear
        ends = 0.5 * (2 * np.logaddexp(0, parameters[0]) - parameters[0])
        return float(fit.sum() + ends + PRECISION_PER_ROOT * 20 / 2 * parameters[1] ** 2)

    best = optimize.minimize(loss, [0.0, 0.0], tol=1e-12).x
    assert found.estimate == pytest.approx(1 / (1 + np.exp(-best[0])), abs=1e-6)
    assert found.effects[0].coefficient == pytest.approx(best[1], abs=1e-5)


def test_a_length_effect_is_taken_out() -> None:
    scores, difference = generated(4000)
    found = controlled_win_rate(scores, difference, ("length",))
    assert isinstance(found, ControlledRate)
    assert found.low <= 1 / (1 + np.exp(0.5)) <= found.high  # the share at equal length
    assert scores.mean() > found.high
    assert found.effects[0].more_wins is not None
    assert found.effects[0].more_wins.low > 0.5


def test_exchanging_the_candidates_mirrors_it_and_order_changes_no_bit() -> None:
    scores, difference = generated(301)
    found = controlled_win_rate(scores, difference, ("length",))
    turned = controlled_win_rate(1 - scores, -difference, ("length",))
    assert isinstance(found, ControlledRate)
    assert isinstance(turned, ControlledRate)
    mirrored = (1 - turned.estimate, 1 - turned.high, 1 - turned.low)
    assert mirrored == pytest.approx((found.estimate, found.low, found.high), abs=1e-15)
    assert turned.effects == found.effects
    order = np.random.default_rng(0).permutation(len(scores))
    assert controlled_win_rate(scores[order], difference[order], ("length",)) == found


def test_rows_without_a_length_are_left_out() -> None:
    scores, difference = generated(60)
    difference[:30] = np.nan
    found = controlled_win_rate(scores, difference, ("length",))
    assert isinstance(found, ControlledRate)
    assert found.rows == 30


def test_one_candidate_that_always_wins_keeps_the_fit_finite() -> None:
    found = controlled_win_rate(np.ones(40), np.arange(40.0)[:, None], ("length",))
    assert isinstance(found, ControlledRate)
    assert 0.9 < found.estimate < 1
    assert found.low < found.estimate < found.high


def test_what_the_data_do_not_allow_has_a_reason() -> None:
    few = controlled_win_rate(np.ones(5), np.ones((5, 1)), ("length",))
    assert few == Unscored("20 rows with length of both answers are needed: 5 are there")
    equal = controlled_win_rate(np.ones(30), np.ones((30, 1)), ("length",))
    assert equal == Unscored("the difference in length is the same in every row")


def test_alpaca_eval_s_published_figures_come_out(tmp_path: Path) -> None:
    models = defaultdict(list)
    with gzip.open(ALPACA / "preferences.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            models[row["model"]].append(row)
    ours, theirs = [], []
    with (ALPACA / "published.csv").open(encoding="utf-8") as file:
        for published in csv.DictReader(file):
            found = _stats(tmp_path / "one.csv", models[published["model"]])
            assert found.verdict.p_value <= 1
            rate, error = found.win_rate.estimate, found.standard_error
            assert 100 * rate == pytest.approx(float(published["win_rate"]), abs=1e-5)
            assert 100 * error == pytest.approx(float(published["standard_error"]), rel=0.01)
            ours.append(100 * found.length_controlled.estimate)
            theirs.append(float(published["length_controlled_winrate"]))
    assert stats.spearmanr(ours, theirs).statistic >= 0.98
    assert np.abs(np.array(ours) - theirs).mean() <= 1.1


def _stats(path: Path, rows: list[dict[str, str]]) -> Estimates:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "preference", "length_A", "length_B"])
        for row in rows:
            lengths = row["baseline_chars"], row["model_chars"]
            writer.writerow([row["instruction"], row["preference"], *lengths])
    reading = read_judgment_file(path)
    return find(reading.evidence, DEFAULTS, reading.basis)


def test_length_and_structure_together_take_out_what_each_alone_leaves() -> None:
    rng = np.random.default_rng(7)
    more = rng.normal(1, 1, (4_000, 2))
    share = 1 / (1 + np.exp(-0.8 * np.tanh(more / more.std(axis=0)).sum(axis=1)))
    wins = rng.random(4_000) < share
    evidence = gather(
        EvidenceRow(
            *[Verdict.B if won else Verdict.A] * 2,
            length_A=10_000,
            length_B=10_000 + round(1_000 * length),
            markup_A=Markup(headings=0, list_items=0, bold=100),
            markup_B=Markup(headings=0, list_items=0, bold=100 + round(10 * bold)),
        )
        for won, (length, bold) in zip(wins.tolist(), more.tolist(), strict=True)
    )
    raw = wins.mean()
    of_length, of_format = (win_rate_at_equal(evidence, names) for names in (LENGTH, FORMAT))
    joint = win_rate_at_equal(evidence, STYLE)
    assert [effect.feature for effect in joint.effects] == [
        "length",
        "headings",
        "list_items",
        "bold",
    ]
    assert raw > 0.65
    assert 0.58 < of_length.estimate < raw
    assert 0.58 < of_format.estimate < raw
    assert joint.low < 0.5 < joint.high


def test_rows_of_one_prompt_are_one_observation() -> None:
    """Ten copies of 60 rows say what 60 rows say."""
    scores, difference = generated(60)
    many, longer = np.repeat(scores, 10), np.repeat(difference, 10, axis=0)
    prompts = np.repeat(np.arange(1, 61), 10).astype(np.uint64)
    once = controlled_win_rate(scores, difference, ("length",))
    copies = controlled_win_rate(many, longer, ("length",), 0.95, prompts)
    as_rows = controlled_win_rate(many, longer, ("length",))
    widths = [one.high - one.low for one in (once, copies, as_rows)]
    assert widths[1] == pytest.approx(widths[0], rel=0.15)
    assert widths[2] < 0.5 * widths[1]
