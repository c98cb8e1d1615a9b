import msgspec
import pytest

from nova_judge.errors import BudgetError, RecipeError
from nova_judge.inputs.reading import AnswerSources
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.forecast import (
    check_budget,
    estimate_run,
    read_workload,
)
from nova_judge.preflight.pricing import bill, listed_price
from nova_judge.recipe import catalog
from nova_judge.recipe.files import packaged_recipe, recipe_names
from nova_judge.runs.usage import InstanceTime, TokenUse, Usage, Workload

BOTH = AnswerSources("generated", "generated")
NONE = AnswerSources("file", "file")


def recipe(name: str = "pairwise", old: str = "", new: str = ""):
    text = packaged_recipe(name)
    assert old in text
    text = text.replace(old, new) if old else text
    return load_recipe(text, file=f"{name}.yaml")


def work(rows: int = 1_000, **changes) -> Workload:
    values = {
        "rows": rows,
        "prompt_characters": 100.0,
        "size": rows * 120,
        "generated": ("A", "B"),
        "exact": True,
    }
    return Workload(**(values | changes))


def test_a_bill_is_the_price_list_times_what_was_used():
    usage = Usage(
        judge_jobs=(InstanceTime("ml.g5.12xlarge", 1_800, 2),),
        bedrock=(TokenUse("global.anthropic.claude-sonnet-4-6", 1e6, 2e6),),
        transitions=1_000,
    )

    assert bill(usage).usd == pytest.approx(7.09 + 3 + 30 + 0.025)


def test_batch_inference_costs_half():
    model = "global.anthropic.claude-sonnet-4-6"
    once, batch = (bill(Usage(bedrock=(TokenUse(model, 1e6, 1e6, b),))).usd for b in (False, True))

    assert batch == once / 2


def test_a_price_that_is_not_known_is_named_and_never_a_number():
    unpriced = bill(Usage(bedrock=(TokenUse("us.some.model", 10, 10),)))

    assert (unpriced.usd, unpriced.unpriced) == (0, ("us.some.model",))
    assert unpriced.lines[0].usd is None


def test_every_instance_that_a_recipe_may_name_has_a_price():
    known = catalog.prices().instance_hour.prices
    judges = catalog.compatibility().models.values()
    served = catalog.models().endpoints.values()

    wanted = {kind for model in [*judges, *served] for kind in model.instance_types}
    assert wanted <= set(known)


def test_every_model_that_a_recipe_may_name_has_its_assumptions():
    supposed = catalog.assumptions()

    assert set(supposed.judge_rows_per_second.value) == set(catalog.compatibility().models)
    assert set(supposed.endpoint_tokens_per_second.value) == set(catalog.models().endpoints)


PRICED = [name for name in recipe_names() if not name.startswith("serverless")]


@pytest.mark.parametrize("name", PRICED)
def test_every_recipe_that_ships_can_be_estimated(name):
    forecast = estimate_run(recipe(name), work())

    assert 0 < forecast.likely.usd < forecast.worst.usd
    assert forecast.hours > 0


def test_a_file_that_brings_its_answers_pays_for_the_judge_alone():
    parts = {line.part for line in estimate_run(recipe(), work(generated=())).likely.lines}

    assert parts == {"judge", "Step Functions"}


def test_two_candidates_of_one_model_share_its_endpoint():
    same = recipe("pairwise", "qwen2.5-7b-instruct", "qwen2.5-1.5b-instruct")

    parts = [line.part for line in estimate_run(same, work()).likely.lines]
    assert parts.count("endpoint") == 1


def test_more_jobs_start_more_instances():
    one = estimate_run(recipe(), work())
    four = estimate_run(
        recipe("pairwise", "  instance_type", "  max_rows_per_job: 250\n  instance_type"), work()
    )

    def judges(forecast):
        return [line for line in forecast.likely.lines if line.part == "judge"]

    assert (len(judges(one)), len(judges(four))) == (1, 4)
    start = catalog.assumptions().judge_start_minutes.value / 60
    hours = sum(line.quantity for line in judges(four)) - sum(x.quantity for x in judges(one))
    assert hours == pytest.approx(3 * start)


