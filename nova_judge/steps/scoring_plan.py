"""Plans a run that scores a model's own answers: what it reads and what it may cost."""

import datetime
from typing import Any, NamedTuple

import msgspec

from nova_judge.aws import account, s3
from nova_judge.errors import InputFileError, RequestError
from nova_judge.inputs import dataset
from nova_judge.inputs.own_data import OwnLine, read_own_data
from nova_judge.inputs.run_request import EXAMPLE, EvaluationRequest, run_id
from nova_judge.json_lines import whole_lines
from nova_judge.kinds.known import kind_of
from nova_judge.preflight import rules
from nova_judge.preflight.estimate import (
    check_budget,
    estimate_run,
    estimate_summary,
    read_workload,
)
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import Rejected
from nova_judge.runs.run import Run, RunInput, answer_sources


class Asked(NamedTuple):
    """Who asks for a run: the execution, its start, and the function that plans it."""

    execution: str
    started: str
    function_arn: str
    data_bucket: str
    job_role_arn: str


def plan_scoring(request: EvaluationRequest, recipe: Recipe, asked: Asked) -> Run:
    """The run, before anything is paid for.

    Without an input file each start is a run of its own; with one, the object's version makes the
    run. Raises RequestError, InputFileError, PreflightError or BudgetError.
    """
    reads = kind_of(recipe.kind).needs_file(recipe)
    if reads and not request.key:
        raise RequestError(f"recipe {recipe.name} reads a file: name it as in {EXAMPLE}")
    found = _input(request, asked)
    head = s3.head(s3.S3Object(*msgspec.structs.astuple(found))) if reads else b""
    if reads:
        _check_head(head, found, recipe)
    run = Run(
        run_id=run_id(
            found.bucket,
            found.key or recipe.name,
            found.version or asked.execution,
            recipe.sha256,
            own=asked.execution if request.no_cache else "",
        ),
        execution=asked.execution,
        created=asked.started,
        input=found,
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=answer_sources(recipe, file_brings_answers=True),
        no_cache=request.no_cache,
    )
    _check_account(run, asked)
    return msgspec.structs.replace(run, estimate=_estimate(run, head))


def _input(request: EvaluationRequest, asked: Asked) -> RunInput:
    if not request.key:
        return RunInput(asked.data_bucket, "", "", 0)
    item = s3.describe(request.bucket, request.key, request.version)
    return RunInput(item.bucket, item.key, item.version, item.size)


def _check_head(head: bytes, found: RunInput, recipe: Recipe) -> None:
    dataset.check_format(head, found.uri)
    whole = whole_lines(head, found.size)
    first: Rejected | None = None
    for line in read_own_data([whole], len(whole), recipe.kind):
        if isinstance(line, OwnLine):
            return
        first = first or line
    reason = f"line {first.line}: {first.reason}" if first else "it holds blank lines only"
    raise InputFileError(f"{found.uri}: no usable row in the first {len(whole):,} bytes: {reason}")


def _check_account(run: Run, asked: Asked) -> None:
    facts = account.facts_of_run(
        run.recipe,
        region=asked.function_arn.split(":")[3],
        caller=asked.function_arn,
        job_role_arn=asked.job_role_arn,
        data_bucket=asked.data_bucket,
    )
    now = datetime.datetime.now(datetime.UTC)
    rules.require(rules.account_checks(facts, run.recipe, now, ()))


def _estimate(run: Run, head: bytes) -> dict[str, Any]:
    """What the jobs will probably cost; raises BudgetError where the recipe allows less."""
    workload = read_workload(run.recipe, head, run.input.size, run.sources)
    forecast = estimate_run(run.recipe, workload)
    check_budget(run.recipe, forecast)
    return estimate_summary(forecast)
