"""What a run is: written down once, found by its layout, told as facts."""

import msgspec
import pytest

from nova_judge.findings.facts import run_facts
from nova_judge.findings.metrics_record import GenerationFacts
from nova_judge.inputs.dataset import read_rows
from nova_judge.inputs.reading import FROM_FILE, GENERATED, AnswerSources
from nova_judge.json_lines import indented
from nova_judge.kinds.recipes import load_recipe
from nova_judge.layout import RunLayout, run_of_output
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import CandidateSpec, RatesElsewhere, Statistics
from nova_judge.records import S3Object
from nova_judge.runs.job_outcome import JobOutcome
from nova_judge.runs.row_accounting import CutOff, DatasetSummary, ReasonCount
from nova_judge.runs.run import Run, StandIns, answer_sources, sources_in
from nova_judge.statistics.statistics_settings import JudgeRates

RECIPE = load_recipe(packaged_recipe("pairwise"), file="pairwise.yaml")
OWN_A = {"A": CandidateSpec(file="response_A", name="ours"), "B": RECIPE.candidate("B")}


def run(sources=GENERATED, candidates=RECIPE.candidates) -> Run:
    recipe = type(RECIPE)(**{**_fields(RECIPE), "candidates": candidates})
    return Run(
        run_id="questions-0123456789ab",
        execution="arn:execution",
        created="2026-11-21T18:00:00Z",
        input=S3Object("data", "inbox/pairwise/questions.jsonl", "v1", 4321),
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=sources,
    )


def _fields(record) -> dict:
    return {name: getattr(record, name) for name in record.__struct_fields__}


def test_a_run_is_read_as_it_was_written():
    assert msgspec.json.decode(indented(run()), type=Run) == run()


@pytest.mark.parametrize(
    ("candidates", "brings", "sources"),
    [
        (RECIPE.candidates, False, GENERATED),
        (RECIPE.candidates, True, FROM_FILE),
        (OWN_A, False, AnswerSources("file", "generated")),
        (OWN_A, True, FROM_FILE),
        ({}, False, FROM_FILE),
    ],
)
def test_a_candidate_is_asked_unless_its_answers_stand_in_the_file(candidates, brings, sources):
    recipe = run(candidates=candidates).recipe
    assert answer_sources(recipe, file_brings_answers=brings) == sources
    asked = run(sources, candidates).generated()
    assert asked == tuple(c for c in "AB" if getattr(sources, c) == "generated")


@pytest.mark.parametrize(
    ("row", "sources"),
    [
        (b'{"prompt": "Q", "response_B": "b"}', AnswerSources("unused", "file")),
        (b'{"prompt": "Q", "response_A": "a"}', AnswerSources("unused", "generated")),
        (b'{"prompt": "Q"}', AnswerSources("unused", "generated")),
    ],
)
def test_where_one_candidate_is_judged_the_other_needs_no_answer(row, sources):
    assert sources_in(RECIPE, row, judged=("B",)) == sources
    (parsed,) = read_rows([row], len(row), sources)
    assert parsed.response_A is None
    assert parsed.response_B == ("b" if sources.B == "file" else None)


def test_answers_of_the_file_never_get_a_models_name():
    assert run(GENERATED).candidate_label("A") == "qwen2.5-1.5b-instruct"
    assert run(FROM_FILE).candidate_label("A") == "response_A"
    assert run(FROM_FILE, OWN_A).candidate_label("A") == "ours"
    assert run(FROM_FILE, OWN_A).candidate_label("B") == "response_B"
    files = {"A": "response_A", "B": "answers_b.jsonl"}
    beside = {side: CandidateSpec(file=file) for side, file in files.items()}
    assert run(FROM_FILE, beside).candidate_label("A") == "response_A"
    assert run(FROM_FILE, beside).candidate_label("B") == "answers_b.jsonl"


def test_every_key_of_a_run_lies_below_its_folder_and_is_told_apart():
    layout = RunLayout("x-1")
    keys = [
        layout.request,
        layout.shards,
        layout.rejected,
        layout.failed,
        layout.dataset,
        layout.report_file("report.html"),
        *(layout.responses(c, n) for c in "AB" for n in (0, 9_999)),
        *(layout.rows(n) for n in (0, 9_999)),
        *(
            key
            for n in (0, 1)
            for key in (
                layout.judge_data(n, "llm_judge.jsonl"),
                layout.judge_rows(n),
                layout.judge_recipe(n),
                layout.judge_outcome(n),
            )
        ),
    ]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("runs/x-1/") for key in keys)


def test_shards_sort_by_name_as_they_lie_in_the_file():
    names = [RunLayout("x").rows(n) for n in range(0, 10_000, 37)]
    assert names == sorted(names)


def test_an_output_path_says_whose_it_is():
    layout = RunLayout("questions-0123456789ab")
    assert run_of_output(f"s3://data/{layout.judge_output(12)}") == (layout.run_id, 12)
    assert run_of_output(f"s3://data/{layout.judge_output(0)}".rstrip("/")) == (layout.run_id, 0)


