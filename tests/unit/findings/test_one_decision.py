"""One run, one answer: verdict, gate, categories, leaderboard and headline never differ."""

import random

import msgspec
import pytest

from nova_judge.findings.gate import GateOutcome, GateRules, judge_gate
from nova_judge.findings.leaderboard import Match, leaderboard
from nova_judge.findings.metrics_record import Metrics, Rows
from nova_judge.findings.sentences import headline
from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.clusters import ClusterCounts
from nova_judge.statistics.contest import contest_of_profiles, decision_of, win_rate_of
from nova_judge.statistics.decision import Word
from nova_judge.statistics.evidence import Evidence, EvidenceRow, gather
from nova_judge.statistics.findings import find
from nova_judge.statistics.outcomes import profiles_from_dict
from nova_judge.statistics.statistics_settings import StatisticsSettings
from tests.made import generated
from tests.made.profiles import counts

GATE = {Word.B_BETTER: GateOutcome.PASS, Word.A_BETTER: GateOutcome.WORSE}
RANKS = {Word.B_BETTER: {"b": 1, "a": 2}, Word.A_BETTER: {"a": 1, "b": 2}}
SPOKEN = {Word.B_BETTER: "B is better", Word.A_BETTER: "A is better"}
ASKED = (Verdict.A, Verdict.B, Verdict.TIE)


@pytest.fixture(scope="module")
def blank() -> Metrics:
    return generated.metrics(generated.judged_rows(20))


def random_run(seed: int) -> Evidence:
    """Few or many rows, lopsided or level, with ties, flips, lost orders and repeated prompts."""
    draw = random.Random(seed)  # noqa: S311  test data
    rows = int(2 ** draw.uniform(1, 8))
    share, ties, flips, lost = (draw.random() ** power for power in (1, 2, 2, 4))
    prompts = rows if draw.random() < 0.6 else max(1, rows // draw.randint(2, 6))

    def one() -> Verdict:
        if draw.random() < ties:
            return Verdict.TIE
        return Verdict.B if draw.random() < share else Verdict.A

    def row(number: int) -> EvidenceRow:
        forward = one()
        backward = one() if draw.random() < flips else forward
        hidden = Unscored("lost")
        return EvidenceRow(
            hidden if draw.random() < lost / 2 else forward,
            hidden if draw.random() < lost / 2 else backward,
            category="all",
            cluster=1 + number % prompts,
        )

    return gather(row(number) for number in range(rows))


def check(blank: Metrics, seed: int) -> Word:
    settings = StatisticsSettings(equivalence_margin=0.1 if seed % 3 == 0 else None)
    found = find(random_run(seed), settings)
    profiles = profiles_from_dict(found.profiles)
    word = found.verdict.word
    metrics = msgspec.structs.replace(
        blank,
        **msgspec.structs.asdict(found)
        | {
            "statistics": settings,
            "rows": Rows(
                input=profiles.rows,
                rejected=0,
                generation_failed=0,
                judge_failed=profiles.judge_failed,
                judged=profiles.judged,
            ),
        },
    )
    gate = judge_gate(metrics, GateRules(max_errors=1.0)).outcome
    if metrics.win_rate is not None:
        assert gate is GATE.get(word, GateOutcome.INCONCLUSIVE)
    if found.slices[0].word is not None:
        assert found.slices[0].word is word
    if word is not Word.EQUIVALENT:
        contest = contest_of_profiles(profiles)._replace(clusters=found.clusters)
        board = leaderboard([Match("a", "b", profiles, None, contest)]).standings
        ranks = {one.name: one.rank for one in board if one.rank}
        assert ranks == RANKS.get(word, {})
    assert headline(metrics).words.startswith(
        SPOKEN.get(word, "A and B are equi" if word is Word.EQUIVALENT else "Inconclusive")
    )
    if word in GATE:
        assert (metrics.win_rate.low > 0.5) is (word is Word.B_BETTER)
        assert (metrics.win_rate.high < 0.5) is (word is Word.A_BETTER)
    return word


def test_no_two_surfaces_differ(blank: Metrics) -> None:
    words = {check(blank, seed) for seed in range(120)}
    assert words == set(Word)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_no_two_surfaces_differ_in_five_thousand_runs(blank: Metrics, part: int) -> None:
    for seed in range(1000 * part, 1000 * (part + 1)):
        check(blank, seed)


def test_the_gate_follows_the_test_and_not_the_interval_alone() -> None:
    """60 to 40: the interval leaves one half out, the test does not decide."""
    contest = contest_of_profiles(counts(BB=60, AA=40))
    assert win_rate_of(contest).low > 0.5
    assert decision_of(contest) is Word.INCONCLUSIVE


def test_a_judge_that_names_the_first_answer_decides_nothing_however_many_orders_it_lost() -> None:
    """300 rows, `A>B` in either order, 30 % of the backward ones lost."""
    contest = contest_of_profiles(counts(AB=210, Ae=90))
    rate = win_rate_of(contest)
    assert rate.estimate == 0.5
    assert decision_of(contest) is Word.INCONCLUSIVE
    assert (contest.lost.low, contest.lost.high) == (0.35, 0.5)


def test_a_category_that_the_win_rate_contradicts_names_no_side() -> None:
    rows = [EvidenceRow(Verdict.B, Verdict.B, category="math")] * 30
    rows += [EvidenceRow(Verdict.A, Verdict.A, category="math")] * 10
    rows += [EvidenceRow(Verdict.A, Verdict.TIE, category="math")] * 100
    part = find(gather(rows), StatisticsSettings()).slices[0]
    assert part.p_holm < 0.05
    assert part.differs is False


def test_twenty_prompts_ten_times_each_are_twenty_prompts() -> None:
    rows = [
        EvidenceRow(side, side, cluster=prompt)
        for prompt in range(1, 21)
        for side in [Verdict.B if prompt <= 7 else Verdict.A] * 10
    ]
    found = find(gather(rows), StatisticsSettings())
    assert found.verdict.word is Word.INCONCLUSIVE
    assert found.verdict.p_value == pytest.approx(0.263, abs=5e-4)
    assert "both orders name B on 70 and A on 130 of 200 rows on 20 prompts" in (
        found.verdict.sentence
    )
    assert isinstance(found.clusters, ClusterCounts)
    assert (found.repeats.prompts, found.repeats.most_rows) == (20, 10)
    alone = find(gather(rows[::10]), StatisticsSettings())
    assert alone.verdict.p_value == pytest.approx(found.verdict.p_value)
    assert alone.clusters is None
