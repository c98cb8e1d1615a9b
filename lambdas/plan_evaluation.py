"""PlanEvaluation: read the request, the recipe and the file's head, and resolve the run."""

import datetime
import functools
from typing import Any

import msgspec
from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import logger
from lambdas.settings import PlanEvaluationSettings, load
from nova_judge.answers.batch_inference import answers_in_batch
from nova_judge.aws import account, s3
from nova_judge.errors import InputFileError, RequestError
from nova_judge.inputs import dataset
from nova_judge.inputs.run_request import EXAMPLE, parse_request, run_id
from nova_judge.kinds.known import kind_of
from nova_judge.kinds.recipes import load_recipe
from nova_judge.layout import RECIPES
from nova_judge.preflight import rules
from nova_judge.preflight.estimate import (
    check_budget,
    estimate_run,
    estimate_summary,
    read_workload,
)
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import Candidate
from nova_judge.runs.run import Run, RunInput, StandIns, answer_sources
from nova_judge.steps.scoring_plan import Asked, plan_scoring


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`{input, execution, started}` → `{run, by_event}`; writes nothing, starts nothing."""
    settings = load(PlanEvaluationSettings)
    request = parse_request(event["input"])
    if request.key and request.bucket != settings.data_bucket:
        raise RequestError(
            f"s3://{request.bucket}/{request.key}: the input must lie in the data bucket "
            f"s3://{settings.data_bucket}; copy it there"
        )
    recipe = _recipe(settings.data_bucket, request.recipe)
    stand_ins = StandIns(settings.stand_in_answers or None, settings.stand_in_judge or None)
    if not kind_of(recipe.kind).generates:
        run = plan_scoring(request, recipe, _asked(event, context, settings))
        run = msgspec.structs.replace(run, stand_ins=stand_ins)
        logger.info("planned", run_id=run.run_id, recipe=recipe.name, kind=recipe.kind)
        return {"run": msgspec.to_builtins(run), "by_event": request.by_event}
    if not request.key:
        raise RequestError(f"recipe {recipe.name} reads a file: name it as in {EXAMPLE}")
    item = s3.describe(request.bucket, request.key, request.version)
    head = dataset.usable_head(functools.partial(s3.head, item))
    sources = answer_sources(recipe, file_brings_answers=_brings_answers(head, item))
    run = Run(
        run_id=run_id(
            item.bucket,
            item.key,
            item.version,
            recipe.sha256,
            own=event["execution"] if request.no_cache else "",
        ),
        execution=event["execution"],
        created=event["started"],
        input=RunInput(item.bucket, item.key, item.version, item.size),
        recipe=recipe,
        recipe_sha256=recipe.sha256,
        sources=sources,
        no_cache=request.no_cache,
        stand_ins=stand_ins,
    )
    run = _refuse_early(run, head, context.invoked_function_arn, settings)
    logger.info("planned", run_id=run.run_id, recipe=recipe.name, bytes=run.input.size)
    return {"run": msgspec.to_builtins(run), "by_event": request.by_event}


def _asked(
    event: dict[str, Any], context: LambdaContext, settings: PlanEvaluationSettings
) -> Asked:
    return Asked(
        execution=event["execution"],
        started=event["started"],
        function_arn=context.invoked_function_arn,
        data_bucket=settings.data_bucket,
        job_role_arn=settings.job_role_arn,
    )


def _refuse_early(
    run: Run, head: bytes, function_arn: str, settings: PlanEvaluationSettings
) -> Run:
    """The run with its estimate; raises PreflightError or BudgetError before anything is paid."""
    facts = account.facts_of_run(
        run.recipe,
        region=function_arn.split(":")[3],
        caller=function_arn,
        job_role_arn=settings.job_role_arn,
        data_bucket=settings.data_bucket,
    )
    now = datetime.datetime.now(datetime.UTC)
    checks = [
        *rules.account_checks(facts, run.recipe, now, run.generated()),
        rules.input_check(head, run.input.size, run.sources),
    ]
    for check in checks:
        logger.info("pre-flight", check=check.name, status=check.status)
    rules.require(checks)
    workload = read_workload(run.recipe, head, run.input.size, run.sources)
    forecast = estimate_run(run.recipe, workload)
    check_budget(run.recipe, forecast)
    return msgspec.structs.replace(
        run,
        estimate=estimate_summary(forecast),
        batch=tuple(c for c in run.generated() if _in_batch(run.recipe, c, workload.rows)),
    )


def _in_batch(recipe: Recipe, candidate: Candidate, rows: float) -> bool:
    bedrock = recipe.candidate(candidate).bedrock is not None
    return bedrock and answers_in_batch(recipe.generation_for(candidate), rows)


def _recipe(bucket: str, name: str) -> Recipe:
    """The account's own recipe of that name, else the one that ships with the code."""
    key = f"{RECIPES}{name}.yaml"
    own = s3.read_if_exists(bucket, key)
    if own is not None:
        return load_recipe(own.decode("utf-8", "replace"), file=f"s3://{bucket}/{key}")
    return load_recipe(packaged_recipe(name), file=f"{RECIPES}{name}.yaml")


def _brings_answers(head: bytes, item: s3.S3Object) -> bool:
    dataset.check_format(head, item.uri)
    brings_answers = dataset.file_brings_answers(head)
    if brings_answers is None:
        raise InputFileError(
            f"{item.uri}: no usable row in the first {len(head):,} bytes: {_first_reason(head)}. "
            "Every line is a JSON object with at least `prompt`; see `nova-judge validate`"
        )
    return brings_answers


def _first_reason(head: bytes) -> str:
    fault = dataset.first_fault(head)
    return f"line {fault.line}: {fault.reason}" if fault else "it holds blank lines only"
