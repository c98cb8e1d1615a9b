"""Models on an endpoint that is made for the run and removed with it."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from nova_judge.answers.answers import Port
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Generation
from nova_judge.recipe.shape import not_one_of
from nova_judge.sources.request_forms import ChatForm, PlainForm
from nova_judge.sources.served import ADAPTER, IMAGES, NOVA, own_endpoint
from nova_judge.sources.source import Hosting, NamedModel, Payment, Ways

OWN_SOURCES: Final = ("weights", "model_package", "training_job")
_INSTANCE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")


class OwnEndpoint(NamedModel):
    """The half of a source that follows from the endpoint; the other half names the model."""

    on_aws: bool = True
    shared: bool = True

    def problems(self, where: str, model: AskedModel, how: Generation) -> Iterator[str]:
        """The instance types that cannot serve the model, by the image that will serve it."""
        serving = model.serving or "vllm"
        offered: Collection[str] = ()
        if serving.startswith(NOVA):
            offered = catalog.compatibility().nova_inference[serving.removeprefix(NOVA)]
        elif model.weights is not None:
            offered = catalog.compatibility().gpus
        for kind in model.instance_types:
            if offered and kind not in offered:
                yield not_one_of(f"{where}.instance_types", kind, offered)
            elif not _INSTANCE.fullmatch(kind):
                yield f"{where}.instance_types: found {kind!r}; expected one such as ml.g5.2xlarge"

    def payment(self, model: AskedModel) -> Payment:
        return "hours"

    def hosting(self, model: AskedModel) -> Hosting | None:
        supposed = catalog.assumptions().endpoint_tokens_per_second
        return Hosting(
            own_endpoint(model),
            model.instance_types,
            min(supposed.value.values()),
            f"the slowest model of the catalogue; {supposed.why}",
            IMAGES.get(model.serving or ("vllm" if model.weights else "")),
        )

    def port(self, model: AskedModel, how: Generation, ways: Ways) -> Port:
        name = None if model.lora is None else ADAPTER
        form = PlainForm(how) if model.form == "text" else ChatForm(name, how)
        return ways.stage_endpoint(own_endpoint(model), form, how)


def serving_name(model: AskedModel) -> str:
    """The image of a model as the store of answers knows it."""
    serving = model.serving or "vllm"
    if serving in IMAGES:
        return catalog.images().serving.images[IMAGES[serving]]
    return f"{catalog.images().nova_inference.repository} {serving}"


class ModelPackageSource(OwnEndpoint):
    """`{model_package: …}`: a version in the registry, of the account or shared with it."""

    def kept_as(self, model: AskedModel) -> str:
        return f"package {model.model}"

    def title(self, model: AskedModel) -> str:
        return model.model.partition(":model-package/")[2]


class TrainingJobSource(OwnEndpoint):
    """`{training_job: …}`: the checkpoint that a job of the account left."""

    def kept_as(self, model: AskedModel) -> str:
        return f"checkpoint of {model.model} on {serving_name(model)}"