def test_a_whole_file_is_counted_and_a_head_is_projected():
    lines = b"".join(b'{"prompt": "question %04d"}\n' % n for n in range(1_000))

    whole = read_workload(recipe(), lines, len(lines), BOTH)
    head = read_workload(recipe(), lines[:1_000], len(lines), BOTH)

    assert (whole.rows, whole.exact, whole.prompt_characters) == (1_000, True, 13)
    assert (head.rows, head.exact) == (pytest.approx(1_000, rel=0.02), False)


def test_a_huge_line_after_few_rows_is_no_multiple_of_these():
    pair = b'{"prompt": "a", "response_A": "x", "response_B": "y"}\n'
    head = (3 * pair + b'{"prompt": "' + b"x" * 2**20)[: 2**20]

    assert read_workload(recipe(), head, 20_000_000, NONE).rows < 100


def test_lines_that_cannot_be_used_cost_nothing():
    content = (
        b'{"prompt": "a", "response_A": "x", "response_B": "y"}\nnot json\n\n{"prompt": "b"}\n'
    )

    assert read_workload(recipe(), content, len(content), NONE).rows == 1


def test_a_run_within_its_budget_may_start():
    check_budget(recipe(), estimate_run(recipe(), work()))


def test_a_run_above_its_budget_is_refused_with_its_dearest_position():
    tight = recipe("pairwise", "max_usd: 50", "max_usd: 1")

    with pytest.raises(BudgetError, match=r"\$\d+\.\d\d for 1,000 rows, above .* \$1\.00; .*g5"):
        check_budget(tight, estimate_run(tight, work()))


def test_a_budget_cannot_be_kept_where_a_price_is_not_known():
    unknown = recipe("qwen-vs-claude", "us.anthropic.claude-sonnet-4-6", "us.some.model-v1")

    with pytest.raises(RecipeError, match=r"no price is known for us\.some\.model-v1"):
        check_budget(unknown, estimate_run(unknown, work()))


def test_an_evaluation_without_a_known_price_says_so():
    forecast = estimate_run(recipe("serverless-mmlu"), work(generated=()))

    assert forecast.likely.unpriced == ("serverless evaluation",)


def test_a_benchmark_reads_no_file_and_is_counted_by_its_questions():
    whole = recipe("benchmark-mmlu", "      subtask: college", "      # subtask: college")
    part = recipe("benchmark-mmlu")
    nothing = read_workload(part, b"", 0, NONE)

    assert nothing == Workload(rows=0)
    assert estimate_run(part, nothing).hours < estimate_run(whole, nothing).hours


def test_the_base_model_beside_a_customised_one_is_a_second_job():
    both = recipe("benchmark-mmlu", "nova-micro/prod", "s3://mine/checkpoint")
    text_of_both = msgspec.structs.replace(
        both, judge=msgspec.structs.replace(both.judge, evaluate_base_model=True)
    )

    assert sum(x.part == "judge" for x in estimate_run(text_of_both, work()).likely.lines) == 2


def test_own_data_is_counted_by_its_lines():
    content = b'{"query": "a", "response": "b"}\n\n{"query": "c", "response": "d"}\n{"a": 1}\n'

    assert read_workload(recipe("own-data"), content, len(content), NONE).rows == 2


def test_bedrocks_judge_reads_every_answer_once_a_metric():
    judged = recipe("bedrock-judge")
    tokens = [
        line.quantity
        for line in estimate_run(judged, work(generated=())).likely.lines
        if line.part == "Bedrock"
    ]

    per_score = sum(catalog.assumptions().evaluator_tokens_per_score.value.values())
    assert tokens == [1_000 * 2 * 3 * per_score]


US_HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"


