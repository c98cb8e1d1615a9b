import os
import shutil
import time

import pytest

from nova_judge.errors import LocalModeError
from nova_judge_local.engine import synth

APP = """
import json, os, pathlib
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(parents=True, exist_ok=True)
(out / "manifest.json").write_text(json.dumps({"context": os.environ["CDK_CONTEXT_JSON"]}))
with open("count", "a") as count:
    count.write("x")
"""


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    for folder in ("stacks", "lambdas", "nova_judge_local", "nova_judge/cli", "recipes"):
        (root / folder).mkdir(parents=True)
        (root / folder / "module.py").write_text("1", "utf-8")
    (root / "app.py").write_text(APP, "utf-8")
    return root


def _runs(root):
    return len((root / "count").read_text("utf-8"))


def test_the_stage_is_local_and_an_unchanged_checkout_is_synthesized_once(checkout):
    first, second = synth.assembly(checkout), synth.assembly(checkout)

    assert first == second
    assert _runs(checkout) == 1
    assert '\\"stage\\": \\"local\\"' in (first / "manifest.json").read_text("utf-8")


@pytest.mark.parametrize("change", ["stacks", "lambdas", "nova_judge", "recipes"])
def test_a_change_to_what_is_deployed_is_synthesized(checkout, change):
    first = synth.assembly(checkout)
    (checkout / change / "new.py").write_text("2", "utf-8")

    assert synth.assembly(checkout) != first
    assert _runs(checkout) == 2


@pytest.mark.parametrize(
    "change", ["nova_judge_local/new.py", "nova_judge/cli/new.py", "lambdas/__pycache__/x.pyc"]
)
def test_a_change_to_what_is_not_deployed_is_not(checkout, change):
    first = synth.assembly(checkout)
    (checkout / change).parent.mkdir(exist_ok=True)
    (checkout / change).write_text("2", "utf-8")

    assert synth.assembly(checkout) == first


def test_a_file_moved_is_a_change(checkout):
    first = synth.assembly(checkout)
    shutil.move(checkout / "stacks/module.py", checkout / "stacks/other.py")

    assert synth.assembly(checkout) != first


def test_old_assemblies_go_and_the_last_used_stay(checkout):
    made = []
    for number in range(synth.KEPT + 2):
        (checkout / "stacks/module.py").write_text(str(number), "utf-8")
        made.append(synth.assembly(checkout))
        past = time.time() - 1000 + number
        os.utime(made[-1], (past, past))

    kept = {path for path in made[0].parent.iterdir() if path.is_dir()}

    assert kept == set(made[-synth.KEPT :])


def test_what_the_app_says_is_told(checkout):
    (checkout / "app.py").write_text("raise SystemExit('cdk.json: stage is unknown')", "utf-8")

    with pytest.raises(
        LocalModeError, match=r"cannot be synthesized:\ncdk\.json: stage is unknown"
    ):
        synth.assembly(checkout)
    assert not [p for p in (checkout / ".nova-judge/assemblies").iterdir() if p.is_dir()]


def test_outside_a_checkout_it_says_where_to_go(tmp_path):
    with pytest.raises(LocalModeError, match="run it from a checkout"):
        synth.assembly(tmp_path)
