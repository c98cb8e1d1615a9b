"""Containers that serve a model for a run: what they load, and the variables that say so.

vLLM: https://github.com/aws/deep-learning-containers (docs/vllm). LMI:
https://docs.djl.ai (serving, LMI). Customised Nova:
https://docs.aws.amazon.com/nova/latest/nova2-userguide/nova-model-sagemaker-inference.html.
"""

import hashlib
import json
from typing import Final, Literal, TypeAlias

import msgspec

from nova_judge.errors import RecipeError
from nova_judge.layout import copy_folder
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel

OWN = "own-"
"""Begins the names of endpoints that serve what a recipe names."""
Image: TypeAlias = Literal["vllm", "djl_lmi", "nova", "package"]
"""AWS's images by their names in `images.json`, Nova's, or the one that a package brings."""
IMAGES: Final[dict[str, Image]] = {"vllm": "vllm", "lmi": "djl_lmi"}
NOVA: Final = "nova-"
ADAPTER: Final = "adapter"
"""The name of an adapter as requests name it, and of the channel that brings it."""
ADAPTER_FOLDER: Final = f"/opt/ml/additional-model-data-sources/{ADAPTER}"
MODEL_FOLDER: Final = "/opt/ml/model"
USUAL_CONTEXT: Final = 8192
"""Tokens of prompt and answer together where the recipe says nothing, as in the catalogue."""
_SM = "SM_VLLM_"
_VARIABLES: Final = {
    "vllm": (f"{_SM}TENSOR_PARALLEL_SIZE", f"{_SM}MODEL", f"{_SM}REVISION", f"{_SM}MAX_MODEL_LEN"),
    "djl_lmi": (
        *("OPTION_TENSOR_PARALLEL_DEGREE", "HF_MODEL_ID", "OPTION_REVISION"),
        "OPTION_MAX_MODEL_LEN",
    ),
}
"""How many GPUs share a model, which one it is, at which revision, and its tokens of context."""
_RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)
"""Those that vLLM takes as the highest rank of adapters."""


class Served(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one endpoint of a run serves, as it was found before the run.

    `weights`: a folder or an archive in S3, or a model of the Hub at a `revision`. `package`: the
    ARN that CreateModel is given in their place. `image`: a name of `images.json`, or the package's
    own in `uri`, with its `variables`. `secret`: the name of the key without which the Hub does not
    give the weights: they are copied before. `heads` and `key_heads`: attention heads, which GPUs
    share evenly; 0 where they are not known. `context` in tokens; 0 leaves it to the server.
    """

    image: Image
    weights: str = ""
    revision: str | None = None
    adapter: str = ""
    rank: int = 0
    package: str = ""
    uri: str = ""
    variables: dict[str, str] = {}
    secret: str = ""
    nova: str = ""
    heads: int = 0
    key_heads: int = 0
    context: int = 0

    def copied(self, root: str) -> "Served":
        """The same from the copy of its weights below `root`, for which nobody needs a key."""
        folder = f"{root}{copy_folder(self.weights, self.revision or '')}"
        return msgspec.structs.replace(self, weights=folder, revision=None, secret="")

    @property
    def in_s3(self) -> bool:
        return self.weights.startswith("s3://")

    @property
    def offline(self) -> bool:
        """True where everything is there before the server starts, so that it needs no network.

        A version's own image has its weights in it where it names none: code of somebody else.
        """
        return self.in_s3 or bool(self.package) or self.image == "package"

    def degree(self, gpus: int) -> int:
        """The number of GPUs that share the weights: each has as many of the heads.

        vLLM copies key heads where there are fewer of them than GPUs. Only powers of two divide the
        other parts of usual models.
        """
        if not self.heads:
            return gpus
        keys = self.key_heads or self.heads
        fits = (
            n for n in (8, 4, 2) if n <= gpus and not (self.heads % n or (keys % n and n % keys))
        )
        return next(fits, 1)

    def environment(self, kind: str) -> dict[str, str]:
        """The variables of the container on an instance type; raises RecipeError for a hostile one.

        The container reads its variables line by line.
        """
        made = self._nova if self.image == "nova" else self._engine
        variables = self.variables if self.image == "package" else made(kind)
        for name, value in variables.items():
            if not value.isprintable():
                raise RecipeError(f"{name}: {value!r} holds a control character")
        return variables

    def _engine(self, kind: str) -> dict[str, str]:
        """Those of vLLM, or of LMI, which takes no adapter."""
        degree, model, revision, context = _VARIABLES[self.image]
        variables = {degree: str(self.degree(catalog.compatibility().gpus[kind].gpus))}
        if self.weights and not self.in_s3:
            variables[model] = self.weights
        if self.revision is not None:
            variables[revision] = self.revision
        if self.context:
            variables[context] = str(self.context)
        if self.adapter and self.image == "vllm":
            # Without a model of its own in S3 the adapter is what lies in the model's folder.
            path = ADAPTER_FOLDER if self.in_s3 else MODEL_FOLDER
            variables["SM_VLLM_ENABLE_LORA"] = "true"
            variables["SM_VLLM_MAX_LORA_RANK"] = str(next(r for r in _RANKS if r >= self.rank))
            variables["SM_VLLM_LORA_MODULES"] = json.dumps([{"name": ADAPTER, "path": path}])
        return variables

    def _nova(self, kind: str) -> dict[str, str]:
        """The shortest context that holds what is wanted: it leaves most calls at once."""
        tiers = catalog.compatibility().nova_inference[self.nova].get(kind, ())
        wanted = self.context or min(USUAL_CONTEXT, max((tier[0] for tier in tiers), default=0))
        fitting = [tier for tier in tiers if tier[0] >= wanted] or list(tiers[-1:])
        if not fitting:
            raise RecipeError(f"Nova {self.nova} is not served on {kind}")
        context, at_once = fitting[0]
        return {"CONTEXT_LENGTH": str(context), "MAX_CONCURRENCY": str(at_once)}


LARGEST_RANK: Final = _RANKS[-1]


def own_endpoint(model: AskedModel) -> str:
    """The name of its endpoint in a stage, after the stage's prefix: it follows from the recipe.

    Another image of `images.json` makes it another endpoint.
    """
    words = [model.source, model.model, model.revision, model.lora, model.serving, model.context]
    image = catalog.images().serving.images[IMAGES.get(model.serving or "vllm", "vllm")]
    digest = hashlib.sha256(msgspec.json.encode([*words, image])).hexdigest()
    return f"{OWN}{digest[:12]}"


def image_uri(served: Served, registry: str, region: str) -> str:
    """The image by its URI; `registry` is the host of AWS's serving images in the region."""
    images = catalog.images()
    if served.image == "package":
        return served.uri
    if served.image != "nova":
        return f"{registry}/{images.serving.images[served.image]}"
    nova = images.nova_inference
    account = nova.accounts.get(region)
    if account is None:
        regions = ", ".join(sorted(nova.accounts))
        raise RecipeError(f"{region}: customised Nova models are served in {regions} only")
    _, _, rest = registry.partition(".")
    return f"{account}.{rest}/{nova.repository}:{nova.tag}"