@pytest.mark.parametrize(
    ("model", "same_as"),
    [
        ("us.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"),
        ("sa.amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"),
        ("jp.anthropic.claude-haiku-4-5-20251001-v1:0", US_HAIKU),
        ("global.deepseek.r1-v1:0", "deepseek.r1-v1:0"),
        ("eu.anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"),
        ("global.anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6"),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
        ),
        (
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
        ),
    ],
)
def test_a_profiles_model_has_the_price_of_its_model(model, same_as):
    assert listed_price(model) == catalog.prices().bedrock_million_tokens.prices[same_as]


@pytest.mark.parametrize("model", ["us.some.model", "arn:aws:bedrock:us-east-1:1:custom-model/x"])
def test_a_model_that_the_list_lacks_has_no_price(model):
    assert listed_price(model) is None


def test_a_recipe_may_give_the_price_that_the_list_lacks():
    line = "price: {input: 2, output: 10}\n    bedrock: us.some.model-v1"
    priced = recipe("qwen-vs-claude", "bedrock: us.anthropic.claude-sonnet-4-6", line)
    forecast = estimate_run(priced, work(prompt_characters=400.0))
    (tokens,) = (item for item in forecast.worst.lines if item.part == "Bedrock")

    check_budget(priced, forecast)
    written = 1_000 * priced.generation_for("B").max_tokens
    assert tokens.usd == pytest.approx((1_000 * 100 * 2 + written * 10) / 1e6)


def test_every_control_is_a_job_of_its_own():
    checked = recipe("pairwise", "budget:", "controls: [same_answer, padded]\nbudget:")
    ready = work(1_000, generated=())
    jobs = [line for line in estimate_run(checked, ready).likely.lines if line.part == "judge"]
    alone = [line for line in estimate_run(recipe(), ready).likely.lines if line.part == "judge"]

    rate = catalog.assumptions().judge_rows_per_second.value["amazon.nova-micro-v1:0:128k"]
    start_s = catalog.assumptions().judge_start_minutes.value * 60
    assert [round(job.quantity * 3600) for job in jobs[1:]] == [round(start_s + 100 / rate)] * 2
    assert jobs[0] == alone[0]
    worst = estimate_run(checked, ready).worst.lines
    limit_h = checked.judge.max_runtime_s / 3600
    assert [line.quantity for line in worst if line.part == "judge"] == [limit_h] * 3


SHIPPED = [
    name for name in recipe_names() if recipe(name).judge.instance_types and recipe(name).judge.nova
]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_job_that_hangs_costs_no_more_than_the_budget_of_a_shipped_recipe(name):
    read = recipe(name)
    worst = estimate_run(read, work(generated=()))

    assert read.budget.max_usd is not None
    assert worst.worst.usd <= read.budget.max_usd


def test_a_name_that_no_catalogue_has_is_said_to_be_an_endpoint_of_the_account():
    text = packaged_recipe("pairwise").replace(
        "{endpoint: qwen2.5-7b-instruct}", "{endpoint: qwen7b}"
    )
    estimate = estimate_run(load_recipe(text, file="mine.yaml"), work(100))
    assert [line for line in estimate.assumptions if "qwen7b" in line] == [
        "qwen7b is taken to be an endpoint of the account, which costs the run nothing: no "
        "catalogue has this name"
    ]


def test_a_job_that_its_limit_stops_is_warned_of_and_the_worst_is_never_below_the_likely():
    short = recipe("pairwise", "max_runtime_s: 21600", "max_runtime_s: 600")
    stopped = estimate_run(short, work(10_000, generated=()))

    assert stopped.worst.usd == pytest.approx(stopped.likely.usd)
    (warning,) = stopped.warnings
    assert warning.startswith(
        "a judge job probably needs 3,400 s and is stopped at judge.max_runtime_s (600 s): it is "
        "paid for, and its rows are not judged"
    )
    assert estimate_run(recipe(), work(10_000)).warnings == ()


def test_candidates_that_are_asked_warnings_are_warned_of():
    same = recipe("pairwise", "qwen2.5-7b-instruct", "qwen2.5-1.5b-instruct")

    (warning,) = estimate_run(same, work()).warnings
    assert warning.startswith("A and B are the same model, asked in the same way")
    assert estimate_run(same, work(generated=("B",))).warnings == ()
