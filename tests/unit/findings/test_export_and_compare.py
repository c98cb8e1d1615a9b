import json
import random
from collections import Counter

import msgspec
import pytest
from typer.testing import CliRunner

from nova_judge.cli.main import app
from nova_judge.errors import NotComparableError, RecipeError
from nova_judge.findings.checkpoint_comparison import (
    WEIGHTED,
    WIN_RATE,
    RunRows,
    compare,
    require_same_judge,
    rows_of_run,
)
from nova_judge.findings.metrics import failed_metrics
from nova_judge.findings.metrics_record import Reweighing
from nova_judge.findings.reweighed import ScoredRow, choose_weights, scored_rows
from nova_judge.findings.row_text import row_text
from nova_judge.findings.saved_report import open_report
from nova_judge.findings.training_forms import Format, Texts
from nova_judge.findings.training_forms import records as training_records
from nova_judge.findings.training_records import STAGES, Filters, export, rows_for
from nova_judge.pairs.criteria import default_groups, load_groups
from nova_judge.pairs.criterion_weights import reweigh, weighting
from nova_judge.pairs.rubric_columns import columns_of
from nova_judge.pairs.weighted_scores import point_scores, recomputed_scores
from nova_judge.records import Criterion, Judgment, Rubric, Unscored, Verdict
from nova_judge.statistics.outcomes import Reconciled, profile_of, reconcile
from nova_judge.text import visible
from tests.made import details, generated, runs
from tests.made.changed import changed

RUN = failed_metrics(generated.facts(0, "r1"), "none", "none")


def scored(rows):
    """The rows with the judge's own weighted scores."""
    return [ScoredRow(row, recomputed_scores(row.judgment)) for row in rows]


def exported(rows, form=Format.DPO, **filters):
    left_out = Counter()
    records = list(export(scored(rows), form, Filters(**filters), RUN, left_out))
    assert len(records) + left_out.total() == len(rows)
    return records, left_out


def test_pairs_follow_the_verdict_of_both_orders_and_the_margin():
    rows = runs.generated_rows(300)
    records, left_out = exported(rows, min_margin=0.1, max_margin=0.6)
    by_id = {row.row.id: row for row in rows}
    assert records
    for record, source in records:
        judged = by_id[source.id]
        winner = source.winner
        assert reconcile(profile_of(judged.judgment)) == Reconciled(winner)
        margin = recomputed_scores(judged.judgment).margin
        assert json.loads(source.weighted_scores)["margin"] == margin
        assert 0.1 <= (margin if winner == "A" else -margin) <= 0.6
        assert record["chosen"] == f"answer {winner} {judged.row.line}"
        assert record["rejected"].startswith("answer")
        assert record["rejected"] != record["chosen"]
        assert source.run_id == "r1"
    assert set(left_out) <= {
        "tie",
        "the orders disagree",
        "a verdict is missing",
        "the margin points against the verdict",
        "margin outside the limits",
    }


def test_answers_carry_point_wise_scores_and_are_filtered_by_them():
    rows = runs.generated_rows(300)
    records, left_out = exported(rows, Format.SFT, least={"accuracy": 0.75}, min_score=0.5)
    assert records
    for record, source in records:
        assert set(record) == {"prompt", "completion"}
        scores = json.loads(source.scores_chosen)
        assert scores["accuracy"] >= 0.75
        assert json.loads(source.weighted_scores)[source.winner] >= 0.5
        assert all(0 <= score <= 1 for score in scores.values())
    assert left_out["no criterion accuracy"] > 0


