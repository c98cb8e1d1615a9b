"""`{endpoint: …}`: a model of the catalogue, or a real-time endpoint that the account has."""

import re
from collections.abc import Iterator

from nova_judge.answers.answers import Port
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.recipe.shape import not_one_of
from nova_judge.sources.request_forms import form_of
from nova_judge.sources.source import Hosting, NamedModel, Payment, Ways

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


def is_the_stages(model: AskedModel) -> bool:
    """True for a model of the catalogue, whose endpoint the run brings up."""
    return model.endpoint in catalog.models().endpoints


def is_the_accounts(model: AskedModel) -> bool:
    """True for an endpoint that the account has."""
    return model.endpoint is not None and not is_the_stages(model)


class EndpointSource(NamedModel):
    """The models of `data/models.json`, and every other name as one of the account's endpoints."""

    on_aws: bool = True
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        offered = catalog.models().endpoints
        served = offered.get(model.model)
        if served is None:
            if not _NAME.fullmatch(model.model):
                also = "or the name of an endpoint: letters, digits and hyphens"
                yield not_one_of(f"{where}.endpoint", model.model, offered, also)
            if model.instance_types:
                yield f"{where}.instance_types: an endpoint of the account has instances already"
            return
        for key in ("component", "form"):
            if getattr(model, key) is not None:
                yield f"{where}.{key}: a model of the catalogue needs none"
        for kind in model.instance_types:
            if kind not in served.instance_types:
                yield not_one_of(f"{where}.instance_types", kind, served.instance_types)

    def kept_as(self, model: AskedModel) -> str:
        served = catalog.models().endpoints.get(model.model)
        if served is None:
            return f"endpoint {model.model} {model.component or ''}".rstrip()
        return f"{served.model_id} on {catalog.images().serving.images[served.serving]}"

    def title(self, model: AskedModel) -> str:
        return model.component or model.model

    def payment(self, model: AskedModel) -> Payment:
        return "hours" if is_the_stages(model) else "others"

    def hosting(self, model: AskedModel) -> Hosting | None:
        served = catalog.models().endpoints.get(model.model)
        if served is None:
            return None
        supposed = catalog.assumptions().endpoint_tokens_per_second
        return Hosting(
            model.model,
            model.instance_types or served.instance_types,
            supposed.value[model.model],
            supposed.why,
            served.serving,
        )

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        served = catalog.models().endpoints.get(model.model)
        if served is None:
            return ways.account_endpoint(model.model, model.component, model.form, how)
        form = form_of(served.serving, served.model_id, how)
        return ways.stage_endpoint(model.model, form, how)
