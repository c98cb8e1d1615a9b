"""What the targets of the Makefile do, and in which order."""

import os
import re
import shutil
import subprocess

import pytest

from tests.infrastructure.conftest import ROOT

DEMOS = {
    "pairwise": "out/demo",
    **{kind: f"out/{kind}" for kind in ("rubric", "benchmark", "bedrock", "scorer", "own-data")},
}


pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="this machine has no make")


def would_run(*asked: str) -> list[str]:
    """The commands of a target; these tests may themselves run under make."""
    done = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", *asked],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_a_stage_is_removed_only_after_everything_in_it_was_stopped():
    *_, stopping, removing = would_run("destroy", "STAGE=prod")
    assert stopping.endswith("nova-judge stop --stage prod")
    assert removing.endswith("destroy --all --context stage=prod")


@pytest.mark.parametrize(("kind", "folder"), DEMOS.items())
def test_every_kind_of_demo_has_a_folder_of_its_own(kind, folder):
    assert would_run("demo", f"KIND={kind}")[-1].endswith(f"--out {folder}")


@pytest.mark.parametrize("path", sorted(ROOT.glob("nova_judge/cli/*.py")), ids=lambda p: p.stem)
def test_examples_read_only_runs_that_a_demo_leaves(path):
    examples = [
        line for line in path.read_text().splitlines() if line.startswith("      nova-judge")
    ]
    read = {word for line in examples for word in re.findall(r"(?<!--out )\bout/[\w-]+", line)}
    assert read <= set(DEMOS.values())
