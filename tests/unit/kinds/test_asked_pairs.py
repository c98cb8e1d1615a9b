"""A judge that is asked by calls: its recipe, its prompts, and what it is expected to cost."""

import json

import msgspec
import pytest

from nova_judge.cli.request import example_jobs
from nova_judge.errors import RecipeError
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.kinds.recipes import load_recipe, read_recipe
from nova_judge.pairs.judge_asking import asked_pair, judge_generation
from nova_judge.preflight.forecast import estimate_run
from nova_judge.recipe import catalog
from nova_judge.recipe.own_models import alone
from nova_judge.records import InputRow
from nova_judge.runs.usage import Workload

RECIPE = """
kind: model_judge
judge:
  model: {bedrock: us.anthropic.claude-sonnet-4-6}
"""
PANEL = """
kind: model_judge
judge:
  panel:
    a: {bedrock: us.anthropic.claude-sonnet-4-6}
    b: {openai: "https://example.com/v1#m", price: {input: 1, output: 2}}
"""
QWEN = "qwen2.5-7b-instruct"
ROW = InputRow(line=1, id="1", prompt="2 + 2?", response_A="four", response_B="{{ 5 }}")


def recipe(more="", beside=None):
    return load_recipe(f"{RECIPE}{more}", file="own.yaml", beside=beside)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind: model_judge", "needs it, as in recipes/model-judge.yaml"),
        (f"{RECIPE}  prompt: pairwize", "judge.prompt: 'pairwize' is neither .* mean 'pairwise'"),
        (
            f"{RECIPE}  prompt: ../secret.md",
            "judge.prompt: '../secret.md' is neither a file",
        ),
        (f"{RECIPE}  panel: {{}}", "judge.panel: judge.model stands beside it"),
        (PANEL.replace("  b:", "  a:"), "not readable as YAML"),
        (PANEL.partition("    b:")[0], "judge.panel: found 1 judges; a panel has two or more"),
        (PANEL.replace("bedrock", "bedrok"), "judge.panel.a.bedrok: unknown key; .* 'bedrock'"),
        (f"{RECIPE}  rubric: {{a: {{ask: x}}}}", "judge.rubric.a.ask: unknown key; .* 'asks'"),
        (f"{PANEL}  max_rows_per_job: 9", "judge.max_rows_per_job: a panel judges all rows"),
        (f"{PANEL}controls: [padded]", "controls: a panel judges all rows in one job per judge"),
        (f"{RECIPE}  rubric: often", "judge.rubric: found 'often'"),
        (f"{RECIPE}  rubric: {{}}", "judge.rubric: found 0 criteria"),
        (f"{RECIPE}  rubric: {{'a b': {{asks: x}}}}", "found 'a b'; a criterion's name has"),
        (f"{RECIPE}  rubric: {{a: {{asks: x, weight: 0}}}}", "judge.rubric"),
        (RECIPE.replace("bedrock:", "endpoint:"), "judge.model.endpoint: found 'us.anthropic"),
        (
            RECIPE.replace("bedrock: us.anthropic.claude-sonnet-4-6", "weights: s3://mine/ckpt"),
            "judge.model.weights: found 's3://mine/ckpt'",
        ),
        (
            RECIPE.replace("model_judge", "llm_judge"),
            "judge.model: kind llm_judge does not use it; model_judge does",
        ),
    ],
)
def test_a_recipe_that_cannot_be_asked_is_refused(text, says):
    with pytest.raises(RecipeError, match=f"own.yaml: .*{says}"):
        load_recipe(text, file="own.yaml")


def test_a_prompt_beside_the_recipe_is_a_part_of_it(tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(f"{RECIPE}  prompt: judges/own.md\n", "utf-8")
    words = tmp_path / "judges" / "own.md"
    words.parent.mkdir()
    words.write_text("Q {{ prompt }} 1 {{ first }} 2 {{ second }}", "utf-8")
    read = read_recipe(str(file))
    assert read.judge.words.name == "judges/own.md"
    assert read.judge.words.digest == "9088514a91be"
    assert load_recipe(alone(file.read_text(), read), file="mine.yaml").sha256 == read.sha256
    words.write_text("Q: {{ prompt }} 1 {{ first }} 2 {{ second }}", "utf-8")
    assert read_recipe(str(file)).sha256 != read.sha256


def test_both_orders_are_asked_and_the_texts_of_a_row_stay_texts():
    beside = {"own.md": b"Q {{ prompt }} 1 {{ first }} 2 {{ second }}"}.__getitem__
    asked = asked_pair(ROW, recipe("  prompt: own.md", beside).judge)
    assert asked.forward.startswith("Q 2 + 2? 1 four 2 {{ 5 }}\n\nAnswer with one JSON object")
    assert asked.backward.startswith("Q 2 + 2? 1 {{ 5 }} 2 four\n\nAnswer with one JSON object")
    assert (asked.missing, asked.shown) == ("", "")


def test_a_row_without_the_context_that_a_prompt_shows_is_set_aside_with_the_reason():
    judge = recipe("  prompt: faithfulness").judge
    assert "'context' is undefined" in asked_pair(ROW, judge).missing
    with_context = msgspec.structs.replace(ROW, context="c")
    asked = asked_pair(with_context, judge)
    assert "<text>\nc\n</text>" in asked.forward
    assert asked.shown == "c\n\n2 + 2?"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("{{ 1 / (first|length - 4) }}", "division by zero"),
        ("{% if first == 'four' %}{{ first.__class__ }}{% endif %}", "unsafe"),
        ("{% if first == 'four' %}{{ first[0]() }}{% endif %}", "not callable"),
    ],
)
def test_a_row_over_which_the_prompt_fails_is_set_aside_with_the_reason(words, reason):
    text = f"{{{{ prompt }}}} {{{{ first }}}} {{{{ second }}}} {words}".encode()
    asked = asked_pair(ROW, recipe("  prompt: own.md", {"own.md": text}.__getitem__).judge)
    assert asked.missing.startswith("the judge's prompt cannot be rendered (")
    assert reason in asked.missing


