"""Checks that a stage serves the weights that a recipe names."""

from nova_judge.check import Check
from nova_judge.recipe.asked_model import AskedModel

HUB = "hub"


def weights_check(model: AskedModel, allowed: tuple[str, ...]) -> Check:
    """`allowed`: the stage's `weights`, S3 folders and `hub` for models of the Hub."""
    weights = model.weights or ""
    name = f"weights {weights}"
    in_s3 = weights.startswith("s3://")
    if any(weights.startswith(each) if in_s3 else each == HUB for each in allowed):
        return Check(name, "pass", "the stage serves them")
    wanted = weights if in_s3 else HUB
    return Check(
        name,
        "fail",
        f"the stage serves {', '.join(allowed) or 'none'}",
        f"add {wanted} to weights of the stage in cdk.json, and deploy",
    )
