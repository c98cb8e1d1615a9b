"""What the targets of the Makefile do, and in which order."""

import json
import os
import re
import shutil
import subprocess
import sys

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
    assert stopping.rstrip().endswith("nova-judge stop --stage prod")
    assert removing.rstrip().endswith("destroy --all --context stage=prod")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("deploy", "deploy --all --context stage=prod --require-approval never --progress events"),
        ("destroy", "destroy --all --context stage=prod --force --progress events"),
    ],
)
def test_a_pipeline_is_asked_nothing_and_its_words_reach_the_cdk(target, words):
    lines = would_run(target, "STAGE=prod", "CONFIRM=no", "ARGS=--progress events")

    assert lines[-1].endswith(words)
    assert target == "deploy" or lines[-2].endswith("stop --stage prod --yes")


@pytest.mark.parametrize("target", ["deploy", "bootstrap"])
def test_credentials_are_looked_at_before_anything_is_built(target):
    lines = [line for line in would_run(target) if ".venv/bin/" in line and " -m stacks" in line]
    before = would_run(target)[: would_run(target).index(lines[0]) + 1]

    assert any("nova-judge where" in line.partition("-m stacks")[0] for line in before)


def test_a_word_that_is_neither_yes_nor_no_is_refused():
    with pytest.raises(subprocess.CalledProcessError):
        would_run("deploy", "CONFIRM=maybe")


@pytest.mark.parametrize("with_venv", [True, False])
def test_a_cdk_command_line_of_ones_own_finds_a_python(tmp_path, with_venv):
    """What the CDK does with `app` of cdk.json: a shell runs it in the repository's folder."""
    for folder in ("elsewhere", *([".venv/bin"] if with_venv else [])):
        python = tmp_path / folder / "python3"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\necho {folder} $1\n")
        python.chmod(0o755)
    command = json.loads((ROOT / "cdk.json").read_text())["app"]
    environment = {"PATH": f"{tmp_path / 'elsewhere'}:/usr/bin:/bin"}

    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{'.venv/bin' if with_venv else 'elsewhere'} app.py\n"


def test_without_a_terminal_a_deployment_says_how_to_confirm(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stacks.command", "deploy", "--all"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert "make deploy CONFIRM=no" in done.stderr


@pytest.mark.parametrize(
    ("stage", "region", "words"),
    [
        ("local", "us-east-1", "SettingsError: stage 'local' is for local mode"),
        ("dev", "cn-north-1", "SettingsError: cn-north-1 lies in the partition aws-cn"),
        ("nowhere", "us-east-1", "SettingsError: cdk.json: stage 'nowhere' is not among"),
    ],
)
def test_what_cannot_be_deployed_is_refused_with_one_sentence(tmp_path, stage, region, words):
    told = {
        "CDK_CLI_VERSION": "2.0.0",
        "CDK_DEFAULT_REGION": region,
        "CDK_OUTDIR": str(tmp_path),
        "CDK_CONTEXT_JSON": json.dumps({"stage": stage}),
    }
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


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
