"""One run: what was asked, resolved and written down once in `request.json`."""

from collections.abc import Iterator, Sequence

import msgspec

from nova_judge.answers import batch_inference
from nova_judge.inputs.dataset import Shard, cut, file_brings_answers
from nova_judge.inputs.reading import GENERATED, AnswersFrom, AnswerSources, asked_by
from nova_judge.recipe.asked_model import COLUMNS, AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.trigger import Trigger
from nova_judge.records import CANDIDATES, Candidate, S3Object
from nova_judge.runs.usage import Estimate
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.served import Served
from nova_judge.version import __version__


class StandIns(msgspec.Struct, frozen=True, omit_defaults=True):
    """Names of what answers and judges in place of the models in local mode; AWS has none.

    `absent_for`: models that answer themselves.
    """

    answers: str | None = None
    judge: str | None = None
    absent_for: tuple[str, ...] = ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known before the first row is read. `created` is ISO 8601, UTC.

    `batch`: who answers by batch inference. `estimate`: what the run was expected to cost.
    `input` has no key where no file is read; `lines`: it as JSON Lines, where it has another form.
    `served`: by the place of a model in the recipe, what tells the weights behind its endpoint from
    others; `serves`: by endpoint of the run's own, what it is made of.
    `trigger`: what set it off, where neither a file nor a person did.
    `unread` names columns of the input that the run leaves aside; `names` is what the uploader
    calls the candidates whose answers the file brings.
    """

    run_id: str
    execution: str
    created: str
    input: S3Object
    recipe: Recipe
    recipe_sha256: str
    sources: AnswerSources
    no_cache: bool = False
    trigger: Trigger | None = None
    batch: tuple[str, ...] = ()
    estimate: Estimate | None = None
    stand_ins: StandIns = StandIns()
    lines: S3Object | None = None
    unread: tuple[str, ...] = ()
    names: dict[str, str] = {}
    served: dict[str, str] = {}
    serves: dict[str, Served] = {}
    code_version: str = __version__

    @property
    def rows_in(self) -> S3Object:
        """The object with the rows as JSON Lines: the input itself, or what was made of it."""
        return self.lines or self.input

    def generated(self) -> tuple[str, ...]:
        """The candidates that this run has to ask, by their names in the recipe."""
        return asked_by(self.recipe, self.sources)

    def kept_as(self, place: str, model: AskedModel) -> str:
        """The name of a model's weights, under which its answers are kept."""
        return f"{source_of(model).kept_as(model)} {self.served.get(place, '')}".rstrip()

    @property
    def most_failed(self) -> float:
        """The share of rows that may be without an answer; the file's own cannot be asked again."""
        return self.recipe.generation.max_failed if self.generated() else 1.0

    def shards(self) -> Iterator[Shard]:
        """The input's byte ranges; larger where a batch job has to be worth its start."""
        least = batch_inference.SHARD_BYTES if self.batch else 0
        return cut(self.rows_in.size, max(self.recipe.shards.bytes, least))

    def candidate_label(self, candidate: str) -> str:
        """A candidate's name in the report; answers of the file never get a model's name."""
        spec = self.recipe.candidate(candidate)
        if self.recipe.many:
            return spec.name or candidate
        if getattr(self.sources, candidate) == "file":
            beside = spec.file if spec.file not in COLUMNS else None
            in_recipe = spec.name or beside if spec.source == "file" else None
            return self.names.get(candidate) or in_recipe or f"response_{candidate}"
        return spec.name or self._title(candidate)

    def _title(self, candidate: str) -> str:
        """The model's name; with its letter where the same model answers in two ways."""
        titles: dict[str, str] = {c: _title(self.recipe, c) for c in CANDIDATES}
        title = titles[candidate]
        alike = self.generated() == CANDIDATES and titles["A"] == titles["B"]
        return f"{title} ({candidate})" if alike else title


def _title(recipe: Recipe, candidate: str) -> str:
    spec = recipe.candidate(candidate)
    return spec.name or source_of(spec).title(spec)


def answer_sources(
    recipe: Recipe, *, file_brings_answers: bool, judged: Sequence[Candidate] = CANDIDATES
) -> AnswerSources:
    """The source of each candidate's answers: it is asked unless they stand in the file.

    A file that brings the answers judged is judged as it is, whatever candidates the recipe names.
    """

    def source(candidate: Candidate) -> AnswersFrom:
        if candidate not in judged:
            return "unused"
        in_file = file_brings_answers or recipe.candidate(candidate).source == "file"
        return "file" if in_file else "generated"

    return AnswerSources(source("A"), source("B"))


def sources_in(
    recipe: Recipe, head: bytes, judged: Sequence[Candidate] = CANDIDATES
) -> AnswerSources | None:
    """The sources of the answers in a file that begins with `head`; None where no row is usable.

    Of many candidates each is asked.
    """
    brings = file_brings_answers(head, recipe.map, judged)
    if brings is None:
        return None
    if recipe.many:
        return GENERATED
    return answer_sources(recipe, file_brings_answers=brings, judged=judged)
