"""`{training_job: …}`: the checkpoint that a job left, on an endpoint made for the run."""

from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.own_endpoint import OwnEndpoint, instance_problems, serving_name


@dataclass(frozen=True)
class TrainingJobSource(OwnEndpoint):
    """Training jobs of the account."""

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        yield from instance_problems(where, model)

    def kept_as(self, model: AskedModel) -> str:
        return f"checkpoint of {model.model} on {serving_name(model)}"

    def title(self, model: AskedModel) -> str:
        return model.model
