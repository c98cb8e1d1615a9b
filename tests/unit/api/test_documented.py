"""docs/python.md does what it says; importing the package stays cheap."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import nova_judge
from nova_judge.api import compared, opened_run

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("boto3", "duckdb", "matplotlib", "msgspec", "numpy", "pandas", "jinja2", "typer")


@pytest.mark.slow
@pytest.mark.drawn
def test_every_example_of_the_page_is_true(quick_accounts, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    page = str(ROOT / "docs" / "python.md")
    done = doctest.testfile(page, module_relative=False, optionflags=doctest.ELLIPSIS)
    assert done.failed == 0
    assert done.attempted > 15

    for module in (compared, opened_run):  # the page has made out/rubric, which they open
        of_docstrings = doctest.testmod(
            module, extraglobs={"nj": nova_judge}, optionflags=doctest.ELLIPSIS
        )
        assert of_docstrings.failed == 0, module.__name__


def test_each_public_function_of_the_package_has_an_example():
    functions = {
        **{name: getattr(nova_judge, name) for name in nova_judge.__all__},
        **vars(nova_judge.OpenedRun),
    }
    documented = {
        name: inspect.getdoc(one) or ""
        for name, one in functions.items()
        if name[0] != "_" and (inspect.isfunction(one) or isinstance(one, property))
    }

    assert len(documented) == 11
    assert [name for name, text in documented.items() if ">>> " not in text] == []


def test_the_package_alone_loads_nothing():
    script = f"import sys, nova_judge; print([m for m in {HEAVY} if m in sys.modules])"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_every_public_name_is_there_and_no_other():
    assert {
        name: getattr(nova_judge, name) is not None for name in nova_judge.__all__
    } == dict.fromkeys(nova_judge.__all__, True)
    assert set(nova_judge.__all__) <= set(dir(nova_judge))
    with pytest.raises(AttributeError, match="no attribute 'compare'"):
        _ = nova_judge.compare
