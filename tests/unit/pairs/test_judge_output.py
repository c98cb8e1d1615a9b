import json
import random
import tarfile
from collections import Counter

import pytest

from nova_judge.errors import JudgeJobError
from nova_judge.pairs.judge_output import CUT_RUBRIC, judgment_of, read_judgments, read_shown
from nova_judge.pairs.passes import (
    BAD_COUNTS,
    CONTRADICTION,
    COUNTS_DIFFER,
    CUT_OFF_TEXT,
    INFERENCE_ERROR,
    LABEL_UNREADABLE,
    NO_COUNTS,
    OTHER_PASS,
    UNCLEAR_LABEL,
    WHICH_PASS,
)
from nova_judge.pairs.rubric_reading import NO_WEIGHT, criterion_from
from nova_judge.pairs.safe_literal import read_safe
from nova_judge.records import Rubric, Unscored, Verdict
from nova_judge.runs.archive import read_archive
from nova_judge.runs.results_json import read_job_metrics, stand_in_of
from nova_judge.verdict_labels import CONFLICT, CUT_OFF_THOUGHT, NO_LABEL, NO_OUTPUT
from tests.made import details

A, B, TIE, BOTH_BAD = Verdict


def counted(labels, a, b, **more):
    row = {"a_scores": float(a), "b_scores": float(b), **more}
    return row if labels is None else {"predictions": labels, **row}


BROKEN = "One could say [[A>B]] at first sight. However, when we look clo"


def pair(forward, backward, a, b, ties=0.0, errors=0.0, **more):
    counts = {"a_scores": a, "b_scores": b, "ties": ties, "inference-score": errors}
    return {"forward_output": forward, "backward_output": backward, **counts, **more}


@pytest.mark.parametrize(
    ("metrics", "forward", "backward", "note"),
    [
        (pair(BROKEN, BROKEN, 0, 0, errors=2), CUT_OFF_TEXT, CUT_OFF_TEXT, None),
        (pair(BROKEN, "so [[B>A]]", 1, 0, errors=1), CUT_OFF_TEXT, A, None),
        (pair("so [[B>A]]", BROKEN, 0, 1, errors=1), B, CUT_OFF_TEXT, None),
        (pair(BROKEN, BROKEN, 1, 1), A, B, None),
        (pair("so [[A>B]]", "so [[A>B]]", 0, 0, errors=2), A, B, COUNTS_DIFFER),
        (pair("[[A>B]] or [[B>A]]", "[[B>A]] or [[A>B]]", 2, 0), A, A, UNCLEAR_LABEL),
        (pair("[[A>B]] or [[B>A]]", "so [[A>B]]", 1, 1), A, B, UNCLEAR_LABEL),
        (pair("so [[A>B]]", "none", 1, 0, ties=1), A, TIE, UNCLEAR_LABEL),
        (pair("[[A>B]] or [[B>A]]", "none", 1, 1), CONFLICT, NO_LABEL, COUNTS_DIFFER),
        (pair("none", "none", 0, 0, errors=2), NO_LABEL, NO_LABEL, None),
        (pair("<think>[[A>B]]</think>[[B>A]]", "[[A>B]]", 0, 2), B, B, None),
        (pair("<think>[[A>B]]", "[[B>A]]", 2, 0), CUT_OFF_THOUGHT, A, COUNTS_DIFFER),
        (
            pair("[[A>", "[[B>A]]", 1, 0, errors=1, forward_error="cut off (length)"),
            Unscored("cut off (length)"),
            A,
            None,
        ),
    ],
)
def test_errors_and_clear_counts_outrank_broken_texts_and_two_labels(
    metrics, forward, backward, note
):
    judgment, noted = judgment_of(metrics)
    assert (judgment.forward, judgment.backward, noted) == (forward, backward, note)


def test_a_rubric_row_without_a_label_says_so_and_not_that_its_counts_are_unclear():
    row = counted([""], 0, 0, criteria_breakdown={}, overall_justification="")
    judgment, _ = judgment_of(row, ["I cannot compare these.", "Nor these."])
    assert (judgment.forward, judgment.backward) == (NO_LABEL, NO_LABEL)
    assert judgment.rubric.reason == "the judge's output holds no readable YAML rubric"


