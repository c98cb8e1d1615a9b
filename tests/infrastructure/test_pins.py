"""The requirements files pin what pyproject.toml asks for; `make pins` writes them."""

import importlib.metadata
import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.infrastructure.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
ASKED = {
    "requirements.txt": [
        *PROJECT["project"]["dependencies"],
        *EXTRAS["local"],
        *EXTRAS["deploy"],
    ],
    "requirements-dev.txt": GROUPS["dev"],
    "requirements-sagemaker.txt": [*PROJECT["project"]["dependencies"], *EXTRAS["registry"]],
    "lambdas/requirements.txt": GROUPS["functions"],
}


def pins(file: str) -> dict[str, str]:
    """Version by name, of the pins that hold on this machine."""
    found = [Requirement(line) for line, _ in hashed(file)]
    here = [pin for pin in found if pin.marker is None or pin.marker.evaluate()]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


def hashed(file: str) -> list[tuple[str, list[str]]]:
    """Each pin of a file, and the hashes under it."""
    lines = (ROOT / file).read_text("utf-8").splitlines()
    found: list[tuple[str, list[str]]] = []
    for line in (line.partition(" #")[0].rstrip(" \\") for line in lines):
        if line.startswith(" "):
            found[-1][1].append(line.strip())
        elif line and not line.startswith("#"):
            found.append((line, []))
    return found


@pytest.mark.parametrize("file", ["lambdas/requirements.txt", "requirements-dev.txt"])
def test_every_pin_says_what_was_published_under_it(file):
    """Nothing else is installed into the functions' layer or for the tests, whoever publishes it.

    The other files are constraints too, and pip takes no hashes in those beside a folder.
    """
    without = [
        pin
        for pin, hashes in hashed(file)
        if not hashes or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes)
    ]
    assert without == []


def needed(requirement: Requirement) -> Iterator[str]:
    """The names of a requirement and of everything that it brings, as installed here."""
    yield canonicalize_name(requirement.name)
    for text in importlib.metadata.requires(requirement.name) or ():
        further = Requirement(text)
        environments = [
            {**default_environment(), "extra": extra} for extra in requirement.extras or [""]
        ]
        if further.marker is None or any(further.marker.evaluate(e) for e in environments):
            yield from needed(further)


@pytest.mark.parametrize("file", ASKED)
def test_what_is_asked_for_is_pinned_to_a_version_that_is_allowed(file):
    pinned = pins(file)
    wrong = {
        str(asked): pinned.get(canonicalize_name(asked.name))
        for asked in map(Requirement, ASKED[file])
        if not asked.specifier.contains(pinned.get(canonicalize_name(asked.name), "0"))
        or canonicalize_name(asked.name) not in pinned
    }
    assert wrong == {}


@pytest.mark.parametrize("file", ["requirements.txt", "lambdas/requirements.txt"])
def test_everything_that_they_bring_along_is_pinned_and_nothing_else(file):
    closure = {name for text in ASKED[file] for name in needed(Requirement(text))}
    assert closure == set(pins(file))


def test_all_files_pin_the_same_versions():
    everything = pins("requirements-dev.txt")
    for file in ("requirements.txt", "lambdas/requirements.txt"):
        assert pins(file).items() <= everything.items()


def test_what_is_installed_here_is_what_is_pinned():
    """`make setup` brings the environment up to date."""
    pinned = pins("requirements-dev.txt")
    # By name: setuptools puts copies of its own behind the installed packages.
    installed = {name: importlib.metadata.version(name) for name in pinned}
    assert installed == pinned


def test_the_functions_layer_holds_no_more_than_functions_import():
    named = {re.split(r"[\[>=<]", text)[0] for text in GROUPS["functions"]}
    core = {Requirement(text).name for text in PROJECT["project"]["dependencies"]}
    assert named - core == {"aws-lambda-powertools"}
    assert core - named == {"rich", "typer"}
