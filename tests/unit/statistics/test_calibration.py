"""Calibration of margins: scikit-learn's isotonic regression, definitions, order of rows."""

import dataclasses

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

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
