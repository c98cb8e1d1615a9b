import msgspec
import pytest
import ryaml

from nova_judge.errors import RecipeError
from nova_judge.kinds.nova_container import recipe_to_nova_yaml
from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe import catalog
from nova_judge.recipe.column_map import ColumnMap, JudgmentMap, overlaid, parse_map
from nova_judge.recipe.files import packaged_recipe, recipe_names
from nova_judge.recipe.recipe import Generation, Recipe
from nova_judge.sources.known_sources import asked_models, endpoint_instances

PAIRWISE = packaged_recipe("pairwise")
RUBRIC = packaged_recipe("rubric")


def load(text: str):
    return load_recipe(text, file="recipes/mine.yaml")


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_can_be_run(name):
    recipe = load_recipe(packaged_recipe(name), file=f"recipes/{name}.yaml")

    assert recipe.name == name
    assert msgspec.json.decode(recipe.canonical(), type=Recipe) == recipe


def test_a_recipe_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(RecipeError, match=r"'pairwize' does not exist.*Did you mean 'pairwise'\?"):
        packaged_recipe("pairwize")


def test_a_recipe_name_cannot_leave_the_folder():
    with pytest.raises(RecipeError, match="does not exist"):
        packaged_recipe("../pyproject")


def test_what_a_recipe_leaves_out_has_the_documented_default():
    recipe = load(PAIRWISE)

    assert (recipe.judge.volume_gb, recipe.judge.max_runtime_s) == (30, 21_600)
    assert (recipe.judge.instance_count, recipe.judge.instance_types) == (1, ("ml.g5.12xlarge",))
    assert recipe.generation == Generation(max_tokens=512, temperature=0.7)
    assert (recipe.generation.max_failed, recipe.statistics.level) == (0.02, 0.95)


def test_candidates_left_out_mean_the_answers_in_the_file():
    head, tail = PAIRWISE.split("candidates:")
    recipe = load(head + "judge:" + tail.split("judge:", 1)[1])

    assert recipe.candidate("A").source == recipe.candidate("B").source == "file"
    assert (recipe.candidate("A").model, recipe.candidate("B").model) == (
        "response_A",
        "response_B",
    )


def test_a_candidate_answers_with_its_own_settings_over_the_common_ones():
    text = PAIRWISE.replace(
        "A: {endpoint: qwen2.5-1.5b-instruct}",
        "A: {endpoint: qwen2.5-1.5b-instruct, system: Be brief., "
        "generation: {temperature: 0.1, stop: [END]}}",
    )
    recipe = load(text)

    assert recipe.generation_for("A") == Generation(
        max_tokens=512, temperature=0.1, stop=("END",), system="Be brief."
    )
    assert recipe.generation_for("B") == recipe.generation


def test_the_canonical_form_ignores_comments_order_and_defaults_written_out():
    plain = load("kind: llm_judge\n" + PAIRWISE.split("kind: llm_judge\n")[1])
    written_out = load(PAIRWISE.replace("budget: {", "statistics: {level: 0.95}\nbudget: {"))

    assert plain.sha256 == written_out.sha256 == load(PAIRWISE).sha256


def test_the_canonical_form_changes_with_what_is_evaluated():
    changed = PAIRWISE.replace("temperature: 0.7", "temperature: 0.8")

    assert load(PAIRWISE).sha256 != load(changed).sha256