@pytest.mark.parametrize(
    ("name", "rubric"),
    [
        ("pairwise", ""),
        ("faithfulness", ""),
        ("rubric", "\n  rubric: per_question"),
        ("fixed-rubric", "\n  rubric: {right: {asks: Is it right?}}"),
    ],
)
def test_the_prompts_that_ship_show_both_answers_in_the_order_asked(name, rubric):
    judge = recipe(f"  prompt: {name}{rubric}").judge
    row = InputRow(line=1, id="1", prompt="q?", response_A="<a>", response_B="<b>", context="c")
    asked = asked_pair(row, judge)
    assert asked.forward.index("<a>") < asked.forward.index("<b>")
    assert asked.backward.index("<b>") < asked.backward.index("<a>")


def test_a_fixed_rubric_is_asked_by_name_and_by_a_schema():
    judge = recipe(
        "  rubric: {right: {asks: Is it right?}, safe: {asks: Safe?, type: pass_fail}}"
    ).judge
    asked = asked_pair(ROW, judge)
    assert "right: Is it right? (a score from 1 (poor) to 5 (excellent))" in asked.forward
    assert "safe: Safe? (true if it passes, false if it fails)" in asked.forward
    how = judge_generation(judge)
    assert how.max_tokens == 4096
    schema = json.dumps(how.json_schema)
    assert '"right"' in schema
    assert '"boolean"' in schema
    plain = recipe("  calls: {structured: false, max_tokens: 300}").judge
    assert judge_generation(plain).json_schema is None
    assert judge_generation(plain).max_tokens == 300


def test_what_the_judge_reads_and_writes_is_priced():
    read = recipe()
    kind = kind_of(read.kind)
    assert kind.judged_by(read).bedrock == {"us.anthropic.claude-sonnet-4-6"}
    (tokens,) = kind.usage(read, Workload(rows=1000)).bedrock
    assert (tokens.input_tokens, tokens.output_tokens) == (2_400_000, 400_000)
    # 2,000 calls at 5 a second, and $3.30 and $16.50 per million tokens
    assert kind.usage(read, Workload(rows=1000)).seconds == 400
    lines = estimate_run(read, Workload(rows=1000)).likely.lines
    assert [line.usd for line in lines if line.part == "Bedrock"] == [pytest.approx(7.92 + 6.6)]
    own = RECIPE.replace(
        "bedrock: us.anthropic.claude-sonnet-4-6", "openai: 'http://localhost/v1#m'"
    )
    assert kind.usage(load_recipe(own, file="own.yaml"), Workload(rows=1000)).bedrock == ()


@pytest.mark.parametrize(
    ("model", "tokens_per_second"),
    [
        ("{endpoint: qwen2.5-7b-instruct, instance_types: [ml.g5.xlarge]}", QWEN),
        (
            "{weights: org/name, revision: main, instance_types: [ml.g5.xlarge, ml.g6.xlarge]}",
            "the slowest",
        ),
    ],
)
def test_the_hours_of_a_judges_endpoint_are_priced(model, tokens_per_second):
    rates = catalog.assumptions().endpoint_tokens_per_second.value
    rate = rates.get(tokens_per_second, min(rates.values()))
    read = load_recipe(f"kind: model_judge\njudge:\n  model: {model}\n", file="own.yaml")
    usage = kind_of(read.kind).usage(read, Workload(rows=1000))
    (endpoint,) = usage.endpoints
    seconds = catalog.assumptions().endpoint_start_minutes.value * 60 + 2000 * 200 / rate
    assert (endpoint.instance_type, endpoint.seconds) == ("ml.g5.xlarge", seconds)
    assert usage.seconds == seconds
    estimate = estimate_run(read, Workload(rows=1000))
    (line,) = (line for line in estimate.likely.lines if line.part == "endpoint")
    hour = catalog.prices().instance_hour.prices["ml.g5.xlarge"]
    assert line.usd == pytest.approx(seconds / 3600 * hour)
    assert estimate.hours == pytest.approx(seconds / 3600)


def test_each_judge_of_a_panel_has_a_job_over_the_same_file_and_its_own_price():
    read = load_recipe(PANEL, file="own.yaml")
    jobs = example_jobs(read, "us-east-1")
    assert [job.body["model"] for job in jobs] == ["us.anthropic.claude-sonnet-4-6", "m"]
    assert "THE ANSWER OF A" in jobs[0].body["prompt"]
    assert kind_of(read.kind).judged_by(read).model == "us.anthropic.claude-sonnet-4-6 + m"
    usage = kind_of(read.kind).usage(read, Workload(rows=100)).bedrock
    assert [(use.model, use.input_tokens) for use in usage] == [
        ("us.anthropic.claude-sonnet-4-6", 240_000),
        ("m", 240_000),
    ]
