"""The wheel, installed where there is no checkout: what `pip install nova-judge` gives."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from nova_judge import __version__
from tests.made.once import made_once

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"

pytestmark = pytest.mark.slow


class Installed(NamedTuple):
    """An environment that holds the wheel, and an empty folder to work in."""

    environment: Path
    folder: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "MPLCONFIGDIR")
        return subprocess.run(
            [str(self.environment / "bin" / "nova-judge"), *arguments],
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name not in hidden},
            capture_output=True,
            text=True,
            check=False,
        )

    def printed(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    build = ("build", "--wheel", "--no-build-isolation", str(ROOT), "--out-dir")
    folder = made_once(tmp_path_factory, "wheel", lambda folder: _uv(*build, str(folder)))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def core(wheel, tmp_path_factory) -> Installed:
    return _installed(tmp_path_factory, "core", wheel)


@pytest.fixture(scope="module")
def local(wheel, tmp_path_factory) -> Installed:
    return _installed(tmp_path_factory, "local", wheel, "[local]")


@pytest.fixture(scope="module")
def run(local, tmp_path_factory) -> Path:
    """The folder of a run that the installed local mode evaluated."""
    evaluate = ("local", "run", str(ROOT / "examples" / "pairs.jsonl"), "--recipe", "rubric")

    def make(folder: Path) -> None:
        local.printed(*evaluate, "--out", str(folder / "run"))

    return made_once(tmp_path_factory, "wheel-run", make) / "run"


def _installed(factory, name: str, wheel: Path, extra: str = "") -> Installed:
    def make(folder: Path) -> None:
        (folder / "work").mkdir()
        _uv("venv", "--python", sys.executable, str(folder / "environment"))
        _uv(
            "pip",
            "install",
            "--python",
            str(folder / "environment" / "bin" / "python"),
            "--constraint",
            str(ROOT / "requirements.txt"),
            f"nova-judge{extra} @ {wheel.as_uri()}",
        )

    folder = made_once(factory, f"wheel-{name}", make)
    return Installed(folder / "environment", folder / "work")


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [UV, *arguments, "--quiet"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


def test_it_holds_the_product_and_no_other_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0] for name in names} == {
        "nova_judge",
        "nova_judge_local",
        f"nova_judge-{__version__}.dist-info",
    }
    assert {
        "nova_judge/py.typed",
        "nova_judge/recipes/pairwise.yaml",
        "nova_judge/recipes/metrics/positive-sentiment.yaml",
        "nova_judge/scorers/numeric_answer.py",
        "nova_judge_local/py.typed",
        "nova_judge_local/functions/lambdas/plan_evaluation.py",
        "nova_judge_local/stacks/NovaJudge-local-Evaluation.json",
    } <= set(names)


def test_the_core_has_neither_emulator_nor_cdk_nor_registry(core):
    packages = next((core.environment / "lib").glob("python*/site-packages"))
    present = {path.name for path in packages.iterdir()}
    assert (
        present & {"ministack", "aws_cdk", "sagemaker", "sympy", "aws_lambda_powertools"} == set()
    )
    assert {"nova_judge", "duckdb", "matplotlib"} <= present


def test_the_core_says_its_version_and_knows_the_recipes(core):
    assert core.printed("--version") == f"nova-judge {__version__}\n"
    assert '"model_type": "amazon.nova-2-lite-v1:0:256k"' in core.printed(
        "request", "--recipe", "rubric"
    )


def test_a_missing_extra_is_one_sentence(core):
    done = core.run("local", "run", str(ROOT / "examples" / "pairs.jsonl"))
    assert done.returncode == 3
    assert " ".join(done.stderr.split()) == (
        "MissingExtraError: ministack is not installed; install it with: pip install"
        " 'nova-judge[local]'"
    )


def test_a_whole_run_on_this_machine_with_the_extra_local(run):
    rows = json.loads((run / "report" / "metrics.json").read_bytes())["rows"]
    assert (rows["input"], rows["judged"]) == (54, 54)
    assert (run / "report" / "report.html").is_file()
    # Elsewhere in the tests no function draws its figures.
    assert (run / "report" / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (run / "report" / "figure.svg").read_bytes()


def test_the_core_reads_what_a_run_left(core, run):
    judgments = str(run / "report" / "judgments.parquet")
    assert json.loads(core.printed("stats", judgments, "--json"))["rows"]["judged"] == 54
    assert core.printed("gate", str(run), "--min-win-rate", "0.3").startswith("PASS: ")


def test_nothing_is_written_into_the_installation(wheel, local, run):
    assert run.is_dir()
    packages = next((local.environment / "lib").glob("python*/site-packages"))
    present = {
        path.relative_to(packages).as_posix()
        for name in ("nova_judge", "nova_judge_local", ".nova-judge")
        for path in (packages / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert present == {
        name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name
    }