def test_a_curriculum_goes_from_wide_to_narrow_margins_in_stages():
    records, _ = exported(runs.generated_rows(300), Format.CURRICULUM)
    margins = [abs(json.loads(one.provenance.weighted_scores)["margin"]) for one in records]
    assert margins == sorted(margins, reverse=True)
    stages = [one.training["stage"] for one in records]
    assert stages == sorted(stages)
    sizes = Counter(stages)
    assert set(sizes) == set(range(1, STAGES + 1))
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_rows_without_rubric_pass_only_unfiltered_and_both_bad_never():
    [row] = runs.judged_rows([details.pairwise_metrics("[[A>B]]", "[[B>A]]")])
    assert exported([row])[0][0].provenance.weighted_scores == "null"
    assert exported([row], min_margin=0.1)[1] == {"no rubric to filter by": 1}
    assert exported([row], Format.CURRICULUM)[1] == {"no weighted scores to order by": 1}
    bad = details.pairwise_metrics("[[A=B (bothbad)]]", "[[A=B (bothbad)]]")
    assert exported(runs.judged_rows([bad]))[1] == {"both answers are bad": 1}


TEXTS = Texts("Q", "Be brief.", "good", "bad")
ASKED = {"role": "user", "content": "Q"}
TOLD = {"role": "system", "content": "Be brief."}


def said(text):
    return [{"role": "assistant", "content": text}]


@pytest.mark.parametrize(
    ("form", "conversational", "expected"),
    [
        (Format.DPO, False, [{"prompt": "Q", "chosen": "good", "rejected": "bad"}]),
        (Format.REWARD, False, [{"prompt": "Q", "chosen": "good", "rejected": "bad"}]),
        (Format.SFT, False, [{"prompt": "Q", "completion": "good"}]),
        (
            Format.KTO,
            False,
            [
                {"prompt": "Q", "completion": "good", "label": True},
                {"prompt": "Q", "completion": "bad", "label": False},
            ],
        ),
        (
            Format.DPO,
            True,
            [{"prompt": [TOLD, ASKED], "chosen": said("good"), "rejected": said("bad")}],
        ),
        (Format.SFT, True, [{"prompt": [TOLD, ASKED], "completion": said("good")}]),
        (
            Format.BEDROCK_SFT,
            False,
            [
                {
                    "schemaVersion": "bedrock-conversation-2024",
                    "system": [{"text": "Be brief."}],
                    "messages": [
                        {"role": "user", "content": [{"text": "Q"}]},
                        {"role": "assistant", "content": [{"text": "good"}]},
                    ],
                }
            ],
        ),
        (
            Format.NOVA_DPO,
            False,
            [
                {
                    "schemaVersion": "bedrock-conversation-2024",
                    "system": [{"text": "Be brief."}],
                    "messages": [
                        {"role": "user", "content": [{"text": "Q"}]},
                        {
                            "role": "assistant",
                            "candidates": [
                                {"content": [{"text": "good"}], "preferenceLabel": "preferred"},
                                {"content": [{"text": "bad"}], "preferenceLabel": "non-preferred"},
                            ],
                        },
                    ],
                }
            ],
        ),
    ],
)
def test_records_have_the_documented_forms(form, conversational, expected):
    assert training_records(TEXTS, form, conversational=conversational) == expected


def test_every_record_of_a_file_has_the_same_columns_and_types():
    rows = runs.generated_rows(200)
    rows[0] = msgspec.structs.replace(
        rows[0], row=msgspec.structs.replace(rows[0].row, category=None)
    )
    records, _ = exported(rows)
    for part in (0, 1):
        shapes = {
            tuple((name, type(value)) for name, value in msgspec.to_builtins(one[part]).items())
            for one in records
        }
        assert len(shapes) == 1
    assert {type(v) for v in msgspec.structs.astuple(records[0].provenance)} == {str, int}


def reweighted(folder, rows, weights):
    """The records of a run under other weights, and what was left out."""
    report, left_out = open_report(runs.write_run(folder, rows)), Counter()
    scored_so = scored_rows(report, choose_weights(report, Reweighing(weights)))
    made = export(scored_so, Format.DPO, Filters(weights=weights), RUN, left_out)
    return list(made), left_out


