"""A catalogue of one's own beside the recipes: models by name, without a deployment."""

import pytest

from nova_judge.errors import RecipeError
from nova_judge.kinds.recipes import file_beside, load_recipe, read_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.own_models import alone

CATALOGUE = """
summaries-7b:
  weights: s3://mine/summaries-7b/
  instance_types: [ml.g5.2xlarge]
gateway:
  openai: https://models.example.com/v1#large
  secret: example
  price: {input: 1, output: 2}
"""


def text_with(a, b="{endpoint: qwen2.5-7b-instruct}"):
    head, _, tail = packaged_recipe("pairwise").partition("candidates:")
    return f"{head}candidates:\n  A: {a}\n  B: {b}\njudge:{tail.partition('judge:')[2]}"


def beside(content=CATALOGUE):
    def read(name):
        if name != "catalogue.yaml" or content is None:
            raise FileNotFoundError(name)
        return content.encode()

    return read


def read(a, content=CATALOGUE):
    return load_recipe(text_with(a), file="mine.yaml", beside=beside(content))


def test_a_name_of_the_catalogue_stands_for_its_model():
    spec = read("{endpoint: summaries-7b, system: Be short.}").candidate("A")
    assert (spec.source, spec.model) == ("weights", "s3://mine/summaries-7b/")
    assert spec.instance_types == ("ml.g5.2xlarge",)
    assert (spec.name, spec.system) == ("summaries-7b", "Be short.")


def test_a_candidate_keeps_what_it_says_itself():
    text = "{endpoint: summaries-7b, name: mine, instance_types: [ml.g6.2xlarge]}"
    spec = read(text).candidate("A")
    assert (spec.name, spec.instance_types) == ("mine", ("ml.g6.2xlarge",))


def test_models_that_ship_and_endpoints_of_the_account_stay_what_they_are():
    assert read("{endpoint: qwen2.5-1.5b-instruct}").candidate("A").source == "endpoint"
    assert read("{endpoint: theirs}").candidate("A").endpoint == "theirs"
    assert read("{endpoint: theirs}", None).candidate("A").endpoint == "theirs"


@pytest.mark.parametrize("name", ["[summaries-7b]", "{summaries-7b: 1}", "7"])
def test_an_endpoint_that_is_no_text_is_refused_beside_one_of_the_catalogue(name):
    text = text_with("{endpoint: summaries-7b}", f"{{endpoint: {name}}}")
    with pytest.raises(RecipeError, match=r"mine.yaml: candidates\.B\.endpoint: .*expected"):
        load_recipe(text, file="mine.yaml", beside=beside())


def test_a_wrong_value_is_reported_where_it_stands():
    """It was reported under candidates.A of a recipe that says nothing of it."""
    wrong = CATALOGUE.replace("s3://mine/summaries-7b/", "s3://mine/summaries-7b")
    with pytest.raises(
        RecipeError, match=r"catalogue\.yaml: summaries-7b\.weights: found 's3://"
    ) as it:
        read("{endpoint: summaries-7b}", wrong)
    assert "candidates" not in str(it.value)
    assert read("{endpoint: gateway}", wrong).candidate("A").source == "openai"


def test_a_catalogue_of_gigabytes_is_refused_after_a_megabyte(tmp_path):
    with (tmp_path / "catalogue.yaml").open("wb") as file:
        file.truncate(3 << 30)
    read_beside = file_beside(str(tmp_path / "mine.yaml"))
    assert len(read_beside("catalogue.yaml")) == 1_048_576
    with pytest.raises(RecipeError, match=r"catalogue\.yaml: over 262,144 bytes"):
        load_recipe(text_with("{endpoint: mine}"), file="mine.yaml", beside=read_beside)


def test_another_model_under_the_name_is_another_run():
    other = CATALOGUE.replace("s3://mine/summaries-7b/", "s3://mine/summaries-8b/")
    named = "{endpoint: summaries-7b}"
    assert read(named).sha256 != read(named, other).sha256


def test_the_file_beside_a_recipe_is_read_and_a_recipe_alone_needs_it_no_more(tmp_path):
    (tmp_path / "mine.yaml").write_text(text_with("{endpoint: gateway}"), "utf-8")
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE, "utf-8")
    recipe = read_recipe(str(tmp_path / "mine.yaml"))
    assert recipe.candidate("A").openai == "https://models.example.com/v1#large"
    text = alone(text_with("{endpoint: gateway}"), recipe)
    assert load_recipe(text, file="mine.yaml").sha256 == recipe.sha256


def test_a_judge_may_be_of_the_catalogue():
    text = packaged_recipe("model-judge")
    head, _, tail = text.partition("\njudge:\n")
    rest = tail.partition("  model:")[2].partition("\n")[2]
    judged = f"{head}\njudge:\n  model: {{endpoint: gateway}}\n{rest}"
    recipe = load_recipe(judged, file="mine.yaml", beside=beside())
    assert recipe.judge.model.openai == "https://models.example.com/v1#large"
    assert load_recipe(alone(judged, recipe), file="mine.yaml").sha256 == recipe.sha256


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- a\n", "a mapping of names to models is expected"),
        ("a: {weights: 1}\n", "catalogue.yaml: a: weights"),
        ("a: {weight: s3://m/f/}\n", "Did you mean 'weights'?"),
        ("a: [", "catalogue.yaml: not readable as YAML"),
        ("qwen2.5-7b-instruct: {bedrock: x}\n", "a model that ships has this name"),
        ("a" * 300_000, "over 262,144 bytes"),
    ],
)
def test_a_catalogue_that_cannot_be_used_is_refused(content, words):
    with pytest.raises(RecipeError) as refused:
        read("{endpoint: a}", content)
    assert words in str(refused.value)
