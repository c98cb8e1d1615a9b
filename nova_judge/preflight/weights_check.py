"""Checks that a stage serves what a recipe names."""

import fnmatch
from typing import NamedTuple

from nova_judge.check import Check
from nova_judge.recipe.asked_model import AskedModel

HUB = "hub"


class Allowed(NamedTuple):
    """What recipes may have served: the stage's keys of the same names in `cdk.json`.

    `weights`: S3 folders, and `hub` for models of the Hub. Packages by their ARNs, jobs by their
    names, both perhaps with a `*` at the end.
    """

    weights: tuple[str, ...] = ()
    model_packages: tuple[str, ...] = ()
    training_jobs: tuple[str, ...] = ()


def stage_check(name: str, model: AskedModel, allowed: Allowed) -> Check | None:
    """The reason why the stage does not serve a model as the recipe names it; None where it does.

    The folders that packages and jobs lead to are `folder_check`'s.
    """
    if model.weights is None:
        key, patterns = (
            ("model_packages", allowed.model_packages)
            if model.model_package is not None
            else ("training_jobs", allowed.training_jobs)
        )
        if any(fnmatch.fnmatchcase(model.model, pattern) for pattern in patterns):
            return None
        return _refused(name, patterns, f"{model.model} to {key}")
    if not model.weights.startswith("s3://") and HUB not in allowed.weights:
        return _refused(name, allowed.weights, f"{HUB} to weights")
    folders = (model.weights, model.lora or "")
    checks = (folder_check(name, each, allowed) for each in folders if each.startswith("s3://"))
    return next((check for check in checks if check is not None), None)


def folder_check(name: str, folder: str, allowed: Allowed) -> Check | None:
    """The reason why the stage's role does not read a folder or archive; None where it does."""
    if any(each != HUB and folder.startswith(each) for each in allowed.weights):
        return None
    return _refused(name, allowed.weights, f"{folder.rpartition('/')[0]}/ to weights")


def _refused(name: str, served: tuple[str, ...], wanted: str) -> Check:
    finding = f"the stage serves {', '.join(served) or 'none'}"
    return Check(name, "fail", finding, f"add {wanted} of the stage in cdk.json, and deploy")
