"""One name, one meaning: no two types and no two modules are called by the same name."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("nova_judge", "nova_judge_local", "lambdas", "stacks")
OF_A_MODULE = re.compile(r"`((?:[a-z_]+\.)+)([A-Z]\w*)`")
"""What a docstring or a comment says of another module, as in `answers.Port`."""


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


def our_modules() -> list[Path]:
    """The files of all our packages, as paths from the root of the repository."""
    files = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    assert len(files) > 250
    return [file.relative_to(ROOT) for file in files]


def named_alike(files: list[Path]) -> dict[str, list[str]]:
    """Name of a module → the files that bear it, where these are several."""
    places = defaultdict(list)
    for file in files:
        if file.stem != "__init__":
            places[file.stem].append(file.as_posix())
    return {name: sorted(found) for name, found in places.items() if len(found) > 1}


def named_in_vain(modules: dict[str, str]) -> list[str]:
    """The names that docstrings and comments give as another module's, and that it has not."""
    found = []
    for file, source in modules.items():
        for module, name in OF_A_MODULE.findall(source):
            place = f"/{module.rstrip('.').replace('.', '/')}.py"
            meant = [text for other, text in modules.items() if f"/{other}".endswith(place)]
            ours = module.partition(".")[0] not in sys.stdlib_module_names
            if ours and not any(re.search(rf"^(class )?{name}\b", text, re.M) for text in meant):
                found.append(f"{file}: {module}{name}")
    return found


def test_every_type_has_a_name_of_its_own():
    sources = {str(file): (ROOT / file).read_text("utf-8") for file in our_modules()}
    assert defined_twice(sources) == {}


def test_what_is_said_of_another_module_is_there():
    sources = {file.as_posix(): (ROOT / file).read_text("utf-8") for file in our_modules()}
    assert sum(len(OF_A_MODULE.findall(source)) for source in sources.values()) > 20
    assert named_in_vain(sources) == []


def test_a_module_that_moved_is_named_in_vain():
    moved = {"a/kinds/kind.py": "# `known.KINDS`, `names.KINDS`", "a/kinds/names.py": "KINDS = {}"}
    assert named_in_vain(moved) == ["a/kinds/kind.py: known.KINDS"]


def test_every_module_has_a_name_of_its_own():
    assert named_alike(our_modules()) == {}


def test_a_name_that_stands_twice_is_found():
    sources = {
        "first": "class Plan: ...\nFloats = list[float]\nMOST = 3\nclass _Line: ...",
        "second": "class Plan: ...\nFloats: TypeAlias = list[float]\nMOST = 3\nclass _Line: ...",
        "third": "from first import Plan\nRow = TypeVar('Row')",
    }
    assert defined_twice(sources) == {"Plan": ["first", "second"], "Floats": ["first", "second"]}


def test_a_module_named_as_another_is_found():
    files = ["cli/gate.py", "findings/gate.py", "cli/__init__.py", "findings/__init__.py"]
    assert named_alike([Path(file) for file in files]) == {
        "gate": ["cli/gate.py", "findings/gate.py"]
    }
