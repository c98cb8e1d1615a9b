"""What the targets of the Makefile do, and in which order."""

import shutil
import subprocess

import pytest

from tests.infrastructure.conftest import ROOT


@pytest.mark.skipif(shutil.which("make") is None, reason="this machine has no make")
def test_a_stage_is_removed_only_after_everything_in_it_was_stopped():
    done = subprocess.run(
        ["make", "--dry-run", "destroy", "STAGE=prod"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    *_, stopping, removing = done.stdout.splitlines()
    assert stopping.endswith("nova-judge stop --stage prod")
    assert removing.endswith("destroy --all --context stage=prod")