def test_the_nova_block_gets_a_run_name_only_when_it_has_none():
    named = PAIRWISE.replace("    run:\n", "    run:\n      name: my-run\n")

    assert ryaml.loads(recipe_to_nova_yaml(load(PAIRWISE), "run-1"))["run"]["name"] == "run-1"
    assert ryaml.loads(recipe_to_nova_yaml(load(named), "run-1"))["run"]["name"] == "my-run"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("kind: llm_judge", "kind: llm_juge", r"kind: found 'llm_juge'; allowed: .*llm_judge"),
        ("generation:", "genration:", r"genration: unknown key.*Did you mean 'generation'\?"),
        ("temperature: 0.7", "temprature: 0.7", r"generation\.temprature: unknown key; allowed"),
        ("temperature: 0.7", "temperature: hot", r"generation\.temperature: found 'hot'; expected"),
        ("temperature: 0.7", "temperature: .nan", r"generation\.temperature: found nan; expected"),
        ("max_tokens: 512", "max_tokens: 0", r"max_tokens: found 0; expected `int` >= 1"),
        (
            "tokens: 512",
            "tokens: 512, call_timeout_s: 900",
            r"call_timeout_s: found 900; .* <= 600",
        ),
        (
            "max_usd: 50",
            "max_usd: .inf",
            r"budget\.max_usd: found inf; expected a finite number, above 0",
        ),
        (
            "temperature: 0.7",
            "temperature: .inf",
            r"temperature: found inf; expected a finite number, at least 0, at most 2",
        ),
        (
            "temperature: 0.7",
            "json_schema: {properties: {a: [{minimum: -.inf}]}}",
            r"json_schema\.properties\.a\[0\]\.minimum: found -inf; expected a finite number$",
        ),
        ("max_usd: 50", "max_usd: 0", r"budget\.max_usd: found 0; expected `float` > 0"),
        ("top_k: 50", "top_q: 50", r"judge\.nova\.inference\.top_q: unknown key; allowed"),
        ("top_logprobs: 0", "top_logprobs: 21", r"inference\.top_logprobs: found 21; expected"),
        ("top_p: 1.0", "top_p: 2.0", r"nova\.inference\.top_p: found 2\.0; expected `float` <= 1"),
        ("data_s3_path: ''", "data_s3_path: s3://a/b", r"run\.data_s3_path: .* leave it empty"),
        (
            "budget:",
            "map: {response_A: output, response_B: output}\nbudget:",
            r"map: response_A and response_B are both read from column `output`",
        ),
        ("replicas: 1", "replicas: 2", r"instance_count: found 1, but .*replicas is 2"),
        ("temperature: 0,", "reasoning_effort: low,", r"reasoning_effort: .* does not reason"),
        ("strategy: judge", "strategy: zs", r"evaluation\.strategy: found 'zs'; allowed: judge"),
        ("metric: all", "metric: f1", r"evaluation\.metric: found 'f1'; allowed: all"),
        ("metric: all", "metric: all, subtask: law", r"evaluation\.subtask: .* no sub-tasks"),
        ("task: llm_judge", "task: rubric_llm_judge", r"kind llm_judge needs llm_judge"),
        ("task: llm_judge", "task: mmlu", r"found 'mmlu'; kind llm_judge needs llm_judge"),
        ("128k", "128", r"model_type: found .*Did you mean 'amazon.nova-micro-v1:0:128k'\?"),
        ("nova-micro/prod", "s3://mine/", r"model_name_or_path: .* no customised judge"),
        ("nova-micro/prod", "nova-lite/prod", r"model_name_or_path: .*allowed: nova-micro/prod"),
        ("ml.g5.12xlarge", "ml.g5.xlarge", r"instance_type: found 'ml.g5.xlarge'; .*runs only on"),
        ("  nova:", "  image: v9\n  nova:", r"judge\.image: found 'v9'; allowed: SM-TJ-Eval-V2"),
        ("qwen2.5-7b-instruct", "qwen2.5-7b", r"B\.endpoint: .*Did you mean 'qwen2.5-7b-instruct'"),
        (
            "endpoint: qwen2.5-7b-instruct",
            "file: answer",
            r"B\.file: found 'answer'; expected response_A",
        ),
        ("{endpoint: qwen2.5-7b-instruct}", "{}", r"candidates\.B: found 0 sources; exactly one"),
        ("endpoint: qwen2.5-7b-instruct", "bedrock: a b", r"B\.bedrock: found 'a b'; a model id"),
    ],
)
def test_a_mistake_is_answered_with_file_key_and_what_is_allowed(old, new, message):
    assert old in PAIRWISE
    with pytest.raises(RecipeError, match=message) as caught:
        load(PAIRWISE.replace(old, new))
    assert str(caught.value).startswith("recipes/mine.yaml: ")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("response_A=x,response_B=x", ColumnMap),
        ("prompt=response_B", ColumnMap),
        ("query=response", ColumnMap),
        ("forward=winner,backward=winner", JudgmentMap),
        ("label=forward", JudgmentMap),
    ],
)
def test_two_sides_are_never_read_from_one_column(given, kind):
    with pytest.raises(RecipeError, match=r"--map: .* are both read from column"):
        parse_map(given, kind)


def test_a_map_over_that_of_a_recipe_reads_no_column_twice():
    with pytest.raises(RecipeError, match="response_A and response_B are both read"):
        overlaid(ColumnMap(response_A="x"), ColumnMap(response_B="x"))
    swapped = ColumnMap(response_A="response_B", response_B="response_A")
    assert overlaid(ColumnMap(), swapped) == swapped


def test_all_mistakes_of_one_kind_are_told_at_once():
    with pytest.raises(RecipeError) as caught:
        load("kind: llm_juge\njugde: {}\ngeneration: {temprature: 3}\n")

    assert len(str(caught.value).splitlines()) == 3


def test_the_rubric_judge_on_the_instance_that_the_post_names_is_refused_with_the_fix():
    text = RUBRIC.replace("instance_type: ml.p5.48xlarge", "instance_type: ml.g5.12xlarge")

    with pytest.raises(RecipeError) as caught:
        load(text)
    assert str(caught.value).endswith("Write instance_type: ml.p5.48xlarge")


def test_every_instance_type_of_a_list_is_checked():
    text = RUBRIC.replace(
        "instance_type: ml.p5.48xlarge", "instance_type: [ml.p4d.24xlarge, ml.g6.12xlarge]"
    )

    with pytest.raises(RecipeError, match=r"found 'ml.g6.12xlarge'"):
        load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document"),
        ("[]", "found \\[\\]; expected `object`"),
        ("a: [", "not readable as YAML"),
        ("kind: llm_judge\nkind: llm_judge\n", "duplicate entry"),
        ("[" * 10_000, "not readable as YAML"),
        ("kind: llm_judge\n1: x\n", "1: unknown key"),
        ("kind: llm_judge\njudge: {instance_type: ml.g5.12xlarge}\n", "judge.nova: missing"),
    ],
)
def test_a_document_that_is_no_recipe_is_refused_by_name(text, message):
    with pytest.raises(RecipeError, match=f"^recipes/mine.yaml: .*{message}"):
        load(text)