def test_metrics_in_json_read_as_those_in_python():
    text = '{"a_scores": 2.0, "b_scores": 0.0, "ties": 0, "x": null, "y": true, "z": NaN}'
    assert read_safe(text) | {"z": 0} == {
        "a_scores": 2.0,
        "b_scores": 0.0,
        "ties": 0,
        "x": None,
        "y": True,
        "z": 0,
    }


@pytest.mark.parametrize(
    ("metrics", "forward", "backward", "note"),
    [
        (details.pairwise_metrics("[[A>B]]", "[[A>B]]"), A, B, None),
        (details.pairwise_metrics("[[B>A]]", "[[A>B]]", a_scores=0.0, b_scores=2.0), B, B, None),
        (
            details.pairwise_metrics("[[B>A]]", "[[A>B]]", a_scores=1.0, b_scores=1.0),
            B,
            B,
            COUNTS_DIFFER,
        ),
        (details.pairwise_metrics("[[A>B]]", ""), A, NO_OUTPUT, None),
        (details.pairwise_metrics("[[A>B]] [[B>A]]", "hm"), CONFLICT, NO_LABEL, None),
        (details.pairwise_metrics("", "", a_scores=2.0, b_scores=0.0), A, A, None),
        (counted(["A>B"], 2, 0), A, A, None),
        (counted(["B>A"], 1, 1), B, A, None),
        (counted(["B>A"], 0, 1), B, OTHER_PASS, None),
        (counted(["B>A"], 0, 1, ties=1.0), B, TIE, None),
        (counted(["B>A"], 0, 1, ties=0.0, inference_error=1.0), B, INFERENCE_ERROR, None),
        (counted(["A=B (bothbad)"], 0, 0, ties=2.0), BOTH_BAD, TIE, None),
        (counted(["A=B"], 1, 0), TIE, A, None),
        (counted(["A>B", "A>B"], 1, 1), A, B, None),
        (counted(["A>B", "A>B"], 2, 0), A, A, None),
        (counted(["A>B", "B>A"], 1, 1), A, B, None),
        (counted(["A>B", "B>A"], 0, 2), A, A, COUNTS_DIFFER),
        ({"predictions": ["A>B"]}, A, NO_OUTPUT, None),
        (
            counted(["B>A"], 0, 1, ties=0, inference_error=None, inference_errors=1),
            B,
            INFERENCE_ERROR,
            None,
        ),
        (counted([3], 2, 0), A, A, LABEL_UNREADABLE),
        (counted(["A>B"], 0, 2), CONTRADICTION, CONTRADICTION, None),
        (counted(["A>B"], 0, 0), CONTRADICTION, CONTRADICTION, None),
        (counted(["A>B", "A>B", "A>B"], 2, 0), CONTRADICTION, CONTRADICTION, None),
        (counted(["A>B"], 2, 1), BAD_COUNTS, BAD_COUNTS, None),
        (counted(["A>B"], 0.5, 0), BAD_COUNTS, BAD_COUNTS, None),
        (counted(["???"], 2, 0), A, A, LABEL_UNREADABLE),
        (counted(["???"], 1, 0), WHICH_PASS, WHICH_PASS, LABEL_UNREADABLE),
        (counted(None, 0, 2), B, B, None),
        (counted(None, 1, 1), WHICH_PASS, WHICH_PASS, None),
        (counted(None, 0, 0, inference_error=2.0), INFERENCE_ERROR, INFERENCE_ERROR, None),
        ({}, NO_COUNTS, NO_COUNTS, None),
    ],
)
def test_what_labels_and_counts_say_together(metrics, forward, backward, note):
    judgment, noted = judgment_of(metrics)
    assert (judgment.forward, judgment.backward, noted) == (forward, backward, note)


def test_raw_outputs_in_the_predictions_column_tell_the_passes_apart():
    judgment, note = judgment_of(counted(["A=B"], 0, 0), ["so: [[A=B]]", "so: [[A=B (bothbad)]]"])
    assert (judgment.forward, judgment.backward, note) == (TIE, BOTH_BAD, None)
    assert judgment.backward_output == "so: [[A=B (bothbad)]]"
    judgment, _ = judgment_of(counted(["A>B"], 2, 0), ["not an output", "nor this"])
    assert (judgment.forward, judgment.backward, judgment.forward_output) == (A, A, None)


