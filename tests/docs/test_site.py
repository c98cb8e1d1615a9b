"""The documentation site: it builds without a warning, and asks no other host."""

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config

from nova_judge.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site. Broken links and anchors are warnings, and `strict` makes each an error."""
    folder = tmp_path_factory.mktemp("site")
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder)))
    return folder


def test_every_command_has_its_section(site):
    page = (site / "reference/commands.html").read_text("utf-8")

    assert [name for name in COMMANDS if f'<h2 id="{name}"' not in page] == []


def test_the_recipe_and_the_metrics_are_described_field_by_field(site):
    recipe = (site / "reference/recipe.html").read_text("utf-8")
    metrics = (site / "reference/metrics.html").read_text("utf-8")

    assert "<code>max_failed</code>" in recipe
    assert "<code>schema_version</code>" in metrics


def test_the_pages_load_nothing_from_another_host(site):
    loaded = re.compile(
        r"""<(?:script|img|iframe)[^>]*\ssrc="(https?:[^"]+)"|<link[^>]*rel="(?:stylesheet|preload|preconnect)"[^>]*href="(https?:[^"]+)\""""
    )

    foreign = {page.name: loaded.findall(page.read_text("utf-8")) for page in site.rglob("*.html")}

    assert {name: hosts for name, hosts in foreign.items() if hosts} == {}
    assert len(foreign) > 20


def test_the_pictures_are_those_of_their_source(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs/pictures.py", tmp_path], check=True)

    drawn = {file.name: file.read_text("utf-8") for file in tmp_path.glob("*.svg")}
    kept = {file.name: file.read_text("utf-8") for file in (ROOT / "docs/pictures").glob("*.svg")}
    assert drawn == kept


def test_every_decision_is_listed(site):
    listed = (site / "decisions/index.html").read_text("utf-8")

    decisions = (ROOT / "docs/decisions").glob("0*.md")
    assert [file.stem for file in decisions if f"{file.stem}.html" not in listed] == []