def test_other_weights_name_the_winner_as_reweight_does(tmp_path):
    rows = runs.generated_rows(200)
    groups = default_groups()
    records, left_out = reweighted(tmp_path / "run", rows, "accuracy=1")
    by_id = {row.row.id: row for row in rows}
    assert records
    for one in records:
        judged, winner = by_id[one.provenance.id], one.provenance.winner
        of = {side: point_scores(judged.judgment, side, groups)["accuracy"] for side in "AB"}
        assert of[winner] > of["B" if winner == "A" else "A"]
    assert set(left_out) <= {"tie", "no criterion with a weight"}


def test_criteria_of_one_group_count_by_their_weights_as_in_reweight(tmp_path):
    [row] = runs.generated_rows(1)
    part = {"type": "scale", "score_A": 5.0, "score_B": 1.0}
    turned = {"type": "scale", "score_A": 1.0, "score_B": 5.0}
    criteria = (
        Criterion(name="clarity", weight=0.9, **part),
        Criterion(name="readability", weight=0.1, **turned),
    )
    judgment = msgspec.structs.replace(row.judgment, rubric=Rubric(criteria=criteria))
    rows = [msgspec.structs.replace(row, judgment=judgment)]
    [made], _ = reweighted(tmp_path / "run", rows, "clarity=1")
    assert json.loads(made.provenance.weighted_scores) == {"A": 0.9, "B": 0.1, "margin": 0.8}
    columns = columns_of([judgment], default_groups())
    same = reweigh(columns, weighting(columns, default_groups(), weights="clarity=1"))
    assert (same.A.tolist(), same.B.tolist()) == ([0.9], [0.1])


def test_the_command_writes_a_new_file_and_says_what_it_left_out(tmp_path):
    run = runs.write_run(tmp_path / "run", runs.generated_rows(80))
    out = tmp_path / "pairs.jsonl"
    asked = ["export", str(run), "--out", str(out), "--margin", "0.1:1"]
    first = CliRunner().invoke(app, asked)
    assert first.exit_code == 0, first.output
    lines = out.read_text().splitlines()
    origins = (tmp_path / "pairs.provenance.jsonl").read_text().splitlines()
    assert len(origins) == len(lines)
    assert all(json.loads(line)["run_id"] == "run" for line in origins)
    assert f"{len(lines)} records" in first.stderr
    assert "left out" in first.stderr
    assert "exists already" in str(CliRunner().invoke(app, asked).exception)
    for wrong in (["--margin", "0.9:0.1"], ["--margin", "x"], ["--criterion", "accuracy:2"]):
        again = CliRunner().invoke(app, [*asked[:3], str(tmp_path / "new"), *wrong])
        assert "write " in str(again.exception)
    only = [*asked[:3], str(tmp_path / "only.jsonl"), "--only", "accuracy", "--format", "kto"]
    assert CliRunner().invoke(app, only).exit_code == 0
    unknown = [*asked[:3], str(tmp_path / "u.jsonl"), "--weights", "acuracy=1"]
    assert "No row of this run has a criterion 'acuracy'. It has: accuracy" in (
        refusal := str(CliRunner().invoke(app, unknown).exception)
    )
    assert refusal.endswith(". Did you mean 'accuracy'?")


def better_on(rows, name, by):
    """The same rows with B better on one criterion."""

    def raised(one):
        if one.name != name or one.type == "binary":
            return one
        return msgspec.structs.replace(one, score_B=min(5.0, one.score_B + by))

    return [
        msgspec.structs.replace(
            row,
            judgment=msgspec.structs.replace(
                row.judgment,
                rubric=msgspec.structs.replace(
                    row.judgment.rubric,
                    criteria=tuple(map(raised, row.judgment.rubric.criteria)),
                ),
            ),
        )
        for row in rows
    ]


