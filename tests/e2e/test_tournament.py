"""Six candidates answer 200 prompts once each; every pair is judged, and one report ranks them."""

import json
import random
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from nova_judge.findings.saved_report import open_report
from nova_judge.records import Verdict
from tests.made.chat_server import chat_server
from tests.made.command_line import forked
from tests.made.forks import accounts_from

ROOT = Path(__file__).parents[2]

NAMES = [f"ckpt-{step}" for step in range(100, 700, 100)]
PROMPTS = 200

pytestmark = pytest.mark.slow


def recorded(model, number):
    """A later checkpoint repeats more of the reference; the same for every call."""
    skill = 0.15 + 0.12 * NAMES.index(model)
    draw = random.Random(f"{model} {number}").random()  # noqa: S311 - a fixed table
    return f"the number is {number * 7}" if draw < skill else "no idea at all"


def answered(request):
    return recorded(request["model"], int(request["messages"][-1]["content"].split()[-1]))


@pytest.fixture(scope="module")
def played(forks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tournament")
    lines = [
        {"prompt": f"Question {n}", "reference": f"the number is {n * 7}"} for n in range(PROMPTS)
    ]
    file = folder / "questions.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")
    judge = (ROOT / "recipes/pairwise.yaml").read_text("utf-8").partition("\njudge:")[2]
    judge = judge.partition("\nbudget:")[0]
    with chat_server(lambda request: answered(request) if is_asked(request) else "yes") as server:
        candidates = "".join(f"  {name}: {{openai: '{server.url}#{name}'}}\n" for name in NAMES)
        recipe = folder / "tournament.yaml"
        recipe.write_text(f"kind: llm_judge\ncandidates:\n{candidates}judge:{judge}\n", "utf-8")
        asked_for = ["local", "run", file, "--recipe", recipe, "--out", folder / "run"]
        done = forked(asked_for, folder=ROOT, prepare=lambda: accounts_from(forks))
        assert done.returncode == 0, done.stdout + done.stderr
        asked = {name: server.prompts_of(name) for name in NAMES}
    return folder / "run", asked, done.stdout


def is_asked(request):
    return request["messages"][-1]["content"].startswith("Question")


def test_each_candidate_answers_each_prompt_once(played):
    _, asked, _ = played
    for name in NAMES:
        assert sorted(asked[name]) == sorted(f"Question {n}" for n in range(PROMPTS))


def test_the_leaderboard_is_choix_s_over_the_same_pairs(played):
    import choix

    out, _, _ = played
    board = open_report(out).metrics.tournament.board
    wins = []
    for a, b in combinations(range(len(NAMES)), 2):
        report = open_report(out / f"report/pairs/{NAMES[a]}-vs-{NAMES[b]}")
        for row in report.rows():
            for verdict in (row.judgment.forward, row.judgment.backward):
                half = {Verdict.A: [(a, b)] * 2, Verdict.B: [(b, a)] * 2}
                wins += 5 * half.get(verdict, [(a, b), (b, a)])
        # A row is 20 of these. Ours begins with a tenth of an observation at either end of a pair:
        # half a one times 6 candidates over 2 x 15 pairs.
        wins += 2 * [(a, b), (b, a)]
    theirs = choix.opt_pairwise(len(NAMES), wins, alpha=1e-9)
    ours = [next(s.strength for s in board.standings if s.name == name) for name in NAMES]
    assert ours == pytest.approx(list(theirs - theirs.mean()), abs=1e-4)
    assert [standing.name for standing in board.standings] == [
        NAMES[place] for place in np.argsort(-theirs)
    ]


def test_one_report_has_board_matrix_and_pairs(played):
    out, _, told = played
    metrics = json.loads((out / "report/metrics.json").read_text("utf-8"))
    found = metrics["tournament"]
    assert metrics["rows"] == {
        "input": PROMPTS,
        "rejected": 0,
        "generation_failed": 0,
        "judge_failed": 0,
        "judged": PROMPTS,
    }
    assert len(found["pairs"]) == 15
    assert [use["output_tokens"] for use in found["candidates"]] == [5 * PROMPTS] * 6
    assert {use["stand_in"] for use in found["candidates"]} == {None}
    assert metrics["headline"]["words"] in " ".join(told.split())
    page = (out / "report/report.html").read_text("utf-8")
    assert 'href="pairs/ckpt-100-vs-ckpt-600/report.html"' in page
    assert (out / "report/pairs/ckpt-100-vs-ckpt-600/report.html").is_file()
    assert metrics["judge"]["stand_in"].startswith("reference")
