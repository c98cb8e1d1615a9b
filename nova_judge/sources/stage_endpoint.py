"""`{endpoint: …}`: a model of the catalogue, on an endpoint that the stage brings up for a run."""

from collections.abc import Iterator
from dataclasses import dataclass

from nova_judge.answers.answers import Port
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.recipe.shape import not_one_of
from nova_judge.sources.request_forms import form_of
from nova_judge.sources.source import Hosting, Payment, Ways


@dataclass(frozen=True)
class StageEndpoint:
    """The models of `data/models.json`."""

    batches: bool = False
    on_aws: bool = True
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        offered = catalog.models().endpoints
        served = offered.get(model.model)
        if served is None:
            yield not_one_of(f"{where}.endpoint", model.model, offered)
            return
        for kind in model.instance_types:
            if kind not in served.instance_types:
                yield not_one_of(f"{where}.instance_types", kind, served.instance_types)

    def kept_as(self, model: AskedModel) -> str:
        served = catalog.models().endpoints[model.model]
        return f"{served.model_id} on {catalog.images().serving.images[served.serving]}"

    def title(self, model: AskedModel) -> str:
        return model.model

    def payment(self, model: AskedModel) -> Payment:
        return "hours"

    def hosting(self, model: AskedModel) -> Hosting | None:
        served = catalog.models().endpoints[model.model]
        supposed = catalog.assumptions().endpoint_tokens_per_second
        return Hosting(
            model.instance_types or served.instance_types,
            supposed.value[model.model],
            supposed.why,
        )

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        served = catalog.models().endpoints[model.model]
        form = form_of(served.serving, served.model_id, how)
        return ways.stage_endpoint(model.model, form, how)