def test_a_checkpoint_that_gained_on_one_criterion_is_found_and_no_other(tmp_path):
    rows = runs.generated_rows(120)
    first = open_report(runs.write_run(tmp_path / "step-1", rows))
    other = open_report(runs.write_run(tmp_path / "step-2", better_on(rows, "accuracy", 1), "new"))
    groups = default_groups()
    require_same_judge([first, other])
    [found] = compare(rows_of_run(first, groups), [rows_of_run(other, groups)])
    words = {one.measure: one.word for one in found.changes}
    assert words.pop("accuracy") == "better"
    assert words.pop(WEIGHTED) == "better"
    assert set(words.values()) == {"no more than noise"}
    assert words[WIN_RATE] == "no more than noise"
    accuracy = next(one for one in found.changes if one.measure == "accuracy")
    assert accuracy.down == 0
    assert 0 < accuracy.low <= accuracy.change <= accuracy.high
    assert abs(accuracy.other - accuracy.first - accuracy.change) < 1e-12
    [back] = compare(rows_of_run(other, groups), [rows_of_run(first, groups)])
    assert {one.measure: -one.change for one in back.changes} == {
        one.measure: one.change for one in found.changes
    }
    assert (found.common, found.only_first, found.only_other) == (120, 0, 0)


def standing_with(scores):
    rows = {n: {WEIGHTED: score} for n, score in enumerate(scores)}
    return RunRows("run", "b", rows)


def test_the_interval_of_a_small_change_holds_it_however_many_the_pairs():
    draw = random.Random(11)  # noqa: S311
    truth, runs_, held = 0.01, 60, 0
    for _ in range(runs_):
        moved = draw.choices((0.025, -0.025, 0.0), (0.6, 0.2, 0.2), k=3_000)
        [found] = compare(standing_with([0.0] * 3_000), [standing_with(moved)])
        [change] = found.changes
        held += change.low <= truth <= change.high
        assert change.low < change.change < change.high
    assert held >= 0.9 * runs_


def run_of(measure, scores):
    return RunRows("run", "b", {n: {measure: score} for n, score in enumerate(scores)})


GAINED = [0.30, 0.31, 0.32, 0.33, 0.34, 0.35]
"""All of six pairs gain: p = 2 / 2^6."""


@pytest.mark.parametrize("measure", [WIN_RATE, WEIGHTED, "accuracy"])
def test_each_further_checkpoint_is_one_more_look(measure):
    base, gained = run_of(measure, [0.0] * 6), run_of(measure, GAINED)
    [[alone]] = [found.changes for found in compare(base, [gained])]
    assert (alone.p_value, alone.word) == (0.03125, "better")
    both = [found.changes[0] for found in compare(base, [gained, gained])]
    assert [(one.p_value, one.word) for one in both] == [(0.0625, "no more than noise")] * 2
    assert (both[0].low, both[0].high) == (alone.low, alone.high)


def test_win_rate_and_weighted_score_are_questions_of_their_own():
    base = RunRows("run", "b", {n: {WIN_RATE: 0.0, WEIGHTED: 0.0} for n in range(6)})
    rows = {n: {WIN_RATE: score, WEIGHTED: score} for n, score in enumerate(GAINED)}
    [found] = compare(base, [RunRows("run", "b", rows)])
    assert [(one.measure, one.p_value) for one in found.changes] == [
        (WIN_RATE, 0.03125),
        (WEIGHTED, 0.03125),
    ]


def test_response_a_of_two_files_is_one_baseline_only_where_the_answers_agree():
    rows = {key: {WIN_RATE: 0.5} for key in range(6)}
    held = {key: frozenset({key}) for key in rows}
    first = RunRows("one", "b", rows, held)
    same = [RunRows("two", "c", rows, dict(held)), RunRows("named", "c", rows)]
    assert [found.common for found in compare(first, same)] == [6, 6]
    other = RunRows("three", "c", rows, {**held, 3: frozenset({99})})
    with pytest.raises(NotComparableError, match=r"on 1 of 6 prompts.*--name-a"):
        compare(first, [other])


