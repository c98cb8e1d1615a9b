"""The jobs of a scoring run: which there are, where each reads and writes, and what it is asked."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from nova_judge.errors import RecipeError
from nova_judge.kinds.known import KINDS
from nova_judge.kinds.nova import NovaScores
from nova_judge.layout import RunLayout
from nova_judge.recipe import catalog
from nova_judge.recipe.bedrock_judge import evaluation_job_request, job_parts, source_identifier
from nova_judge.recipe.nova_block import NovaBlock
from nova_judge.recipe.recipe import Recipe, recipe_to_nova_yaml
from nova_judge.recipe.serverless import (
    JobPlace,
    Serverless,
    answers_uri,
    custom_metrics_file,
    evaluation_request,
    inference_request,
    judging_request,
)
from nova_judge.records import CANDIDATES, Candidate
from nova_judge.runs.run import Run
from nova_judge.runs.training_job import training_job_name, training_job_request
from nova_judge.tags import run_tags

Api: TypeAlias = Literal["nova", "bedrock", "serverless"]
Subject: TypeAlias = Literal["A", "B", "base", "customised"]
Step: TypeAlias = Literal["score", "answer", "judge"]

_ONE_STEP: tuple[Step, ...] = ("score",)
_TWO_STEPS: tuple[Step, ...] = ("answer", "judge")


class PlannedJob(msgspec.Struct, frozen=True, kw_only=True):
    """One job. `step`: a model may first `answer` in one job and be judged in the next.

    `first` and `last` bound the rows that it holds, counted from 0 over the run's usable rows.
    """

    number: int
    api: Api
    subject: Subject
    label: str
    step: Step = "score"
    first: int = 0
    last: int = 0

    @property
    def candidate(self) -> Candidate:
        """Whose answers a job of Bedrock's scores; all other jobs evaluate a model."""
        if self.subject in CANDIDATES:
            return self.subject
        raise ValueError(f"job {self.number} evaluates the {self.subject} model, no candidate")


class Account(NamedTuple):
    """What requests need to know of where they run."""

    bucket: str
    region: str
    account: str
    job_prefix: str
    job_role_arn: str
    stage: str


class JobFiles(NamedTuple):
    """What has to lie in the bucket before a job starts: keys and contents."""

    files: tuple[tuple[str, bytes], ...]
    request: dict[str, Any]


def plan_jobs(run: Run, rows: int) -> list[PlannedJob]:
    """All jobs of a run over `rows` usable rows, in the order in which they have to start."""
    recipe = run.recipe
    if recipe.judge.bedrock is not None:
        return _bedrock_jobs(run, rows)
    subjects = _subjects(recipe)
    if recipe.judge.serverless is None:
        return [
            PlannedJob(number=number, api="nova", subject=subject, label=label, last=rows)
            for number, (subject, label) in enumerate(subjects)
        ]
    steps = _ONE_STEP if recipe.judge.serverless.llmaj is None else _TWO_STEPS
    wanted = [(subject, label, step) for subject, label in subjects for step in steps]
    return [
        PlannedJob(
            number=number, api="serverless", subject=subject, label=label, step=step, last=rows
        )
        for number, (subject, label, step) in enumerate(wanted)
    ]


def _subjects(recipe: Recipe) -> list[tuple[Subject, str]]:
    serverless = recipe.judge.serverless
    if serverless is not None:
        base, customised = serverless.model_name, serverless.model_package
    else:
        model = recipe.nova.run.model_name_or_path
        customised = model if model.startswith("s3://") else None
        base = base_model(recipe.nova.run.model_type) if customised else model
    found: list[tuple[Subject, str]] = []
    if customised is None or recipe.judge.evaluate_base_model:
        found.append(("base", base))
    if customised is not None:
        found.append(("customised", customised))
    return found


def base_model(model_type: str) -> str:
    """The base model of a customised one, from its type."""
    known = catalog.compatibility().models.get(model_type)
    if known is None:
        raise RecipeError(f"judge.nova.run.model_type: {model_type!r} has no known base model")
    return known.model_name_or_path


def _bedrock_jobs(run: Run, rows: int) -> list[PlannedJob]:
    judge = run.recipe.judge.bedrock
    if judge is None:
        return []
    parts = job_parts(rows, judge.prompts_per_job)
    wanted = [(candidate, part) for candidate in judge.judged for part in parts]
    return [
        PlannedJob(
            number=number,
            api="bedrock",
            subject=candidate,
            label=run.candidate_label(candidate),
            first=part.start,
            last=part.stop,
        )
        for number, (candidate, part) in enumerate(wanted)
    ]


def job_files(run: Run, job: PlannedJob, account: Account) -> JobFiles:
    """The files of one job, beside its data, and its request."""
    if job.api == "bedrock":
        return JobFiles((), _bedrock_request(run, job, account))
    if job.api == "serverless":
        return _serverless_files(run, job, account)
    return _nova_files(run, job, account)


def job_data(run: Run) -> str:
    """What the one data file of a job is called."""
    kind = run.recipe.kind
    if kind == "bedrock_judge":
        return "prompts.jsonl"
    return "rft_eval.jsonl" if kind == "rft_eval" else "gen_qa.jsonl"


