"""Calibration of margins: scikit-learn's isotonic regression, definitions, order of rows."""

import dataclasses

import numpy as np
import pytest

from nova_judge.findings.judgment_file import read_judgment_file
from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.calibration import Calibration, IsotonicMap, calibrate, isotonic
from nova_judge.statistics.evidence import Evidence, EvidenceRow, gather, key_of
from tests.made.profiles import DATA


def margins(number: int, seed: int = 3, steps: int = 0) -> Evidence:
    """Rows whose judge is right more often the larger its margin is."""
    rng = np.random.default_rng(seed)
    confidence = rng.random(number)
    if steps:
        confidence = np.ceil(confidence * steps) / steps
    right = rng.random(number) < 0.5 + confidence / 2
    names_a = rng.random(number) < 0.5
    return gather(
        EvidenceRow(
            margin=float(c if a else -c),
            label=Verdict.A if a == ok else Verdict.B,
            cluster=key_of(str(n)),
        )
        for n, (c, ok, a) in enumerate(zip(confidence, right, names_a, strict=True))
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("steps", [0, 8])
def test_the_map_is_that_of_scikit_learn(seed: int, steps: int) -> None:
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(seed)
    where = rng.random(200)
    if steps:
        where = np.ceil(where * steps) / steps
    where = np.sort(where)
    hits = rng.random(200) < where
    expected = IsotonicRegression(out_of_bounds="clip").fit(where, hits)
    probes = np.linspace(-0.2, 1.2, 57)
    assert isotonic(where, hits)(probes) == pytest.approx(expected.predict(probes), abs=1e-12)


def test_the_buckets_hold_all_rows_by_confidence() -> None:
    found = calibrate(margins(500))
    assert isinstance(found, Calibration)
    assert sum(bucket.rows for bucket in found.buckets) == found.rows == 500
    assert found.expected_error < 0.08
    assert [b.low for b in found.buckets] == sorted(b.low for b in found.buckets)


def test_a_map_that_is_wrong_elsewhere_is_found_out_by_held_out_rows() -> None:
    rng = np.random.default_rng(1)
    noise = gather(
        EvidenceRow(margin=float(m), label=Verdict(rng.choice(["A", "B"]))) for m in rng.random(200)
    )
    found = calibrate(noise)
    assert isinstance(found, Calibration)
    assert found.brier > 0.24


def test_equal_margins_do_not_leak_the_labels_into_the_folds() -> None:
    """Five margins, 100 rows: the map is off by .078 (root mean square) of what is so."""
    said, true = [], []
    for seed in range(100):
        found = calibrate(margins(100, seed, steps=5))
        at = np.array([step.confidence for step in found.map])
        fitted = IsotonicMap(at, np.array([step.probability for step in found.map]))
        steps = np.arange(1, 6) / 5
        said.append(found.expected_error)
        true.append(float(np.mean((fitted(steps) - (0.5 + steps / 2)) ** 2)))
    assert np.mean(said) == pytest.approx(np.sqrt(np.mean(true)), abs=0.02)


def test_brier_stands_beside_what_the_base_rate_alone_would_score() -> None:
    rng = np.random.default_rng(2)
    noise = gather(
        EvidenceRow(margin=float(m), label=Verdict.A if a else Verdict.B, cluster=key_of(str(n)))
        for n, (m, a) in enumerate(zip(rng.random(400), rng.random(400) < 0.7, strict=True))
    )
    useless = calibrate(noise)
    assert useless.brier >= useless.brier_base_rate
    useful = calibrate(margins(400))
    assert useful.brier < useful.brier_base_rate


def test_the_order_of_rows_changes_no_bit() -> None:
    rows = margins(300, steps=12)
    shuffled = rows.where(np.random.default_rng(0).permutation(rows.rows))
    assert calibrate(shuffled) == calibrate(rows)


def test_exchanging_the_candidates_changes_nothing() -> None:
    rows = margins(300)
    turned = dataclasses.replace(rows, margins=-rows.margins, labels=(1 - rows.labels))
    assert calibrate(turned) == calibrate(rows)


def test_margins_of_zero_are_counted_and_left_out() -> None:
    zeros = gather([EvidenceRow(margin=0.0, label=Verdict.A)] * 5)
    rows = dataclasses.replace(
        margins(50),
        margins=np.append(margins(50).margins[:45], zeros.margins),
    )
    found = calibrate(rows)
    assert isinstance(found, Calibration)
    assert (found.rows, found.undecided) == (45, 5)


def test_what_the_data_do_not_allow_has_a_reason() -> None:
    assert calibrate(gather([])) == Unscored("no row has both a margin and a label A or B")
    assert calibrate(margins(19)) == Unscored("19 rows have a margin and a label, 20 are needed")
    equal = gather([EvidenceRow(margin=0.5, label=Verdict.A)] * 30)
    found = calibrate(equal)
    assert isinstance(found, Calibration)
    assert len(found.buckets) == 1


def test_a_real_reward_model_is_nearly_calibrated_once_mapped() -> None:
    reading = read_judgment_file(DATA / "judgebench-reward-model" / "margins.csv")
    found = calibrate(reading.evidence)
    assert isinstance(found, Calibration)
    assert found.rows == 350
    assert found.accuracy == pytest.approx(0.594, abs=5e-4)
    assert found.expected_error == pytest.approx(0.106, abs=5e-4)
    assert found.brier == pytest.approx(0.240, abs=5e-4)
    assert found.brier_base_rate == pytest.approx(0.243, abs=5e-4)


def drawn(rows: Evidence, seed: int = 5) -> Evidence:
    """The rows, each with a probability of 1, 1/2, 1/3 or 1/4 that is none of its own making."""
    chance = 1.0 / np.random.default_rng(seed).integers(1, 5, rows.rows)
    return dataclasses.replace(rows, probabilities=chance)


def test_drawn_rows_count_as_often_as_one_over_their_probability() -> None:
    rows = drawn(margins(200, steps=6))
    times = np.round(1.0 / rows.probabilities).astype(int)
    found = calibrate(rows)
    alike = dataclasses.replace(rows, probabilities=np.full(200, np.nan)).repeated(times)
    stretched = calibrate(alike)
    assert isinstance(found, Calibration)
    assert isinstance(stretched, Calibration)
    right = (rows.margins < 0) == (rows.labels == 1)
    assert found.accuracy == pytest.approx(times @ right / times.sum())
    assert found.accuracy == pytest.approx(stretched.accuracy)
    for one, other in zip(found.map, stretched.map, strict=True):
        assert one.confidence == other.confidence
        assert one.probability == pytest.approx(other.probability)
    for bucket in found.buckets:
        size = np.abs(rows.margins)
        inside = (size >= bucket.low) & (size <= bucket.high)
        assert bucket.share == pytest.approx(times[inside] @ right[inside] / times[inside].sum())
        assert bucket.share_low <= bucket.share <= bucket.share_high
        assert bucket.rows == inside.sum()
    assert found.rows == 200


def test_equal_probabilities_change_no_figure_but_the_intervals() -> None:
    rows = margins(150)
    plain, found = (
        calibrate(dataclasses.replace(rows, probabilities=np.full(150, chance)))
        for chance in (np.nan, 0.25)
    )
    assert isinstance(plain, Calibration)
    assert isinstance(found, Calibration)
    assert found.expected_error == pytest.approx(plain.expected_error)
    assert found.brier == pytest.approx(plain.brier)
    assert found.brier_base_rate == pytest.approx(plain.brier_base_rate)
    assert [b.predicted for b in found.buckets] == pytest.approx(
        [b.predicted for b in plain.buckets]
    )


def test_a_draw_that_prefers_wrong_rows_leaves_the_accuracy_of_all() -> None:
    """Rows on which the judge is wrong are drawn three times as often as the others."""
    rows, rng = margins(4000), np.random.default_rng(8)
    right = (rows.margins < 0) == (rows.labels == 1)
    chance = np.where(right, 0.2, 0.6)
    sample = dataclasses.replace(rows, probabilities=chance).where(rng.random(4000) < chance)
    found = calibrate(sample)
    assert isinstance(found, Calibration)
    assert found.accuracy == pytest.approx(right.mean(), abs=0.02)
    bare = calibrate(dataclasses.replace(sample, probabilities=np.full(sample.rows, np.nan)))
    assert isinstance(bare, Calibration)
    assert bare.accuracy < right.mean() - 0.2


def test_rows_with_a_label_that_nobody_drew_stand_aside_of_a_review() -> None:
    rows = margins(100)
    chance = np.where(np.arange(100) < 60, 0.5, np.nan)
    found = calibrate(dataclasses.replace(rows, probabilities=chance))
    assert isinstance(found, Calibration)
    assert found.rows == 60
