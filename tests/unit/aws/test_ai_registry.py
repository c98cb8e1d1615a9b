"""Data sets and scorers are registered with AWS's own SDK, which need not be installed."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from nova_judge.aws.ai_registry import Registered, register_dataset, register_scorer
from nova_judge.cli.main import app
from nova_judge.errors import MissingExtraError, RegistryError


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """AWS's SDK, as far as it is called; what it was asked."""
    asked: list[dict[str, Any]] = []

    def create(**arguments: Any) -> SimpleNamespace:
        asked.append(arguments)
        if arguments["name"] == "taken":
            raise ValueError("it exists")
        return SimpleNamespace(name=arguments["name"], version=2, arn="arn:aws:hub/x/2")

    for name, kind in (("dataset", "DataSet"), ("evaluator", "Evaluator")):
        module = ModuleType(f"sagemaker.ai_registry.{name}")
        setattr(module, kind, SimpleNamespace(create=create))
        monkeypatch.setitem(sys.modules, module.__name__, module)
    for package in ("sagemaker", "sagemaker.ai_registry"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))
    return asked


def test_a_data_set_is_a_file_or_an_object(registry: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text("{}\n")
    made = register_dataset("mine", str(file), role=None, wait=True)
    assert made == Registered("mine", "2", "arn:aws:hub/x/2")
    register_dataset("mine", "s3://b/k.jsonl", role="arn:role", wait=False)
    assert registry == [
        {"name": "mine", "source": str(file), "role": None, "wait": True},
        {"name": "mine", "source": "s3://b/k.jsonl", "role": "arn:role", "wait": False},
    ]
    with pytest.raises(RegistryError, match="neither a file nor an S3 URI"):
        register_dataset("mine", str(tmp_path / "missing"), role=None, wait=True)


def test_a_scorer_is_a_reward_function(registry: list[dict[str, Any]], tmp_path: Path) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:SageMaker-x"
    register_scorer("mine", arn, role=None, wait=True)
    assert registry[0]["type"] == "RewardFunction"
    assert registry[0]["source"] == arn
    with pytest.raises(RegistryError, match="nor the ARN of a Lambda function"):
        register_scorer("mine", str(tmp_path / "missing.py"), role=None, wait=True)


@pytest.mark.usefixtures("registry")
def test_what_the_sdk_refuses_is_told() -> None:
    with pytest.raises(RegistryError, match=r"DataSet\.create failed: ValueError: it exists"):
        register_dataset("taken", "s3://b/k", role=None, wait=True)


def test_without_the_sdk_the_command_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sagemaker", None)
    ended = CliRunner().invoke(app, ["datasets", "register", "mine", "s3://b/k.jsonl"])
    assert isinstance(ended.exception, MissingExtraError)
    assert str(ended.exception) == (
        "sagemaker is not installed; install it with: pip install 'nova-judge[registry]'"
    )


@pytest.mark.usefixtures("registry")
def test_the_command_prints_the_arn_that_recipes_name() -> None:
    ended = CliRunner().invoke(app, ["datasets", "register", "mine", "s3://b/k.jsonl"])
    assert ended.exit_code == 0, ended.output
    assert "arn:aws:hub/x/2" in ended.output
