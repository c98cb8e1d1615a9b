"""The recipe of an evaluation: one YAML file, one frozen record.

A recipe names two candidates, how they answer, the judge exactly as its container reads it, and how
much the run may cost. `nova_judge.kinds.recipes` reads one and checks what its kind needs.
"""

import hashlib
import itertools
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_judge import CallSettings, FixedRubric, JudgePrompt, default_prompt
from nova_judge.recipe.asked_model import AnswersIn, AskedModel, Example, Message
from nova_judge.recipe.bedrock_judge import BedrockJudge
from nova_judge.recipe.column_map import ColumnMap
from nova_judge.recipe.nova_block import NovaBlock, Positive, Section, Text
from nova_judge.recipe.serverless import Serverless
from nova_judge.recipe.shape import stated
from nova_judge.records import CANDIDATES

Block = TypeVar("Block", bound=Section)
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=2)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
TopP: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
# A function has 900 s and begins no call that could outlast it: longer ones would leave no time to.
CallTimeout: TypeAlias = Annotated[float, Meta(gt=0, le=600)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class Generation(Section, frozen=True):
    """Settings of answers. `call_timeout_s` is in seconds, `max_failed` a share of the rows.

    `temperature` and `top_p` of None are not sent: the model's own count.

    `batch_from`: from this many rows on, Bedrock candidates answer through batch inference.
    `json_schema`: a JSON schema that answers follow, for models that know of one.
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
    json_schema: dict[str, Any] | None = None


class GenerationOverrides(Section, frozen=True):
    """Settings of one candidate that differ from the recipe's `generation`."""

    max_tokens: Positive | UnsetType = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    top_p: TopP | UnsetType | None = UNSET
    stop: tuple[Text, ...] | UnsetType = UNSET
    seed: Seed | UnsetType = UNSET
    batch_from: Positive | UnsetType | None = UNSET
    tries: Positive | UnsetType = UNSET
    call_timeout_s: CallTimeout | UnsetType = UNSET


class CandidateSpec(AskedModel, frozen=True):
    """One candidate: a model and how it is asked, or the column of the input with its answers.

    `system` and `generation` hold what differs from the recipe's `generation`. `prompt` is a
    template of the one question, `messages` are the turns of a conversation that ends with the
    question; a candidate has one of the two, or neither. `examples` are records that templates may
    show, or the name of a file beside the recipe with one per row.
    """

    file: AnswersIn | None = None
    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    system: Text | None = None
    generation: GenerationOverrides = GenerationOverrides()
    prompt: Text | None = None
    messages: Annotated[tuple[Message, ...], Meta(max_length=50)] = ()
    examples: Text | tuple[Example, ...] = ()

    @property
    def turns(self) -> tuple[Message, ...]:
        """The turns as templates; none where the row's own question is asked as it is."""
        if self.prompt is not None:
            return (Message(role="user", content=self.prompt),)
        return self.messages

    @property
    def source(self) -> str:
        """The key that names the model, or `file`."""
        return "file" if self.file is not None else super().source

    @property
    def model(self) -> str:
        """The model in the words of its source, or the column."""
        return self.file or super().model


IN_FILE = {
    "A": CandidateSpec(file="response_A"),
    "B": CandidateSpec(file="response_B"),
}
CandidateName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,49}\Z")]


