"""Reads of the account, and of the Hub, what serving a recipe's model needs to know."""

from typing import Any

import boto3

from nova_judge.aws import account, checkpoints
from nova_judge.aws.described_models import job_facts, package_facts
from nova_judge.check import NotRead
from nova_judge.preflight.served_model import Found, folder_of
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.checkpoint import Checkpoint
from nova_judge.sources.served import NOVA


def found_model(model: AskedModel) -> Found:
    """A model of one's own as the account shows it now, but for its weights."""
    make: Any = boto3.client
    sagemaker = make("sagemaker", config=account.IMPATIENT)
    if model.model_package is not None:
        arn = model.model_package
        return Found(package=account.read(lambda: package_facts(sagemaker, arn)))
    if model.training_job is not None:
        job = model.training_job
        return Found(job=account.read(lambda: job_facts(sagemaker, job)))
    return Found()


def with_weights(model: AskedModel, found: Found) -> Found:
    """The same with the folders of its weights and of its adapter.

    The Hub is asked only where the recipe names no instance type.
    """
    weights: Checkpoint | NotRead | None = None
    if (folder := folder_of(model, found)).endswith("/") and not _is_nova(model, found):
        weights = account.read(lambda: checkpoints.in_s3(folder))
    elif _on_the_hub(model) and not model.instance_types:
        weights = checkpoints.on_the_hub(model.model, model.revision or "")
    adapter: Checkpoint | NotRead | None = None
    if (lora := model.lora) is not None:
        adapter = account.read(lambda: checkpoints.in_s3(lora))
    return found._replace(weights=weights, adapter=adapter)


def _on_the_hub(model: AskedModel) -> bool:
    return model.weights is not None and not model.weights.startswith("s3://")


def _is_nova(model: AskedModel, found: Found) -> bool:
    """True for Nova's checkpoints, whose form is AWS's own."""
    facts = found.package or found.job
    of_facts = None if isinstance(facts, NotRead) or facts is None else facts.nova
    return (model.serving or "").startswith(NOVA) or of_facts is not None
