"""The order of judging: drawn, the same however the file is sorted, prompts together."""

import numpy as np

from nova_judge.pairs.judged_evidence import judging_ranks
from nova_judge.records import InputRow
from nova_judge.statistics.contest import contest_of_profiles
from nova_judge.statistics.early_stopping import may_stop
from nova_judge.statistics.statistics_settings import StatisticsSettings
from tests.made.profiles import counts


def rows(number: int) -> list[InputRow]:
    return [InputRow(line=n, id=str(n), prompt=f"question {n}") for n in range(1, number + 1)]


def test_the_file_s_order_plays_no_part() -> None:
    file = rows(500)
    ranks = dict(zip((row.id for row in file), judging_ranks(file).tolist(), strict=True))
    turned = file[::-1]
    assert dict(zip((row.id for row in turned), judging_ranks(turned).tolist(), strict=True)) == (
        ranks
    )
    assert sorted(ranks.values()) == list(range(500))
    assert list(ranks.values()) != sorted(ranks.values())
    assert judging_ranks(file, seed=1).tolist() != judging_ranks(file).tolist()


def test_rows_of_a_prompt_follow_one_another() -> None:
    file = [InputRow(line=n, id=str(n), prompt=f"q {n % 7}") for n in range(70)]
    at = np.array(judging_ranks(file))
    for prompt in range(7):
        places = np.sort(at[prompt::7])
        assert places[-1] - places[0] == 9


def test_a_sorted_file_raises_no_more_false_alarms() -> None:
    """Ten categories of 100 rows, won .72 by B and by A in turns; jobs of 100 rows."""
    rng = np.random.default_rng(4)
    ranks = judging_ranks(rows(1000))
    by_file = by_hash = 0
    for _ in range(100):
        share = np.repeat([0.72, 0.28] * 5, 100)
        wins = rng.random(1000) < share
        by_file += stops(wins)
        by_hash += stops(wins[np.argsort(ranks)])
    assert by_file > 80
    assert by_hash <= 5


def stops(wins: np.ndarray) -> bool:
    for seen in range(100, 1001, 100):
        b = int(wins[:seen].sum())
        contest = contest_of_profiles(counts(BB=b, AA=seen - b))
        if may_stop(contest, StatisticsSettings()):
            return True
    return False
