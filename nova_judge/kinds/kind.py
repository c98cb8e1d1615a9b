"""The questions that every kind of evaluation answers, and the records of its answers.

A kind is an object that satisfies `Kind`; `known_kinds.KINDS` names them all. To add one, write a
module beside this one and name its object there.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, Protocol, TypeVar

from nova_judge.inputs.own_data import OwnRow
from nova_judge.inputs.reading import AnswerSources
from nova_judge.kinds.job import Deployment, FinishedJob, JobRequest, PlannedJob
from nova_judge.pairs.judged_rows import PairsFound
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow, Rejected
from nova_judge.runs.run import Run
from nova_judge.runs.usage import JudgeUsage, Workload
from nova_judge.scores.found import ScoresFound

Row = TypeVar("Row")
"""A usable line of the input, as the kind reads it."""


class JudgedBy(NamedTuple):
    """The model that judges; by its `role` the model under test, where nobody judges.

    `container`: Nova's runs, on instances that the account needs a quota for. `bedrock`: the
    Bedrock models that judge. `functions`: ARNs of the functions that score. `asked`: by a job, or
    by calls to AWS or to a server, which is the same one in local mode.
    """

    model: str
    role: Literal["judge", "model"]
    container: bool = False
    bedrock: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    asked: Literal["by job", "on aws", "on a server"] = "by job"


class DataLine(NamedTuple):
    """A line of a job's file, and the record of its row that is kept for the results."""

    sent: bytes
    kept: InputRow | OwnRow


class Kind(Protocol[Row]):
    """One kind of evaluation, from the recipe to what its jobs wrote."""

    @property
    def needs(self) -> frozenset[str]:
        """The keys of `Recipe.optional_parts` without which a recipe says nothing."""

    @property
    def uses(self) -> frozenset[str]:
        """The keys of `Recipe.optional_parts` that a recipe may hold beside those."""

    @property
    def generates(self) -> bool:
        """True where the candidates answer the input's prompts, as far as the file does not."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that a row is read from; a file in which the first is nowhere is refused."""

    def problems(self, recipe: Recipe) -> Iterator[str]:
        """The faults of a recipe that holds all needed parts, each with what is allowed."""

    def needs_file(self, recipe: Recipe) -> bool:
        """True where a run reads an input file; else its recipe's name alone starts it."""

    def judged_by(self, recipe: Recipe) -> JudgedBy:
        """The model that judges or is evaluated, and whom a job calls for it."""

    def usage(self, recipe: Recipe, workload: Workload) -> JudgeUsage:
        """The instances and tokens that the jobs of a run will probably use."""

    def sources(self, recipe: Recipe, head: bytes) -> AnswerSources | None:
        """The sources of the answers, by the file's first bytes; None where no row is usable."""

    def rows(
        self, recipe: Recipe, chunks: Iterable[bytes], size: int, sources: AnswerSources
    ) -> Iterator[Row | Rejected]:
        """The lines of a file of `size` bytes, as the kind reads them; blank ones not."""

    def jobs(self, run: Run, rows: int) -> tuple[PlannedJob, ...]:
        """All jobs of a run over so many usable rows, in the order in which they have to start."""

    def data_line(self, run: Run, row: Row, job: PlannedJob) -> DataLine:
        """The line that a job reads of a row."""

    def request(self, run: Run, job: PlannedJob, deployment: Deployment) -> JobRequest:
        """The call that asks AWS for a job, and the files that it reads beside its data."""

    def results(self, run: Run, jobs: Sequence[FinishedJob]) -> PairsFound | ScoresFound:
        """The verdicts or scores that the run's jobs wrote. Raises JudgeJobError."""


def subjects(recipe: Recipe, base: str, customised: str | None) -> tuple[tuple[str, str], ...]:
    """The models under test with their names: the base model beside a customised one if asked."""
    models = [("base", base)] if customised is None or recipe.judge.evaluate_base_model else []
    return (*models, ("customised", customised)) if customised is not None else tuple(models)


def base_model_problem(recipe: Recipe, customised: str | None) -> Iterator[str]:
    """A base model that would be evaluated beside itself."""
    if recipe.judge.evaluate_base_model and customised is None:
        yield (
            "judge.evaluate_base_model: the model is a base model already; name a customised one "
            "(s3://… or a model package)"
        )