def test_a_rubric_that_the_job_could_not_read_is_read_from_the_forward_output():
    forward = """criteria:
  tone: {type: scale, weight: 1, score_A: 5, score_B: 1}
preference: [[A=B (bothbad)]"""
    row = counted([""], 0, 0, criteria_breakdown={}, overall_justification="")
    judgment, _ = judgment_of(row, [forward, "[[A>B]]"])
    assert (judgment.forward, judgment.backward) == (BOTH_BAD, B)
    assert [one.name for one in judgment.rubric.criteria] == ["tone"]
    assert isinstance(judgment_of(row, ["[[A=B]]", "[[A>B]]"])[0].rubric, Unscored)


@pytest.mark.parametrize("metrics", [None, 3, "text", [1]])
def test_a_row_without_metrics_is_unscored(metrics):
    judgment, _ = judgment_of(metrics)
    assert isinstance(judgment.forward, Unscored)
    assert isinstance(judgment.backward, Unscored)


def test_a_details_file_gives_one_judgment_a_row_in_order(tmp_path):
    draw = random.Random(3)  # noqa: S311
    rows = [details.rubric_metrics(draw) for _ in range(1_234)]
    notes = Counter()
    judgments = list(read_judgments(details.write(tmp_path / "d.parquet", rows), notes))
    assert len(judgments) == len(rows)
    assert not notes
    for row, judgment in zip(rows, judgments, strict=True):
        assert isinstance(judgment.rubric, Rubric)
        assert [c.name for c in judgment.rubric.criteria] == list(row["criteria_breakdown"])
        assert judgment.rubric.reported_margin == row["score_margin"]
        wins = [judgment.forward, judgment.backward]
        assert (wins.count(A), wins.count(B)) == (row["a_scores"], row["b_scores"])


def test_a_judge_that_writes_the_same_long_text_to_every_row_is_read(tmp_path):
    text = "This answer is more to the point. " * 90
    rows = [details.pairwise_metrics(text + "[[A>B]]", text + "[[B>A]]")] * 5_000
    file = details.write(tmp_path / "d.parquet", rows)
    assert file.stat().st_size < 100_000
    verdicts = Counter((one.forward, one.backward) for one in read_judgments(file))
    assert verdicts == {(Verdict.A, Verdict.A): 5_000}


def test_unreadable_rows_keep_their_place(tmp_path):
    rows = [details.PHOTOSYNTHESIS, "{'a': ", None, "{}", details.NOTRE_DAME]
    judgments = list(read_judgments(details.write(tmp_path / "d.parquet", rows)))
    assert [isinstance(one.forward, Verdict) for one in judgments] == [
        True,
        False,
        False,
        False,
        True,
    ]
    assert judgments[4].backward == OTHER_PASS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weight", "heavy"),
        ("weight", -0.5),
        ("weight", float("nan")),
        ("weight", True),
        ("score_A", 0),
        ("score_A", 6),
        ("score_B", None),
        ("score_B", True),
        ("score_B", "5!"),
        pytest.param("weight", 16**5_000, id="weight of many digits"),
        pytest.param("type", 16**5_000, id="type of many digits"),
        ("type", "stars"),
        ("type", None),
    ],
)
def test_one_unreadable_criterion_makes_the_rubric_unscored(field, value):
    row = json.loads(json.dumps(details.PHOTOSYNTHESIS))
    row["criteria_breakdown"]["clarity"][field] = value
    judgment, _ = judgment_of(row)
    assert isinstance(judgment.rubric, Unscored)
    assert judgment.forward is B


def test_no_criteria_or_no_weight_is_unscored():
    for breakdown in ({}, None, [], {"x": 3}, {3: {}}):
        row = details.PHOTOSYNTHESIS | {"criteria_breakdown": breakdown}
        assert isinstance(judgment_of(row)[0].rubric, Unscored)


def test_weights_that_round_to_nothing_are_no_weight():
    row = json.loads(json.dumps(details.PHOTOSYNTHESIS))
    for fields in row["criteria_breakdown"].values():
        fields["weight"] = 4e-7
    assert judgment_of(row)[0].rubric == NO_WEIGHT
    row["criteria_breakdown"]["clarity"]["weight"] = 6e-7
    assert isinstance(judgment_of(row)[0].rubric, Rubric)


