"""What to evaluate: one YAML file, one frozen record.

A recipe names two candidates, how they answer, the judge exactly as its container reads it, and how
much the run may cost. `load_recipe` is the only way in; what it returns can be run.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
import ryaml
from msgspec import UNSET, Meta, UnsetType

from nova_judge.errors import RecipeError
from nova_judge.recipe import catalog
from nova_judge.recipe.bedrock_judge import BedrockJudge
from nova_judge.recipe.compatibility import candidate_problems, instance_problems, nova_problems
from nova_judge.recipe.nova_block import NovaBlock, Positive, Section, Text
from nova_judge.recipe.scoring_recipe import (
    NOVA_SCORING_KINDS,
    scoring_problems,
    with_metrics_by_name,
)
from nova_judge.recipe.serverless import Serverless
from nova_judge.recipe.shape import read_record
from nova_judge.records import Candidate

JudgingKind: TypeAlias = Literal["llm_judge", "rubric_llm_judge"]
ScoringKind: TypeAlias = Literal["benchmark", "gen_qa", "rft_eval", "bedrock_judge", "serverless"]
Kind: TypeAlias = JudgingKind | ScoringKind
NOVA_JUDGE_KINDS: frozenset[str] = frozenset({"llm_judge", "rubric_llm_judge"})

Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=2)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
TopP: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
# A function has 900 s and begins no call that could outlast it: longer ones would leave no time to.
CallTimeout: TypeAlias = Annotated[float, Meta(gt=0, le=600)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Generation(Section, frozen=True):
    """How candidates answer. Seconds for `call_timeout_s`; `max_failed` is a share of the rows.

    `temperature` and `top_p` of None are not sent: the model's own count.

    `batch_from`: from this many rows on, Bedrock candidates answer through batch inference.
    """

    max_tokens: Positive = 512
    temperature: Temperature | None = 0.7
    top_p: TopP | None = None
    stop: tuple[Text, ...] = ()
    system: Text | None = None
    seed: Seed = 0
    max_failed: Share = 0.02
    batch_from: Positive | None = None
    tries: Positive = 300
    call_timeout_s: CallTimeout = 60.0


class GenerationOverrides(Section, frozen=True):
    """What one candidate does otherwise than the recipe's `generation`."""

    max_tokens: Positive | UnsetType = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    top_p: TopP | UnsetType | None = UNSET
    stop: tuple[Text, ...] | UnsetType = UNSET
    seed: Seed | UnsetType = UNSET
    batch_from: Positive | UnsetType | None = UNSET
    tries: Positive | UnsetType = UNSET
    call_timeout_s: CallTimeout | UnsetType = UNSET


class CandidateSpec(Section, frozen=True):
    """Where one candidate's answers come from: exactly one of `endpoint`, `bedrock`, `file`.

    `instance_types` is the order in which an endpoint is tried; left out, that of the stack.
    """

    endpoint: Text | None = None
    bedrock: Text | None = None
    file: Literal["response_A", "response_B"] | None = None
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    system: Text | None = None
    instance_types: tuple[Text, ...] = ()
    generation: GenerationOverrides = GenerationOverrides()

    @property
    def source(self) -> Literal["endpoint", "bedrock", "file"]:
        """Which of the three stands in the recipe."""
        if self.endpoint is not None:
            return "endpoint"
        return "bedrock" if self.bedrock is not None else "file"

    @property
    def model(self) -> str:
        """The endpoint model, the Bedrock model id, or the field of the input file."""
        return self.endpoint or self.bedrock or self.file or ""

    @property
    def label(self) -> str:
        """What the report calls this candidate."""
        return self.name or self.model


class Candidates(Section, frozen=True):
    """The two sides; A is the baseline."""

    A: CandidateSpec = CandidateSpec(file="response_A")
    B: CandidateSpec = CandidateSpec(file="response_B")