def _nova_files(run: Run, job: PlannedJob, account: Account) -> JobFiles:
    layout = RunLayout(run.run_id)
    name = job_name(run, job, account)
    recipe = _recipe_of(run.recipe, job, account)
    request = training_job_request(
        recipe,
        job_name=name,
        region=account.region,
        role_arn=account.job_role_arn,
        train_uri=_data_uri(run, job, account) if run.recipe.kind != "benchmark" else None,
        recipe_uri=f"s3://{account.bucket}/{layout.judge_recipe(job.number)}",
        output_uri=_output_uri(run, job, account),
        tags=_tags(run, account),
    )
    written = recipe_to_nova_yaml(recipe, name).encode()
    return JobFiles(((layout.judge_recipe(job.number), written),), request)


def _recipe_of(recipe: Recipe, job: PlannedJob, account: Account) -> Recipe:
    """The recipe with the subject's model and the scorer where the container reads them."""
    nova: NovaBlock = recipe.nova
    arn_of = deployed_scorers(account)
    kind = KINDS[recipe.kind]
    if isinstance(kind, NovaScores):
        nova = kind.with_scorer(nova, recipe.judge.scorer, arn_of)
    run = msgspec.structs.replace(nova.run, model_name_or_path=job.label)
    nova = msgspec.structs.replace(nova, run=run)
    judge = msgspec.structs.replace(recipe.judge, nova=nova)
    return msgspec.structs.replace(recipe, judge=judge)


def deployed_scorers(account: Account) -> Callable[[str], str]:
    """From the name of a file in `scorers/` to the function that the stack made of it."""
    return lambda name: (
        f"arn:aws:lambda:{account.region}:{account.account}:function:"
        f"{scorer_function_name(account.job_prefix, name)}"
    )


def scorer_function_name(prefix: str, scorer: str) -> str:
    """AWS wants the names of reward functions to begin with `SageMaker-`."""
    return f"SageMaker-{prefix}-{scorer}"[:64]


def _bedrock_request(run: Run, job: PlannedJob, account: Account) -> dict[str, Any]:
    judge = run.recipe.judge.bedrock
    if judge is None:
        raise RecipeError("judge.bedrock: missing")
    return evaluation_job_request(
        judge,
        job_name=job_name(run, job, account),
        role_arn=account.job_role_arn,
        dataset_uri=_data_uri(run, job, account),
        output_uri=_output_uri(run, job, account),
        source=job_source(job),
        tags=_tags(run, account),
    )


def job_source(job: PlannedJob) -> str:
    """The name under which Bedrock knows the answers of a job."""
    return source_identifier(job.candidate, job.label)


def _serverless_files(run: Run, job: PlannedJob, account: Account) -> JobFiles:
    serverless: Serverless | None = run.recipe.judge.serverless
    if serverless is None:
        raise RecipeError("judge.serverless: missing")
    subject: Literal["base", "customised"] = "base" if job.subject == "base" else "customised"
    place = _place(run, job, account)
    if job.step == "score":
        scorer = run.recipe.judge.scorer
        return JobFiles((), evaluation_request(serverless, scorer, subject, place))
    if job.step == "answer":
        return JobFiles((), inference_request(serverless, subject, place))
    layout = RunLayout(run.run_id)
    metrics = custom_metrics_file(serverless.llmaj) if serverless.llmaj else None
    key = layout.judge_metrics(job.number)
    before = _place(run, msgspec.structs.replace(job, number=job.number - 1), account)
    request = judging_request(
        serverless,
        subject,
        place,
        answers_uri=answers_uri(subject, before),
        custom_metrics_uri=f"s3://{account.bucket}/{key}" if metrics else None,
    )
    return JobFiles(((key, metrics),) if metrics else (), request)


def _place(run: Run, job: PlannedJob, account: Account) -> JobPlace:
    serverless = run.recipe.judge.serverless
    if serverless is None or serverless.evaluation == "benchmark":
        train = None
    else:
        train = serverless.dataset or _data_uri(run, job, account)
    return JobPlace(
        name=f"{job_name(run, job, account)}-0",  # the next step reads where this name writes
        role_arn=account.job_role_arn,
        output_uri=_output_uri(run, job, account).rstrip("/"),
        train_uri=train,
        tags=_tags(run, account),
    )


def job_name(run: Run, job: PlannedJob, account: Account) -> str:
    """The job's name, but for the number of redrives that the state machine appends.

    One name for both services: Bedrock takes lower case only.
    """
    return training_job_name(account.job_prefix, run.run_id, run.execution, job.number).lower()


def _data_uri(run: Run, job: PlannedJob, account: Account) -> str:
    """Each Bedrock job has a part of the rows; all other jobs of a run share one file."""
    number = job.number if job.api == "bedrock" else 0
    return f"s3://{account.bucket}/{RunLayout(run.run_id).judge_data(number, job_data(run))}"


def _output_uri(run: Run, job: PlannedJob, account: Account) -> str:
    return f"s3://{account.bucket}/{RunLayout(run.run_id).judge_output(job.number)}"


def _tags(run: Run, account: Account) -> dict[str, str]:
    return run_tags(account.stage, run.run_id)


def pascal_case(request: Any) -> Any:  # noqa: ANN401 - JSON
    """A request with the key names that Step Functions' SDK integrations expect."""
    if isinstance(request, dict):
        return {key[:1].upper() + key[1:]: pascal_case(value) for key, value in request.items()}
    if isinstance(request, Sequence) and not isinstance(request, str):
        return [pascal_case(value) for value in request]
    return request
