"""Examples are read from a file beside the recipe, and then are a part of it."""

import pytest

from nova_judge.errors import RecipeError
from nova_judge.kinds.recipes import load_recipe, read_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.own_models import alone

SHOWN = '"{% for e in examples %}{{ e.q }}{% endfor %}{{ prompt }}"'


def text_with(candidate):
    head, _, tail = packaged_recipe("pairwise").partition("candidates:")
    judge = tail.partition("judge:")[2]
    other = "{bedrock: amazon.nova-lite-v1:0}"
    return f"{head}candidates:\n  A: {candidate}\n  B: {other}\njudge:{judge}"


def shown(file):
    return text_with(f"{{bedrock: amazon.nova-lite-v1:0, prompt: {SHOWN}, examples: {file}}}")


def test_the_examples_make_the_recipe_and_so_the_run(tmp_path):
    (tmp_path / "mine.yaml").write_text(shown("few.jsonl"), "utf-8")
    (tmp_path / "few.jsonl").write_text('{"q": "one"}\n\n{"q": 2}\n', "utf-8")
    recipe = read_recipe(str(tmp_path / "mine.yaml"))
    assert recipe.candidate("A").examples == ({"q": "one"}, {"q": 2})
    (tmp_path / "few.jsonl").write_text('{"q": "other"}\n', "utf-8")
    assert read_recipe(str(tmp_path / "mine.yaml")).sha256 != recipe.sha256


def test_a_recipe_alone_needs_no_other_file(tmp_path):
    (tmp_path / "mine.yaml").write_text(shown("few.jsonl"), "utf-8")
    (tmp_path / "few.jsonl").write_text('{"q": "one"}\n', "utf-8")
    recipe = read_recipe(str(tmp_path / "mine.yaml"))
    text = alone(shown("few.jsonl"), recipe)
    assert load_recipe(text, file="mine.yaml").sha256 == recipe.sha256


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("few.jsonl", None, "lies beside the recipe"),
        ("../few.jsonl", b"{}", "the name of a file beside the recipe"),
        ("/etc/passwd", b"{}", "the name of a file beside the recipe"),
        ("few.jsonl", b'{"q": [1]}', "line 1"),
        ("few.jsonl", b'{"q": 1}\nno', "line 2"),
        ("few.jsonl", b" " * 70_000, "over 65,536 bytes"),
    ],
)
def test_a_file_of_examples_that_cannot_be_used_is_refused(name, content, words):
    def beside(_):
        if content is None:
            raise FileNotFoundError("not there")
        return content

    with pytest.raises(RecipeError, match=words):
        load_recipe(shown(name), file="mine.yaml", beside=beside)


def test_a_wrong_template_is_a_problem_of_the_recipe():
    text = text_with('{bedrock: amazon.nova-lite-v1:0, prompt: "{{ promt }}"}')
    with pytest.raises(RecipeError, match=r"candidates\.A\.prompt: found 'promt'"):
        load_recipe(text, file="mine.yaml")