class Judge(Section, frozen=True):
    """The judge job. `image` is a tag of the Nova evaluation repository, or a full image URI.

    Of several instance types the first is asked for; `max_rows_per_job` splits the rows into jobs.
    `scorer`: `prime_math`, `prime_code`, a file in `scorers/` by name, or a function's ARN.
    `evaluate_base_model`: the base model too, beside the customised one.
    """

    instance_type: str | tuple[str, ...] = ()
    instance_count: Annotated[int, Meta(ge=1, le=16)] = 1
    volume_gb: Annotated[int, Meta(ge=1, le=16_384)] = 30
    max_runtime_s: Annotated[int, Meta(ge=60, le=28 * 86_400)] = 86_400
    image: Text | None = None
    max_rows_per_job: Positive | None = None
    nova: NovaBlock | None = None
    bedrock: BedrockJudge | None = None
    serverless: Serverless | None = None
    scorer: Text | None = None
    evaluate_base_model: bool = False

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The instance types in the order of preference."""
        named = self.instance_type
        return (named,) if isinstance(named, str) else named


class Budget(Section, frozen=True):
    """US dollars; a run whose estimate is higher is refused before anything paid starts."""

    max_usd: Annotated[float, Meta(gt=0)] | None = None


class Statistics(Section, frozen=True):
    """How sure the report has to be. `equivalence_margin` is a distance of the win rate from ½."""

    level: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    equivalence_margin: Annotated[float, Meta(gt=0, lt=0.5)] | None = None
    seed: Seed = 0


class Shards(Section, frozen=True):
    """How the input is cut: bytes of one shard."""

    bytes: Annotated[int, Meta(ge=1_024, le=512 * 1024**2)] = 4 * 1024**2


class Recipe(Section, frozen=True):
    """One evaluation, complete: everything left out of the file stands here with its default."""

    name: str
    kind: Kind
    candidates: Candidates = Candidates()
    generation: Generation = Generation()
    judge: Judge = Judge()
    budget: Budget = Budget()
    statistics: Statistics = Statistics()
    shards: Shards = Shards()
    controls: tuple[Literal["same_answer", "padded"], ...] = ()
    stop: Literal["when_decided"] | None = None

    def candidate(self, candidate: Candidate) -> CandidateSpec:
        """The spec of A or of B."""
        return self.candidates.A if candidate == "A" else self.candidates.B

    def generation_for(self, candidate: Candidate) -> Generation:
        """`generation` with the candidate's own settings laid over it."""
        spec = self.candidate(candidate)
        changes: dict[str, Any] = {
            field: value
            for field in spec.generation.__struct_fields__
            if (value := getattr(spec.generation, field)) is not UNSET
        }
        if spec.system is not None:
            changes["system"] = spec.system
        return msgspec.structs.replace(self.generation, **changes)

    def endpoint_instances(self, sides: Iterable[Candidate]) -> dict[str, tuple[str, ...]]:
        """The endpoints of those candidates, each with the instance types to try in this order."""
        named: dict[str, tuple[str, ...]] = {}
        for side in sides:
            spec = self.candidate(side)
            if spec.endpoint is not None:
                named[spec.endpoint] = named.get(spec.endpoint, ()) + spec.instance_types
        served = catalog.models().endpoints
        return {
            model: tuple(dict.fromkeys(types)) or served[model].instance_types
            for model, types in named.items()
        }

    @property
    def nova(self) -> NovaBlock:
        """The container's recipe; raises RecipeError for a kind that runs no Nova job."""
        if self.judge.nova is None:
            raise RecipeError(
                f"{self.name}: kind {self.kind} runs no Nova job: judge.nova is empty"
            )
        return self.judge.nova

    def canonical(self) -> bytes:
        """The same bytes for the same evaluation, whatever the order and comments of its file."""
        return msgspec.json.encode(_said(self), order="deterministic")

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of `canonical()`: a part of the run id."""
        return hashlib.sha256(self.canonical()).hexdigest()


def load_recipe(text: str, *, file: str) -> Recipe:
    """The recipe in `text`; its name is the stem of `file`.

    Raises RecipeError with every problem: the file, the key, what was found and what is allowed.
    """
    try:
        document = ryaml.loads(text)
    except ValueError as error:
        raise RecipeError(f"{file}: not readable as YAML: {error}") from None
    if isinstance(document, dict):
        document = with_metrics_by_name({"name": Path(file).stem, **document})
    recipe = read_record(document, Recipe, file=file)
    problems = list(recipe_problems(recipe))
    if problems:
        raise RecipeError("\n".join(f"{file}: {problem}" for problem in problems))
    return recipe


def recipe_problems(recipe: Recipe) -> Iterator[str]:
    """What a well-formed recipe says that cannot be run."""
    for side, spec in (("A", recipe.candidates.A), ("B", recipe.candidates.B)):
        generation = recipe.generation_for("A" if side == "A" else "B")
        yield from candidate_problems(
            f"candidates.{side}",
            endpoint=spec.endpoint,
            bedrock=spec.bedrock,
            file=spec.file,
            temperature=generation.temperature,
            top_p=generation.top_p,
        )
        yield from instance_problems(f"candidates.{side}", spec.endpoint or "", spec.instance_types)
    judge = recipe.judge
    yield from _judging_problems(recipe)
    yield from scoring_problems(recipe.kind, judge)
    if recipe.kind not in NOVA_JUDGE_KINDS | NOVA_SCORING_KINDS:
        return
    if judge.nova is None:
        yield f"judge.nova: missing; kind {recipe.kind} needs the recipe that the container reads"
        return
    if recipe.kind in NOVA_JUDGE_KINDS and judge.nova.evaluation.task != recipe.kind:
        yield (
            f"judge.nova.evaluation.task: found {judge.nova.evaluation.task!r}; kind {recipe.kind} "
            f"needs {recipe.kind}"
        )
    yield from nova_problems(
        judge.nova,
        instance_types=judge.instance_types,
        instance_count=judge.instance_count,
        image=judge.image,
    )


def _judging_problems(recipe: Recipe) -> Iterator[str]:
    """Options that only judging pairs has, and what they need."""
    compares = recipe.kind in NOVA_JUDGE_KINDS
    for key, value in (("stop", recipe.stop), ("controls", recipe.controls)):
        if value and not compares:
            allowed = " and ".join(sorted(NOVA_JUDGE_KINDS))
            yield f"{key}: found in kind {recipe.kind}; only {allowed} judge pairs"
    if recipe.stop and compares and recipe.judge.max_rows_per_job is None:
        yield (
            "stop: when_decided looks after each judge job, and without judge.max_rows_per_job "
            "there is only one. Write how many rows a job judges, such as max_rows_per_job: 500"
        )


def recipe_to_nova_yaml(recipe: Recipe, run_name: str) -> str:
    """The container's recipe as YAML; `run.name` is `run_name` where the recipe gives none."""
    nova = recipe.nova
    named = msgspec.structs.replace(nova.run, name=nova.run.name or run_name)
    block = msgspec.to_builtins(msgspec.structs.replace(nova, run=named))
    block["run"] = {"name": block["run"].pop("name"), **block["run"]}
    return ryaml.dumps(block)


def _said(record: msgspec.Struct) -> dict[str, Any]:
    """What a record says beyond its defaults; a default that is written out says nothing."""
    said = {}
    for field in msgspec.structs.fields(record):
        value = getattr(record, field.name)
        if value is not UNSET and value != field.default:
            said[field.name] = _said(value) if isinstance(value, msgspec.Struct) else value
    return said