class Judge(Section, frozen=True):
    """The judge job. `image` is a tag of the Nova evaluation repository, or a full image URI.

    Of several instance types the first is asked for; `max_rows_per_job` splits the rows into jobs.
    `scorer`: `prime_math`, `prime_code`, a file in `scorers/` by name, or a function's ARN.
    `evaluate_base_model`: the base model too, beside the customised one.
    `model`, or each of a `panel`, is asked by calls: in the words of `prompt`, by a `rubric` that
    is fixed or made `per_question`.
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
    model: AskedModel | None = None
    panel: dict[str, AskedModel] | None = None
    prompt: JudgePrompt | None = None
    rubric: Literal["per_question"] | FixedRubric | None = None
    calls: CallSettings = CallSettings()

    @property
    def asked(self) -> dict[str, AskedModel]:
        """The models that are asked by calls, by their keys in the recipe."""
        panel = {f"judge.panel.{name}": model for name, model in (self.panel or {}).items()}
        return panel if self.model is None else {"judge.model": self.model, **panel}

    @property
    def words(self) -> JudgePrompt:
        """The prompt of a judge that is asked by calls."""
        return self.prompt or default_prompt(self.rubric)

    @property
    def instance_types(self) -> tuple[str, ...]:
        """The instance types in the order of preference."""
        named = self.instance_type
        return (named,) if isinstance(named, str) else named


class Budget(Section, frozen=True):
    """US dollars; a run whose estimate is higher is refused before anything paid starts."""

    max_usd: Annotated[float, Meta(gt=0)] | None = None


class RatesElsewhere(Section, frozen=True):
    """How often the judge was right on other pairs that it decided, by the side that is better."""

    right_of_A: Annotated[float, Meta(ge=0)]
    labelled_A: Annotated[float, Meta(gt=0)]
    right_of_B: Annotated[float, Meta(ge=0)]
    labelled_B: Annotated[float, Meta(gt=0)]

    def __post_init__(self) -> None:
        for side, right, labelled in (
            ("A", self.right_of_A, self.labelled_A),
            ("B", self.right_of_B, self.labelled_B),
        ):
            if right > labelled:
                raise ValueError(f"right_of_{side} is more than labelled_{side}")


class Statistics(Section, frozen=True):
    """Demands on the report. `equivalence_margin` is a distance of the win rate from ½.

    `judge_rates` correct the win rate by how the same judge did on pairs labelled elsewhere.
    """

    level: Annotated[float, Meta(ge=0.5, lt=1)] = 0.95
    equivalence_margin: Annotated[float, Meta(gt=0, lt=0.5)] | None = None
    seed: Seed = 0
    judge_rates: RatesElsewhere | None = None


class Shards(Section, frozen=True):
    """The size of one shard of the input in bytes."""

    bytes: Annotated[int, Meta(ge=1_024, le=512 * 1024**2)] = 4 * 1024**2


class Recipe(Section, frozen=True):
    """One evaluation, complete: everything left out of the file stands here with its default.

    `kind` is one of `nova_judge.kinds.known_kinds`. `map` names the columns of the input file;
    `failure_texts` says what becomes of answers that are the trace of a failed generation.
    """

    name: str
    kind: str
    candidates: dict[CandidateName, CandidateSpec] = msgspec.field(default_factory=dict)
    pairs: Annotated[
        str, Meta(pattern=r"^(all|against .+)$", description="`all`, or `against` and a candidate")
    ] = "all"
    generation: Generation = Generation()
    judge: Judge = Judge()
    budget: Budget = Budget()
    statistics: Statistics = Statistics()
    shards: Shards = Shards()
    controls: tuple[Literal["same_answer", "padded", "repeat"], ...] = ()
    stop: Literal["when_decided"] | None = None
    map: ColumnMap = ColumnMap()
    failure_texts: Literal["failed", "judged"] = "failed"

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates: A and B, of which A is the baseline, or others by their own names."""
        return tuple(self.candidates) if self.many else CANDIDATES

    @property
    def many(self) -> bool:
        """True where the candidates have names of their own."""
        return not self.candidates.keys() <= set(CANDIDATES)

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """The pairs that are judged, the baseline first."""
        if self.pairs == "all":
            return tuple(itertools.combinations(self.names, 2))
        base = self.pairs.removeprefix("against ")
        return tuple((base, name) for name in self.names if name != base)

    def candidate(self, candidate: str) -> CandidateSpec:
        """The spec of a candidate; A or B that is left out is that column of the file."""
        return self.candidates.get(candidate) or IN_FILE[candidate]

    def generation_for(self, candidate: str) -> Generation:
        """`generation` with the candidate's own settings laid over it."""
        spec = self.candidate(candidate)
        own = msgspec.structs.asdict(spec.generation)
        changes = {field: value for field, value in own.items() if value is not UNSET}
        if spec.system is not None:
            changes["system"] = spec.system
        return msgspec.structs.replace(self.generation, **changes)

    def optional_parts(self) -> dict[str, bool]:
        """The parts that only some kinds use, by their key: true where the recipe holds one."""
        judge = self.judge
        parts = {
            "judge.nova": judge.nova,
            "judge.bedrock": judge.bedrock,
            "judge.serverless": judge.serverless,
            "judge.scorer": judge.scorer,
            "judge.evaluate_base_model": judge.evaluate_base_model,
            "judge.model": judge.model or judge.panel,
            "judge.prompt": judge.prompt,
            "judge.rubric": judge.rubric,
            "judge.calls": judge.calls != CallSettings(),
            "controls": self.controls,
            "stop": self.stop,
            "statistics.judge_rates": self.statistics.judge_rates,
        }
        return {key: bool(part) for key, part in parts.items()}

    @property
    def nova(self) -> NovaBlock:
        """The container's recipe; raises RecipeError for a kind that runs no Nova job."""
        return self._held(self.judge.nova, "nova")

    @property
    def bedrock(self) -> BedrockJudge:
        """The settings of Bedrock's judge; raises RecipeError for another kind."""
        return self._held(self.judge.bedrock, "bedrock")

    @property
    def serverless(self) -> Serverless:
        """The serverless evaluation; raises RecipeError for another kind."""
        return self._held(self.judge.serverless, "serverless")

    def _held(self, block: Block | None, key: str) -> Block:
        if block is None:
            raise RecipeError(f"{self.name}: kind {self.kind} has no judge.{key}")
        return block

    def canonical(self) -> bytes:
        """The same bytes for the same evaluation, whatever the order and comments of its file."""
        return msgspec.json.encode(stated(self), order="deterministic")

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of `canonical()`: a part of the run id."""
        return hashlib.sha256(self.canonical()).hexdigest()
