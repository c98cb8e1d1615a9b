"""Plans a run before anything is paid for: what it reads, whether the account allows it, its cost.

A model, an input or an account that cannot be used is refused here.
"""

import dataclasses
import datetime
import functools
import tempfile
from pathlib import Path
from typing import NamedTuple

import msgspec

from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.aws import account, s3
from nova_judge.aws.ways import AwsWays
from nova_judge.check import Check
from nova_judge.errors import InputFileError, RequestError
from nova_judge.inputs.file_rows import read_rows
from nova_judge.inputs.formats import HEAD_BYTES, form_of_head
from nova_judge.inputs.input_file import write_lines
from nova_judge.inputs.run_request import EXAMPLE, EvaluationRequest, own_of, run_id
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.kinds.recipes import load_recipe
from nova_judge.layout import RECIPES, RunLayout
from nova_judge.preflight import rules
from nova_judge.preflight.forecast import (
    check_budget,
    estimate_run,
    reach_check,
    read_workload,
)
from nova_judge.preflight.input_head import NO_FILE, InputHead, input_check, read_head
from nova_judge.preflight.rules import Facts
from nova_judge.preflight.weights_check import Allowed
from nova_judge.recipe.column_map import ColumnMap
from nova_judge.recipe.files import MOST_BESIDE, Beside, packaged_recipe
from nova_judge.recipe.own_models import own_names
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.trigger import Trigger
from nova_judge.records import CANDIDATES, S3Object
from nova_judge.runs.run import Run, StandIns
from nova_judge.sources.known_sources import asked_models, source_of
from nova_judge.sources.request_forms import EndpointFacts
from nova_judge.steps.served_models import KeyOf, asked_servers, served_models
from nova_judge.yaml_text import MOST_BYTES

MOST_CONVERTED = 4 * 1024**3
"""Of an object that is converted: it has to fit on the function's disk and into its time."""

MOST_LINE_BYTES = 16 * 1024**3
"""Of what is made of it, so that an archive cannot swell without end."""


class PlanningExecution(NamedTuple):
    """The execution that asks for a run, its start in ISO 8601, and the function that plans it.

    `key_of` reads the keys of model servers.
    """

    execution: str
    started: str
    function_arn: str
    data_bucket: str
    job_role_arn: str
    stand_ins: StandIns = StandIns()
    candidate_endpoints: tuple[str, ...] | None = ()
    allowed: Allowed | None = Allowed()
    key_of: KeyOf = AwsWays("").key_of


class RunPlan(NamedTuple):
    """A run that may start, and the checks that it passed."""

    run: Run
    checks: list[Check]


def plan_run(request: EvaluationRequest, asked: PlanningExecution) -> RunPlan:
    """The run, before anything is paid for; an input of another form is written as JSON Lines.

    With an input file the object's version makes the run; without one each start, or each trigger,
    is a run of its own. Raises RecipeError, RequestError, InputFileError, PreflightError or
    BudgetError.
    """
    if request.key and request.bucket != asked.data_bucket:
        raise RequestError(
            f"s3://{request.bucket}/{request.key}: the input must lie in the data bucket "
            f"s3://{asked.data_bucket}; copy it there"
        )
    recipe = recipe_in(asked.data_bucket, request.recipe, request.trigger)
    reads = kind_of(recipe.kind).needs_file(recipe)
    if reads and not request.key:
        raise RequestError(f"recipe {recipe.name} reads a file: name it as in {EXAMPLE}")
    place, head = S3Object(asked.data_bucket, "", "", 0), NO_FILE
    if request.key:
        place = s3.describe(request.bucket, request.key, request.version)
    name = _name(place, recipe, request, asked.execution)
    lines: S3Object | None = None
    if request.key and reads:
        made = _lines_of(place, recipe.map, name)
        lines = None if made is place else made
        head = read_head(recipe, place.uri, made.size, functools.partial(s3.head, made))
    run = Run(
        run_id=name,
        execution=asked.execution,
        created=asked.started,
        input=place,
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=head.sources,
        no_cache=request.no_cache,
        trigger=request.trigger,
        stand_ins=asked.stand_ins,
        lines=lines,
        names=_names(place) if request.key else {},
        unread=head.unread,
    )
    run, settled = _with_models(run, asked)
    facts = _facts(run, asked)
    checks = [*_checks(run, head, facts), *settled]
    rules.require(checks)
    return RunPlan(_forecast(_with_served(run, facts), head), checks)


def _name(place: S3Object, recipe: Recipe, request: EvaluationRequest, execution: str) -> str:
    return run_id(
        place.bucket,
        place.key or recipe.name,
        place.version or ("" if request.trigger else execution),
        recipe.sha256,
        own=own_of(request.trigger, execution, no_cache=request.no_cache),
    )


def _with_models(run: Run, asked: PlanningExecution) -> RunPlan:
    """The run with what its own endpoints serve, of which nothing may be left open."""
    region = asked.function_arn.split(":")[3]
    models = served_models(run.recipe, run.generated(), region, asked.allowed)
    checks = [c._replace(status="fail") if c.status == "not run" else c for c in models.checks]
    rules.require(checks)
    settled = {"recipe": models.recipe, "serves": models.served, "served": models.versions}
    return RunPlan(msgspec.structs.replace(run, **settled), checks)


