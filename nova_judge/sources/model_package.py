"""`{model_package: …}`: a version in the model registry, on an endpoint made for the run."""

from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.own_endpoint import OwnEndpoint, instance_problems


@dataclass(frozen=True)
class ModelPackageSource(OwnEndpoint):
    """Model packages, of the account or of another that shares them."""

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        yield from instance_problems(where, model)

    def kept_as(self, model: AskedModel) -> str:
        return f"package {model.model}"

    def title(self, model: AskedModel) -> str:
        return model.model.partition(":model-package/")[2]
