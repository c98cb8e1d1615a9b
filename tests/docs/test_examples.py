"""Each public function has an example in its docstring, and every example is true."""

import ast
import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def public() -> dict[str, ast.Module]:
    """The modules that say by `__all__` what others may call, with their source."""
    trees = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts): ast.parse(file.read_text("utf-8"))
        for file in sorted((ROOT / "nova_judge").rglob("*.py"))
    }
    return {
        name: tree for name, tree in trees.items() if name != "nova_judge.__init__" and names(tree)
    }


def names(tree: ast.Module) -> list[str]:
    """The names in `__all__`; none without one."""
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    return [name for value in values for name in ast.literal_eval(value)]


PUBLIC = public()


@pytest.mark.parametrize("module", PUBLIC)
def test_each_public_function_has_an_example(module):
    functions = {
        node.name: ast.get_docstring(node) or ""
        for node in PUBLIC[module].body
        if isinstance(node, ast.FunctionDef)
    }

    assert [name for name in names(PUBLIC[module]) if ">>> " not in functions[name]] == []


@pytest.mark.parametrize("module", [name for name in PUBLIC if ".api." not in name])
def test_the_examples_are_true(module, monkeypatch):
    monkeypatch.chdir(ROOT)

    done = doctest.testmod(import_module(module))

    assert done.failed == 0
    assert done.attempted >= len(names(PUBLIC[module]))


def test_the_rooms_of_a_library_are_public():
    rooms = {name.split(".")[1] for name in PUBLIC}
    functions = sum(len(names(tree)) for tree in PUBLIC.values())

    assert rooms >= {"statistics", "recipe", "inputs", "report"}
    assert functions > 100
