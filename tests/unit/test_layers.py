"""Imports go one way: stacks and functions → nova_judge, and there room by room."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from nova_judge.kinds.known_kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]
OURS = ("nova_judge", "nova_judge_local", "lambdas", "stacks", "app")
ROOMS = (
    *("recipe", "inputs", "statistics", "answers", "sources", "runs", "pairs", "scores", "kinds"),
    *("preflight", "findings", "review", "report", "aws", "steps", "api", "cli"),
)
"""In order: a room imports the ground (the modules beside the rooms) and rooms before it."""
VAGUE = {"utils", "util", "helpers", "helper", "common", "constants", "misc", "base"}
TOO_EARLY = {"os.environ", "os.getenv", "boto3.client", "boto3.resource"}
NOT_IN_THE_LAYER = {
    *("aws_cdk", "constructs", "math_verify", "ministack", "moto", "pandas", "pyarrow", "rich"),
    *("sagemaker", "scipy", "sklearn", "statsmodels", "typer", "uv"),
}


def modules(*packages: str) -> list[str]:
    """The dotted names of all modules in our packages."""
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files]
    return sorted(name.removesuffix(".__init__") for name in names)


def path_of(module: str) -> Path:
    file = ROOT / Path(*module.split(".")).with_suffix(".py")
    return file if file.is_file() else file.with_suffix("") / "__init__.py"


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text("utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """Every module that this one imports, for types too; `from package import module` in full."""
    found = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative imports hide the direction"
            source = node.module or ""
            for alias in node.names:
                full = f"{source}.{alias.name}"
                is_module = top(source) in OURS and path_of(full).is_file()
                found.add(full if is_module else source)
    return frozenset(found)


def top(name: str) -> str:
    return name.partition(".")[0]


def faults(names: list[str], forbidden: Callable[[str], bool]) -> dict[str, set[str]]:
    """module → what it imports against a rule; empty when the rule holds."""
    found = {name: {used for used in imports(name) if forbidden(used)} for name in names}
    return {name: used for name, used in found.items() if used}


def begins(*names: str) -> Callable[[str], bool]:
    """Whether a dotted name is one of these modules, or lies inside one."""
    return lambda used: any(used == name or used.startswith(f"{name}.") for name in names)


DOMAIN, FUNCTIONS, STACKS = modules("nova_judge"), modules("lambdas"), modules("stacks")
LOCAL = modules("nova_judge_local")
OUTSIDE = ("nova_judge.aws", "nova_judge.steps", "nova_judge.cli", "nova_judge.api")


def room_of(module: str) -> str:
    """The room that a module of `nova_judge` stands in; empty for the ground."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / "nova_judge" / parts[1]).is_dir() else ""


def test_every_room_has_its_place_in_the_order():
    assert {room_of(name) for name in DOMAIN} == {"", *ROOMS}


@pytest.mark.parametrize("number", range(len(ROOMS)), ids=ROOMS)
def test_a_room_imports_only_rooms_before_it(number):
    later = begins(*(f"nova_judge.{room}" for room in ROOMS[number + 1 :]))
    assert faults([name for name in DOMAIN if room_of(name) == ROOMS[number]], later) == {}


def test_the_ground_imports_no_room():
    """But the package itself, which names what stands behind its door and loads nothing of it."""
    rooms = begins(*(f"nova_judge.{room}" for room in ROOMS))
    ground = [name for name in DOMAIN if not room_of(name) and name != "nova_judge"]
    assert faults(ground, rooms) == {}


def test_no_module_imports_the_door_of_the_package():
    """It names what stands in late rooms, so that whoever imports it would stand in a circle."""
    assert faults(DOMAIN, lambda used: used == "nova_judge") == {}


def test_local_mode_stands_beside_the_product():
    """Two commands and one function import it, each inside the function that needs it."""
    inside = faults([*DOMAIN, *FUNCTIONS, *STACKS], begins("nova_judge_local"))
    local = {"nova_judge.cli.local", "nova_judge.cli.score", "nova_judge.api.compared"}
    assert set(inside) <= local
    at_import = {
        name
        for name in inside
        for node in tree(name).body  # what stands under TYPE_CHECKING does not run
        if isinstance(node, ast.ImportFrom) and top(node.module or "") == "nova_judge_local"
    }
    assert at_import == set()
    assert faults(LOCAL, begins("lambdas", "stacks", "tests", "app")) == {}


