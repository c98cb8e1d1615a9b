"""Model packages and training jobs as SageMaker describes them."""

import re
from typing import Final, NamedTuple

_SIZES: Final = {
    "lite-v2": re.compile(r"lite-v2|lite-2|2-lite"),
    "micro": re.compile(r"\bmicro\b"),
    "lite": re.compile(r"\blite\b"),
    "pro": re.compile(r"\bpro\b"),
}


class PackageFacts(NamedTuple):
    """A version in the registry; `version` changes with what it would serve.

    `restricted`: the service holds the weights, and nobody reads them. `data`: the folder (with a /
    at its end) or archive in S3. `base`: the model of the hub that it customises.
    """

    status: str
    approval: str | None = None
    restricted: bool = False
    containers: int = 1
    image: str = ""
    data: str = ""
    variables: dict[str, str] = {}  # noqa: RUF012 - a default that nobody changes
    base: str = ""
    recipe: str = ""
    is_checkpoint: bool | None = None
    instance_types: tuple[str, ...] = ()
    version: str = ""

    @property
    def nova(self) -> str | None:
        return nova_of(f"{self.base} {self.image.rpartition('/')[2]}")

    @property
    def unmerged(self) -> bool:
        """True for an adapter that is not part of its base's weights."""
        return "lora" in self.recipe.lower() and self.is_checkpoint is not False


class JobFacts(NamedTuple):
    """A training job: `folder` is where its checkpoint lies, or `problem` why none is known."""

    status: str
    reason: str = ""
    nova: str | None = None
    folder: str = ""
    package: str = ""
    problem: str = ""


def nova_of(words: str) -> str | None:
    """The Nova model that words name (`micro`, `lite`, `pro`, `lite-v2`).

    "" for one of Nova whose size they do not tell, None for any other model.
    """
    lower = words.lower()
    if "nova" not in lower:
        return None
    return next((size for size, form in _SIZES.items() if form.search(lower)), "")
