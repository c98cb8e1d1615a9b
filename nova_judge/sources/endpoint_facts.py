"""Facts of an endpoint of the account, and the form of request that its container takes."""

import re
from typing import Final, Literal, NamedTuple, TypeAlias

Form: TypeAlias = Literal["chat", "text"]
"""OpenAI's `messages`, to which the server applies the chat template, or plain `inputs`."""

_CHAT: Final = ("vllm", "huggingface-vllm", "djl-inference", "nova-inference-repo")
_TGI: Final = "huggingface-pytorch-tgi-inference"
_TGI_VERSION = re.compile(r"tgi(\d+)\.(\d+)")
_TGI_CHAT: Final = (3, 3)
"""From this version on TGI takes `messages` beside `inputs`."""


class EndpointFacts(NamedTuple):
    """An endpoint as SageMaker describes it.

    `version` changes whenever another model may answer: the configuration's name and the time of
    the last change. `components`: the inference components that a variant without a model hosts,
    each with its image where that was asked for. `captures`: the owner keeps requests and answers.
    """

    status: str
    images: tuple[str, ...] = ()
    version: str = ""
    reason: str = ""
    instances: int | None = None
    asynchronous: bool = False
    captures: bool = False
    components: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes

    def form(self, component: str | None) -> Form | None:
        """The form that the endpoint, or one of its components, is asked in; None if unknown."""
        image = self.components.get(component or "")
        return form_of_images((image,) if image else self.images)


def form_of_images(images: tuple[str, ...]) -> Form | None:
    """The form that a serving container takes, by its image; None for one that is not known.

    AWS's containers: https://github.com/aws/deep-learning-containers,
    https://github.com/deepjavalibrary/djl-serving.
    """
    forms = {_form_of_image(image) for image in images}
    return forms.pop() if len(forms) == 1 else None


def _form_of_image(image: str) -> Form | None:
    repository = re.split(r"[:@]", image.rpartition("/")[2])[0]
    if repository in _CHAT:
        return "chat"
    version = _TGI_VERSION.search(image)
    if repository == _TGI and version is not None:
        return "chat" if (int(version[1]), int(version[2])) >= _TGI_CHAT else "text"
    return None
