"""One name, one meaning: a type is called by a name that no other type has."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("nova_judge", "nova_judge_local", "lambdas", "stacks")


def type_names(module: ast.Module) -> Iterator[str]:
    """The public classes, aliases and type variables that a module defines."""
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        else:
            continue
        yield from (name for name in names if name[0].isupper() and not name.isupper())


def defined_twice(modules: dict[str, str]) -> dict[str, list[str]]:
    """Type name → the modules that define it, where these are several."""
    places = defaultdict(list)
    for module, source in modules.items():
        for name in type_names(ast.parse(source)):
            places[name].append(module)
    return {name: sorted(found) for name, found in places.items() if len(found) > 1}


def test_every_type_has_a_name_of_its_own():
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    sources = {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files}
    assert len(sources) > 250
    assert defined_twice(sources) == {}


def test_a_name_that_stands_twice_is_found():
    sources = {
        "first": "class Plan: ...\nFloats = list[float]\nMOST = 3\nclass _Line: ...",
        "second": "class Plan: ...\nFloats: TypeAlias = list[float]\nMOST = 3\nclass _Line: ...",
        "third": "from first import Plan\nRow = TypeVar('Row')",
    }
    assert defined_twice(sources) == {"Plan": ["first", "second"], "Floats": ["first", "second"]}