def test_an_alias_bomb_is_refused():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )

    with pytest.raises(RecipeError, match="not readable as YAML"):
        load(bomb)


def test_claude_with_temperature_and_top_p_is_refused_and_null_mends_it():
    text = packaged_recipe("qwen-vs-claude").replace(
        "max_tokens: 512,", "max_tokens: 512, top_p: 0.9,"
    )

    with pytest.raises(
        RecipeError, match=r"candidates\.B\.generation: .* top_p 0\.9, and .* write top_p: null"
    ):
        load(text)
    mended = text.replace(
        "name: Claude Sonnet 4.6", "name: Claude Sonnet 4.6\n    generation: {top_p: null}"
    )
    assert load(mended).generation_for("B").top_p is None


def test_the_instance_types_of_an_endpoint_are_tried_in_the_recipes_order():
    text = packaged_recipe("pairwise")
    named = text.replace(
        "A: {endpoint: qwen2.5-1.5b-instruct}",
        "A: {endpoint: qwen2.5-1.5b-instruct, instance_types: [ml.g6.xlarge, ml.g5.xlarge]}",
    )
    recipe = load_recipe(named, file="pairwise.yaml")
    found = endpoint_instances(asked_models(recipe).values())
    assert found["qwen2.5-1.5b-instruct"] == ("ml.g6.xlarge", "ml.g5.xlarge")
    assert found["qwen2.5-7b-instruct"] == (
        catalog.models().endpoints["qwen2.5-7b-instruct"].instance_types
    )


def test_an_instance_type_that_the_stack_does_not_configure_is_refused():
    text = packaged_recipe("pairwise").replace(
        "A: {endpoint: qwen2.5-1.5b-instruct}",
        "A: {endpoint: qwen2.5-1.5b-instruct, instance_types: [ml.p5.48xlarge]}",
    )
    with pytest.raises(RecipeError, match=r"candidates.A.instance_types: found 'ml.p5.48xlarge'"):
        load_recipe(text, file="pairwise.yaml")


RATES = (
    "statistics: {judge_rates: {right_of_A: 45, labelled_A: 50, right_of_B: 40, labelled_B: 50}}"
)


def test_a_recipe_holds_the_judge_s_rates_on_pairs_labelled_elsewhere():
    rates = load(PAIRWISE.replace("budget: {", f"{RATES}\nbudget: {{")).statistics.judge_rates
    assert msgspec.structs.astuple(rates) == (45, 50, 40, 50)
    wrong = RATES.replace("right_of_B: 40", "right_of_B: 51")
    with pytest.raises(RecipeError, match="right_of_B is more than labelled_B"):
        load(PAIRWISE.replace("budget: {", f"{wrong}\nbudget: {{"))


def test_rates_of_a_judge_of_pairs_are_refused_where_none_is_asked():
    with pytest.raises(RecipeError, match=r"statistics\.judge_rates"):
        load(packaged_recipe("benchmark-mmlu") + f"\n{RATES}\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "budget:",
            "controls: [same_answers]\nbudget:",
            r"controls\[0\]: found 'same_answers'; allowed: ",
        ),
        (
            "{endpoint: qwen2.5-7b-instruct}",
            "qwen2.5-7b-instruct",
            r"candidates\.B: found 'qwen2.5-7b-instruct'; expected `object`",
        ),
        (
            "{endpoint: qwen2.5-7b-instruct}",
            "{endpoint: qwen2.5-7b-instruct, messages: [{rol: user, content: x}]}",
            r"messages\[0\]\.rol: unknown key; allowed here: role, content\. Did you mean 'role'",
        ),
        (
            "{endpoint: qwen2.5-7b-instruct}",
            "{openai: 'https://x.example/v1/chat/completions#m'}",
            r"write https://x\.example/v1#m",
        ),
        (
            "{endpoint: qwen2.5-7b-instruct}",
            "{bedrock: 'bedrock/us.amazon.nova-lite-v1:0'}",
            r"found 'bedrock/us.amazon.nova-lite-v1:0'; an id of Bedrock's holds no `/`",
        ),
        (
            "{endpoint: qwen2.5-7b-instruct}",
            "{weights: meta/Model, revision: main, secret: hub}",
            r"revision: found 'main'; a gated model is copied once.* write the commit",
        ),
    ],
)
def test_a_fault_inside_a_list_or_a_mapping_has_its_place(old, new, said):
    text = packaged_recipe("pairwise")
    assert old in text
    with pytest.raises(RecipeError, match=said):
        load_recipe(text.replace(old, new), file="mine.yaml")