def test_runs_of_other_judges_or_prompts_are_not_compared(tmp_path):
    rows = runs.generated_rows(10)
    first = open_report(runs.write_run(tmp_path / "one", rows))
    stranger = first._replace(metrics=changed(first.metrics, "judge.model", "another"))
    with pytest.raises(NotComparableError, match="differ in judge: nova-2-lite and another"):
        require_same_judge([first, stranger])
    groups = default_groups()
    other = rows_of_run(first, groups)._replace(rows={1: {WIN_RATE: 1.0}})
    with pytest.raises(NotComparableError, match="no prompt in common"):
        compare(rows_of_run(first, groups), [other])


def test_a_run_whose_verdict_is_blocked_is_not_compared(tmp_path):
    first = open_report(runs.write_run(tmp_path / "one", runs.generated_rows(10)))
    reasons = ("the judge prefers padding",)
    blocked = first._replace(metrics=changed(first.metrics, "statistics.blocked_by", reasons))
    with pytest.raises(NotComparableError, match="the judge prefers padding"):
        require_same_judge([first, blocked])


def test_the_compare_command_prints_words_and_json(tmp_path):
    rows = runs.generated_rows(40)
    folders = [
        str(runs.write_run(tmp_path / name, better_on(rows, "accuracy", gain), name))
        for name, gain in (("base", 0), ("gain", 2))
    ]
    shown = CliRunner().invoke(app, ["compare", *folders])
    assert shown.exit_code == 0, shown.output
    assert "accuracy" in shown.output
    plain = json.loads(CliRunner().invoke(app, ["compare", *folders, "--json"]).stdout)
    assert plain[0]["candidate"] == "gain"
    assert "two runs" in str(CliRunner().invoke(app, ["compare", folders[0]]).exception)


def test_a_row_is_shown_as_the_notebook_shows_it_with_what_differs():
    [judged] = runs.judged_rows([details.PHOTOSYNTHESIS])
    shown = row_text(1, judged, default_groups())
    for line in (
        "Row 1:",
        "  A wins: 0",
        "  B wins: 2",
        "  Weighted A: 0.425 (the job printed 0.225)",
        "  Weighted B: 1.000",
        "  Margin: -0.575 (the job printed -0.775)",
        "    completeness:",
        "      Score A: 2, Score B: 5",
        "      Weight: 0.5, Type: scale",
    ):
        assert line in shown
    assert "clarity:" not in row_text(1, judged, default_groups(), ["completeness"])


def test_hostile_texts_cannot_drive_the_terminal():
    criterion = Criterion(
        name="\x1b]0;x\x07tone", weight=1, type="binary", score_A=1, score_B=0,
        justification_A="\x1b[2J\u202egone\x00",
    )  # fmt: skip
    judgment = Judgment(
        forward=Verdict.A,
        backward=Unscored("\x1b[31mred"),
        rubric=Rubric(criteria=(criterion,), overall_justification="\x9b1m"),
    )
    [judged] = runs.judged_rows([details.PHOTOSYNTHESIS])
    shown = row_text(0, msgspec.structs.replace(judged, judgment=judgment), default_groups())
    assert not set(shown) & set("\x1b\x07\x00\x9b\u202e")
    assert "Score A: True, Score B: False" in shown
    assert visible("a\nb\tc\rd") == "a\nb\tcd"


def test_the_rows_command_filters(tmp_path):
    run = str(runs.write_run(tmp_path / "run", runs.generated_rows(50)))

    def shown(*options):
        return CliRunner().invoke(app, ["rows", run, *options])

    assert shown().output.count("Row ") == 20
    assert "Row 7:" in shown("--row", "7").output
    accuracy = shown("--criterion", "accuracy", "--limit", "3").output
    assert accuracy.count("    accuracy:") == 3
    assert "    tone:" not in accuracy
    flips = shown("--verdict", "flip", "--limit", "2").output
    assert flips.count("Row ") == 2
    assert shown("--category", "prose", "--limit", "5").output.count("category prose") == 5
    assert "drop some of them" in str(shown("--row", "999").exception)
    unknown = str(shown("--criterion", "accuracy", "--criterion", "acuracy").exception)
    assert "has the criterion acuracy. There are: accuracy, " in unknown
    assert "Did you mean 'accuracy'?" in unknown