def _with_served(run: Run, facts: Facts) -> Run:
    """The run with what stands behind the account's endpoints: their answers are kept by it."""
    known = facts.endpoints or {}
    served = {
        place: found.version
        for place, model in asked_models(run.recipe, run.generated()).items()
        if isinstance(found := known.get(model.model), EndpointFacts)
    }
    return msgspec.structs.replace(run, served=run.served | served)


def _names(item: S3Object) -> dict[str, str]:
    """The names of the file's candidates in the object's metadata, `name-a` and `name-b`."""
    metadata = s3.metadata(item)
    return {c: name[:200] for c in CANDIDATES if (name := metadata.get(f"name-{c.lower()}"))}


def recipe_in(bucket: str, name: str, trigger: Trigger | None = None) -> Recipe:
    """The account's own recipe of that name, else the one that ships with the code."""
    key = f"{RECIPES}{name}.yaml"
    own = s3.read_if_exists(bucket, key, MOST_BYTES)
    if own is not None:
        file = f"s3://{bucket}/{key}"
        text = own.decode("utf-8", "replace")
        return load_recipe(text, file=file, beside=_beside(bucket), trigger=trigger)
    return load_recipe(packaged_recipe(name), file=f"{RECIPES}{name}.yaml", trigger=trigger)


def _beside(bucket: str) -> Beside:
    """The function that reads a file beside the account's own recipes."""

    def beside(file: str) -> bytes:
        content = s3.read_if_exists(bucket, f"{RECIPES}{file}", MOST_BESIDE)
        if content is None:
            raise FileNotFoundError(f"s3://{bucket}/{RECIPES}{file} is not there")
        return content

    return beside


def _facts(run: Run, asked: PlanningExecution) -> Facts:
    facts = account.facts_of_run(
        run.recipe,
        region=asked.function_arn.split(":")[3],
        caller=asked.function_arn,
        job_role_arn=asked.job_role_arn,
        data_bucket=asked.data_bucket,
    )
    absent = None in (facts.endpoints or {}).values()
    return dataclasses.replace(
        facts,
        own_models=own_names(_beside(asked.data_bucket)) if absent else (),
        allowed_endpoints=asked.candidate_endpoints,
        servers=asked_servers(run.recipe, run.generated(), asked.key_of),
    )


def _checks(run: Run, head: InputHead, facts: Facts) -> list[Check]:
    now = datetime.datetime.now(datetime.UTC)
    checks = rules.account_checks(facts, run.recipe, now, run.generated())
    if head.content:
        checks.append(input_check(*head[:3], run.recipe))
        checks.append(reach_check(run.recipe, head))
    return checks


def _forecast(run: Run, head: InputHead) -> Run:
    """The run with its estimate, and with the candidates that answer by batch inference."""
    workload = read_workload(run.recipe, *head[:3])
    forecast = estimate_run(run.recipe, workload)
    check_budget(run.recipe, forecast)

    def in_batch(candidate: str) -> bool:
        spec = run.recipe.candidate(candidate)
        generation = run.recipe.generation_for(candidate)
        return source_of(spec).takes_batches(spec) and answers_in_batch(generation, workload.rows)

    return msgspec.structs.replace(
        run,
        estimate=forecast,
        batch=tuple(candidate for candidate in run.generated() if in_batch(candidate)),
    )


def _lines_of(item: S3Object, columns: ColumnMap, run_id: str) -> S3Object:
    """The object itself where it is JSON Lines, else what is written of it beside the run.

    JSON Lines alone can be cut into byte ranges. The same object gives the same lines, so that a
    repeat writes the same bytes. Raises InputFileError for a form that is not read, and for more
    than `MOST_CONVERTED`.
    """
    head = s3.head(item, HEAD_BYTES)
    form = form_of_head(head, item.uri, whole=len(head) >= item.size)
    if form.plain:
        return item
    if item.size > MOST_CONVERTED:
        raise InputFileError(
            f"{item.uri} is {form} of {item.size:,} bytes, and up to {MOST_CONVERTED:,} are "
            "converted here: `nova-judge submit` converts on your machine, or write JSON Lines"
        )
    key = RunLayout(run_id).input
    with tempfile.TemporaryDirectory(prefix="nova-judge-") as folder:
        path = Path(folder, item.key.rpartition("/")[2])
        with path.open("wb") as file:
            for chunk in s3.stream(item, 0):
                file.write(chunk)
        # Fields keep the columns of the file: the recipe's map finds them there.
        with s3.ObjectWriter(item.bucket, key) as target:
            write_lines(_Capped(target), read_rows(path, form, columns.rows))
    return s3.describe(item.bucket, key)


class _Capped:
    """Stops what swells beyond `MOST_LINE_BYTES`."""

    def __init__(self, target: s3.ObjectWriter) -> None:
        self._target = target
        self._written = 0

    def write(self, data: bytes, /) -> None:
        self._written += len(data)
        if self._written > MOST_LINE_BYTES:
            raise InputFileError(
                f"the rows unpack to more than {MOST_LINE_BYTES:,} bytes: send several files"
            )
        self._target.write(data)