def test_there_is_something_to_look_at():
    assert min(len(DOMAIN), len(FUNCTIONS), len(STACKS)) > 5
    assert "nova_judge.aws.s3" in imports("lambdas.claim_run")


def test_the_domain_knows_nothing_of_functions_stacks_and_tests():
    assert faults(DOMAIN, begins("lambdas", "stacks", "app", "tests")) == {}


def test_aws_is_called_by_aws_alone():
    pure = [name for name in DOMAIN if not begins("nova_judge.aws")(name)]
    assert faults(pure, lambda used: top(used).startswith(("boto", "mypy_boto3"))) == {}


def test_no_function_imports_another():
    shared = {"lambdas", "lambdas.settings", "lambdas.observability", "lambdas.notifications"}
    shared |= {"lambdas.model_ways"}
    another = lambda used: top(used) == "lambdas" and used not in shared  # noqa: E731
    assert faults(FUNCTIONS, another) == {}


def test_functions_know_the_domain_and_not_the_stacks():
    assert faults(FUNCTIONS, begins("stacks", "app", "tests")) == {}


def test_functions_need_nothing_that_their_asset_leaves_out():
    needed = [*FUNCTIONS, *(name for name in DOMAIN if not begins(*OUTSIDE[1:])(name))]
    assert faults(needed, begins("nova_judge_local", "nova_judge.cli")) == {}


def test_stacks_know_of_functions_their_settings_and_of_the_domain_what_is_pure():
    not_settings = lambda used: top(used) == "lambdas" and used != "lambdas.settings"  # noqa: E731
    assert faults(STACKS, not_settings) == {}
    assert faults(STACKS, begins(*OUTSIDE, "tests")) == {}


NAMES = {"kind": set(KINDS), "api": {"nova", "bedrock", "serverless"}}
"""By what it is called: the words that only kinds may compare it with."""


def asks_by_name(module: str) -> set[str]:
    """The comparisons of a kind or an API with one of its names."""
    compared = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Compare)]
    return {
        ast.unparse(node)
        for node in compared
        if strings_in(node) & NAMES.get(ast.unparse(node.left).rpartition(".")[2], set())
    }


def strings_in(node: ast.AST) -> set[str]:
    constants = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def test_only_kinds_know_kinds_by_name():
    """Elsewhere a kind is asked what it does, so that the dict alone adds one."""
    outside = [name for name in (*DOMAIN, *FUNCTIONS, *STACKS) if room_of(name) != "kinds"]
    assert {name: asks for name in outside if (asks := asks_by_name(name))} == {}


def test_no_construct_knows_a_stack():
    constructs = [name for name in STACKS if name.startswith("stacks.constructs.")]
    assert faults(constructs, lambda used: used.endswith("_stack")) == {}


def test_the_cdk_is_known_to_stacks_alone():
    assert faults([*DOMAIN, *FUNCTIONS], begins("aws_cdk", "constructs", "jsii")) == {}


def test_no_module_is_called_by_a_name_that_says_nothing():
    assert {
        name for name in (*DOMAIN, *FUNCTIONS, *STACKS) if set(name.split(".")) & VAGUE
    } == set()


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below a node that runs when its module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            # Decorators and defaults run, the body does not.
            for part in (*getattr(child, "decorator_list", ()), *child.args.defaults):
                yield part
                yield from run_at_import(part)
        else:
            yield child
            yield from run_at_import(child)


def test_nothing_reads_the_environment_or_makes_a_client_when_it_is_imported():
    found = {
        name: {
            ast.unparse(node)
            for node in run_at_import(tree(name))
            if isinstance(node, ast.Attribute)
        }
        & TOO_EARLY
        for name in (*DOMAIN, *FUNCTIONS, *STACKS, "app")
    }
    assert {name: early for name, early in found.items() if early} == {}


def test_functions_load_nothing_that_only_this_machine_has():
    """In a fresh process: what is not in the layer must not be loaded, by whatever way."""
    names = [name for name in FUNCTIONS if name != "lambdas"]
    script = (
        f"import importlib, json, sys; [importlib.import_module(name) for name in {names}]; "
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert set(json.loads(done.stdout)) & NOT_IN_THE_LAYER == set()