def test_the_reweight_command_prints_verdict_coverage_and_firmness(tmp_path):
    run = str(runs.write_run(tmp_path / "run", runs.generated_rows(60)))
    shown = CliRunner().invoke(app, ["reweight", run])
    assert shown.exit_code == 0, shown.output
    for part in ("of weight", "weightings drawn uniformly", "loses", "accuracy"):
        assert part in shown.output
    plain = CliRunner().invoke(app, ["reweight", run, "--weights", "accuracy=1", "--json"])
    found = json.loads(plain.stdout)
    assert found["a"] + found["b"] + found["ties"] + found["unscored"] == 60
    assert found["win_rate"]["low"] < found["win_rate"]["estimate"] < found["win_rate"]["high"]
    unknown = CliRunner().invoke(app, ["reweight", run, "--only", "sparkle"])
    assert "It has: accuracy" in str(unknown.exception)


def test_a_user_s_table_of_groups_goes_first(tmp_path):
    table = tmp_path / "groups.yaml"
    table.write_text("groups:\n  manners: [tone, politeness]\n  clarity: [conciseness]\n")
    groups = load_groups(table)
    assert [groups.group(name) for name in ("Tone", "conciseness", "readability", "new_one")] == [
        "manners",
        "clarity",
        "clarity",
        "new one",
    ]
    for wrong in ("groups: 3", "groops: {}", "a: [", "groups:\n  a: b"):
        table.write_text(wrong)
        with pytest.raises(RecipeError, match="clarity_of_explanation"):
            load_groups(table)
    with pytest.raises(RecipeError):
        load_groups(tmp_path / "missing.json")


def test_near_equal_names_are_one_criterion_by_the_table():
    group = default_groups().group
    assert {group(n) for n in ("clarity", "readability", "clarity_of_explanation", "Clarity")} == {
        "clarity"
    }
    assert group("factualAccuracy") == group("accuracy of the response") == "accuracy"
    assert group("price_validation") == "price validation"
    assert group("日本語") == "日本語"
    assert group("overall quality") == "overall quality"


@pytest.mark.parametrize("conversational", [False, True])
@pytest.mark.parametrize("form", list(Format))
def test_first_record_of_a_file_has_every_field_whatever_the_rows_hold(form, conversational):
    rows = [
        msgspec.structs.replace(
            row, row=msgspec.structs.replace(row.row, system="Be brief." if line % 9 == 8 else None)
        )
        for line, row in enumerate(runs.generated_rows(60))
    ]
    made = list(
        export(
            rows_for(form, lambda: scored(rows)),
            form,
            Filters(),
            RUN,
            Counter(),
            conversational=conversational,
        )
    )
    fields = [tuple(record.training) for record in made]
    assert set().union(*fields) == set(fields[0])
    if not form.turns_of_bedrock:
        assert len(set(fields)) == 1
    provenance = [json.loads(msgspec.json.encode(record.provenance)) for record in made]
    kinds = {tuple((name, type(value)) for name, value in one.items()) for one in provenance}
    assert len(kinds) == 1


def test_files_of_runs_without_system_prompts_have_no_such_field(tmp_path):
    run = runs.write_run(tmp_path / "r", runs.generated_rows(30))
    out = tmp_path / "sft.jsonl"
    done = CliRunner().invoke(
        app, ["export", str(run), "--format", "bedrock-sft", "--out", str(out)]
    )
    assert done.exit_code == 0
    assert list(json.loads(out.read_text().splitlines()[0])) == ["schemaVersion", "messages"]
