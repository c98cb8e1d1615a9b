"""A model that is asked, as a recipe names it: a candidate's, or a judge's that answers calls."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from nova_judge.recipe.nova_block import Positive, Section, Text

SecretName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.-]{1,100}\Z",
        description="the last part of a secret's name, never the key itself",
    ),
]
Revision: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\Z", description="a commit, a branch or a tag"
    ),
]
PackageArn: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^arn:[\w-]+:sagemaker:[\w-]+:\d{12}:model-package/"
        r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}(/\d{1,9})?\Z",
        description="the ARN of a model package (…:model-package/GROUP/VERSION)",
    ),
]
JobName: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}\Z",
        description="the name of a training job",
    ),
]
ServingImage: TypeAlias = Literal[
    "vllm", "lmi", "nova-micro", "nova-lite", "nova-pro", "nova-lite-v2"
]
Example: TypeAlias = dict[str, str | int | float | bool | None]
"""A record that a candidate's templates may show."""
COLUMNS: Final = ("response_A", "response_B")
AnswersIn: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^(response_[AB]|[A-Za-z0-9][\w .-]{0,199}\.(jsonl|json|csv|tsv|parquet))\Z",
        description="response_A or response_B, a column of the input, or the name of a file of "
        "answers beside the input",
    ),
]
"""Where ready answers stand: commands put those of a file into the column."""
SOURCES: Final = ("endpoint", "weights", "model_package", "training_job", "bedrock", "openai")
"""The keys that name a model; `nova_judge.sources` has an object for each."""


class TokenPrice(Section, frozen=True):
    """US dollars for a million tokens read (`input`) and written (`output`)."""

    input: Annotated[float, Meta(ge=0)]
    output: Annotated[float, Meta(ge=0)]


class Message(Section, frozen=True):
    """One turn of how a candidate is asked; `content` is a template."""

    role: Literal["user", "assistant"]
    content: Text


class AskedModel(Section, frozen=True):
    """A model by its source: exactly one of the keys in `SOURCES` names it.

    `endpoint`: a model of the catalogue, or an endpoint of the account, with its inference
    `component` and the `form` of its requests where the image does not tell. `weights`: a
    checkpoint in S3 (`s3://…/`), or a model of the Hugging Face Hub at a `revision`, with an
    adapter in S3 (`lora`). `model_package`: the ARN of a version in the model registry.
    `training_job`: the checkpoint that a job left. These three are on an endpoint that the run
    makes and removes, by the image that `serving` names and with `context` tokens of prompt and
    answer. `bedrock`: an id or
    ARN. `openai`: `URL#MODEL`, a server that speaks OpenAI's chat completions. `secret`: the name
    of its key in Secrets Manager, after `nova-judge-<stage>/<host of the URL>/`.
    `instance_types` is the order in which an endpoint is tried; left out, that of the catalogue, or
    one that the model's size fits.
    `price`: US dollars per million tokens, where the price list lacks the model.
    """

    endpoint: Text | None = None
    weights: Text | None = None
    revision: Revision | None = None
    lora: Text | None = None
    model_package: PackageArn | None = None
    training_job: JobName | None = None
    serving: ServingImage | None = None
    context: Positive | None = None
    bedrock: Text | None = None
    openai: Text | None = None
    component: Text | None = None
    form: Literal["chat", "text"] | None = None
    secret: SecretName | None = None
    instance_types: tuple[Text, ...] = ()
    price: TokenPrice | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """The keys of sources that the recipe gives: one, unless the recipe is wrong."""
        return tuple(key for key in SOURCES if getattr(self, key) is not None)

    @property
    def source(self) -> str:
        """The key that names the model; empty where none does."""
        return next(iter(self.named), "")

    @property
    def model(self) -> str:
        """The model, in the words of its source."""
        return str(getattr(self, self.source)) if self.source else ""
