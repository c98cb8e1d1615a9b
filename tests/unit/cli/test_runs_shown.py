"""`nova-judge runs list` on a narrow terminal."""

import io

from nova_judge.cli.runs_shown import print_list
from nova_judge.cli.terminal import Console
from nova_judge.findings.index_entry import FAILED, REPORTED, IndexEntry


def test_each_run_has_two_lines_on_a_terminal_of_eighty_columns():
    shown = io.StringIO()
    entries = [
        IndexEntry(
            run_id="q-16771a71b15c",
            status=REPORTED,
            created="2026-11-29T15:39:01Z",
            recipe="pairwise",
            candidates={"A": "old", "B": "new"},
            judged=1200,
            headline="Inconclusive: both orders name B on 5 and A on 4 of 10 rows",
            actual_usd=1.5,
        ),
        IndexEntry(
            run_id="refused-x", status=FAILED, error="RecipeError", cause="no", estimate_usd=2
        ),
    ]

    print_list(Console(file=shown, width=80), "dev", entries, of=2)

    assert [line.rstrip() for line in shown.getvalue().splitlines()] == [
        "2026-11-29 15:39  q-16771a71b15c  REPORTED  pairwise  1,200 rows  $1.50",
        "    old / new: Inconclusive: both orders name B on 5 and A on 4 of 10 rows",
        "  refused-x       FAILED    (no name)  ~$2.00",
        "    RecipeError: no",
        "2 of 2 runs in stage dev",
    ]