def test_a_binary_score_is_true_false_or_its_number():
    fields = details.PHOTOSYNTHESIS["criteria_breakdown"]["clarity"] | {"type": "binary"}
    for spelled, score in ((True, 1), ("Yes", 1), (1.0, 1), ("1", 1), (0, 0), ("false", 0)):
        assert criterion_from("x", fields | {"score_A": spelled, "score_B": 0}).score_A == score
    for spelled in (2, 0.5, "maybe", None, [True], 16**5_000):
        assert isinstance(criterion_from("x", fields | {"score_A": spelled}), Unscored)


def test_a_criterion_s_name_can_always_be_written():
    fields = details.PHOTOSYNTHESIS["criteria_breakdown"]["clarity"]
    assert criterion_from("half \ud800 pair", fields).name == "half \ufffd pair"


def results(path, **figures):
    path.write_text(json.dumps({"results": {"custom|llm_judge_judge|0": figures, "all": figures}}))
    return path


def test_the_job_s_figures_are_flat_and_nan_is_unknown(tmp_path):
    path = results(tmp_path / "r.json", a_scores=3.0, a_scores_stderr=float("nan"))
    assert read_job_metrics(path) == {
        "task": "custom|llm_judge_judge|0",
        "a_scores": 3.0,
        "a_scores_stderr": None,
    }


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"results": {}}', '{"results": {"a": 3}}', "[" * 100_000, '{"results"'],
)
def test_results_that_cannot_be_read_are_an_error(tmp_path, content):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(JudgeJobError, match=r"r\.json"):
        read_job_metrics(tmp_path / "r.json")


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000])
def test_a_stand_in_is_looked_for_under_the_same_rules(tmp_path, content):
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(JudgeJobError, match=r"r\.json"):
        stand_in_of([tmp_path / "r.json"])


def test_a_whole_archive_is_read(tmp_path):
    details.write(tmp_path / "d.parquet", [details.PHOTOSYNTHESIS])
    results(tmp_path / "r.json", a_scores=0.0)
    with tarfile.open(tmp_path / "output.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "d.parquet", "run/eval_results/details/m/t/details_x_t.parquet")
        tar.add(tmp_path / "r.json", "run/eval_results/results_t.json")
    files = read_archive(tmp_path / "output.tar.gz", tmp_path / "work")
    notes: Counter[str] = Counter()
    judgments = list(read_judgments(files.only_details(), notes))
    assert [judgment.forward for judgment in judgments] == [B]
    assert read_job_metrics(files.only_results())["a_scores"] == 0.0
    assert notes == {}


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" * 1000, b"{}"])
def test_details_that_are_no_parquet_are_an_error(tmp_path, content):
    (tmp_path / "d.parquet").write_bytes(content)
    with pytest.raises(JudgeJobError, match="cannot be read as Parquet"):
        list(read_judgments(tmp_path / "d.parquet"))


def test_further_columns_are_none_where_missing_and_an_error_where_unreadable(tmp_path):
    path = details.write(tmp_path / "d.parquet", [details.PHOTOSYNTHESIS, details.NOTRE_DAME])
    assert list(read_shown(path, ["full_prompt", "absent"])) == [("…", None), ("…", None)]
    path.write_bytes(b"PAR1")
    with pytest.raises(JudgeJobError, match="cannot be read as Parquet"):
        list(read_shown(path, ["full_prompt"]))


def test_rubric_of_an_output_that_was_cut_off_is_none():
    whole = (
        "criteria:\n  accuracy:\n    type: scale\n    weight: 0.5\n    score_A: 2\n    score_B: 5\n"
        "    justification_A: it is right\n  clarity:\n    type: scale\n    weight: 0.5\n"
        "    score_A: 5\n    score_B: 1\n    justification_A: it is clear\n[[A>B]]"
    )
    cut = whole[: whole.index("it is right") + 5]
    metrics = {"a_scores": 1, "b_scores": 0, "criteria_breakdown": {}}
    finished, _ = judgment_of({**metrics, "forward_output": whole, "backward_output": "[[B>A]]"})
    assert [criterion.name for criterion in finished.rubric.criteria] == ["accuracy", "clarity"]
    unfinished, _ = judgment_of({**metrics, "forward_output": cut, "backward_output": "[[B>A]]"})
    assert unfinished.rubric == CUT_RUBRIC