@pytest.mark.parametrize("uri", ["s3://data/out/", "s3://data/runs/x/report/", "S3OutputPath"])
def test_an_output_path_of_somebody_else_is_nobodys_run(uri):
    assert run_of_output(uri) is None


SUMMARY = DatasetSummary(
    input=10,
    rejected=2,
    generation_failed=1,
    rows=7,
    jobs=1,
    cached=3,
    rejected_reasons=(ReasonCount("not JSON", 2),),
    failed_reasons=(ReasonCount("A: timed out", 1),),
)
OUTCOME = JobOutcome(
    run_id="questions-0123456789ab",
    number=0,
    name="nova-judge-dev-questions-0-0",
    status="Completed",
    output_uri="s3://data/runs/questions-0123456789ab/judge/0/output/",
    instance_type="ml.g5.24xlarge",
    instance_count=1,
    started=1_000,
    ended=61_000,
)


def test_the_facts_of_a_run_are_those_of_its_records():
    facts = run_facts(run(FROM_FILE), SUMMARY, [OUTCOME], "reference")
    assert (facts.input.uri, facts.input.version) == (
        "s3://data/inbox/pairwise/questions.jsonl",
        "v1",
    )
    assert (facts.input.size, facts.rows.input) == (4321, 10)
    assert (facts.recipe.name, facts.recipe.sha256) == ("pairwise", RECIPE.sha256)
    assert [facts.candidates[c].source for c in "AB"] == ["file", "file"]
    assert facts.judge.model == "nova-micro/prod"
    assert facts.judge.instance_type == "ml.g5.24xlarge"
    assert (facts.judge.jobs, facts.judge.stand_in) == ((OUTCOME.name,), "reference")
    assert (facts.rows.rejected, facts.rows.generation_failed) == (2, 1)
    assert facts.generation == GenerationFacts(1, SUMMARY.failed_reasons, 3)
    assert facts.statistics.level == RECIPE.statistics.level


def test_answers_that_were_cut_off_are_told_with_their_share():
    summary = msgspec.structs.replace(SUMMARY, cut_off={"A": CutOff(0, 100), "B": CutOff(37, 100)})
    (note,) = run_facts(run(), summary).notes
    assert note.startswith("candidate B: 37 of 100 answers (37.0%) were cut off")
    assert f"max_tokens {RECIPE.generation.max_tokens:,} " in note


def test_what_stood_in_is_told_of_the_candidates_that_were_asked():
    told = msgspec.structs.replace(
        run(AnswerSources("file", "generated"), OWN_A),
        stand_ins=StandIns(answers="recorded answers", judge="reference"),
    )
    facts = run_facts(
        msgspec.json.decode(indented(told), type=Run), SUMMARY, [OUTCOME], "reference (F1)"
    )
    assert [facts.candidates[c].stand_in for c in "AB"] == [None, "recorded answers"]
    assert facts.judge.stand_in == "reference (F1)"
    failed = run_facts(told, SUMMARY, [OUTCOME])
    assert failed.judge.stand_in == "reference", "a job that failed names nobody"
    aws = run_facts(run(), SUMMARY, [OUTCOME])
    assert (aws.candidates["A"].stand_in, aws.judge.stand_in) == (None, None)


@pytest.mark.parametrize(
    ("recipe", "role", "stand_in"),
    [
        ("pairwise", "judge", "reference"),
        ("benchmark-mmlu", "model", "recorded answers"),
        ("own-data", "model", "recorded answers"),
    ],
)
def test_where_nobody_judges_the_model_is_told_as_what_it_is(recipe, role, stand_in):
    loaded = load_recipe(packaged_recipe(recipe), file=f"{recipe}.yaml")
    told = msgspec.structs.replace(
        run(FROM_FILE), recipe=loaded, stand_ins=StandIns("recorded answers", "reference")
    )
    judge = run_facts(told, None).judge
    assert (judge.role, judge.stand_in) == (role, stand_in)


def test_of_a_run_that_failed_early_nothing_is_made_up():
    facts = run_facts(run(), None)
    assert (facts.rows.input, facts.rows.rejected, facts.judge.jobs) == (0, 0, ())
    assert facts.judge.instance_type is None


def test_the_judge_s_rates_reach_the_statistics():
    rates = RatesElsewhere(right_of_A=45, labelled_A=50, right_of_B=40, labelled_B=50)
    statistics = Statistics(judge_rates=rates)
    recipe = type(RECIPE)(**{**_fields(RECIPE), "statistics": statistics})
    facts = run_facts(msgspec.structs.replace(run(), recipe=recipe), None)
    assert facts.statistics.judge_rates == JudgeRates(45, 50, 40, 50)


def test_a_report_says_that_its_candidates_are_the_same_model():
    same = {"A": RECIPE.candidate("A"), "B": RECIPE.candidate("A")}
    note, *_ = run_facts(run(candidates=same), SUMMARY).notes
    assert note.startswith("A and B are the same model, asked in the same way")
