"""Additions to the emulator's state machines: SageMaker tasks, waits, aborts, redrives, history."""

import contextvars
import copy
import functools
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from ministack.services import lambda_svc, stepfunctions

from nova_judge_local.bedrock.evaluations import EvaluationJobs
from nova_judge_local.sagemaker.api import ApiError, Parameters, SageMakerApi
from nova_judge_local.sagemaker.training_jobs import FINAL

POLL_S = 0.03
LONGEST_WAIT_S = 10.0
SHORTEST_WAIT_S = 0.05
START_S = 0.01
MODELLED_ERRORS = (
    "ResourceInUse",
    "ResourceLimitExceeded",
    "ResourceNotFound",
    "ConflictException",
)

_execution: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar(
    "execution", default=None
)
_last_event: contextvars.ContextVar[tuple[str, int]] = contextvars.ContextVar(
    "last_event", default=("", 0)
)
_changed = threading.Condition()
_changes: list[float] = [0.0]
"""When something last changed that executions look for, on the monotonic clock."""
_looked: contextvars.ContextVar[float] = contextvars.ContextVar("looked", default=0.0)


def install(api: SageMakerApi, wait_scale: float) -> None:
    """Teach the emulator's Step Functions everything in this module."""
    _add_training_jobs(api)
    _add_sdk_integration()
    _shorten_waits(wait_scale)
    _end_waits_after_events()
    _heed_aborts()
    _add_redrive_count()
    _complete_histories()


def install_evaluations(jobs: EvaluationJobs) -> None:
    """`aws-sdk:bedrock:createEvaluationJob` and `getEvaluationJob`, keys in Pascal case."""

    def dispatch(call: Callable[[Parameters], Parameters]) -> Callable[[str, Parameters], object]:
        def run(resource: str, parameters: Parameters) -> object:
            del resource
            try:
                return _cased(call(_cased(parameters, str.lower)), str.upper)
            except ApiError as error:
                raise stepfunctions._ExecutionError(
                    f"Bedrock.{error.code}", error.message
                ) from error

        return run

    prefix = "arn:aws:states:::aws-sdk:bedrock:"
    stepfunctions._SERVICE_DISPATCH[f"{prefix}createEvaluationJob"] = dispatch(jobs.create)
    stepfunctions._SERVICE_DISPATCH[f"{prefix}getEvaluationJob"] = dispatch(
        lambda parameters: jobs.get(parameters["jobIdentifier"])
    )


def _cased(value: Any, first: Callable[[str], str]) -> Any:  # noqa: ANN401 - JSON
    """The same with the first letter of every key changed: APIs and SDK tasks differ in it."""
    if isinstance(value, dict):
        return {first(key[:1]) + key[1:]: _cased(inner, first) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cased(inner, first) for inner in value]
    return value


def _add_training_jobs(api: SageMakerApi) -> None:
    """`sagemaker:createTrainingJob`, and with `.sync` wait for its end as AWS does."""

    def create_training_job(resource: str, parameters: Parameters) -> Parameters:
        try:
            created = api.call("CreateTrainingJob", parameters)
        except ApiError as error:
            name = (
                f"{error.code}Exception"
                if error.code in MODELLED_ERRORS
                else "AmazonSageMakerException"
            )
            raise stepfunctions._ExecutionError(f"SageMaker.{name}", error.message) from error
        return _wait(api, parameters["TrainingJobName"]) if resource.endswith(".sync") else created

    stepfunctions._SERVICE_DISPATCH["arn:aws:states:::sagemaker:createTrainingJob"] = (
        create_training_job
    )


def _wait(api: SageMakerApi, name: str) -> Parameters:
    stopped = False
    while True:
        job = api.call("DescribeTrainingJob", {"TrainingJobName": name})
        if job["TrainingJobStatus"] in FINAL:
            break
        if _aborted(_execution.get()) and not stopped:
            api.call("StopTrainingJob", {"TrainingJobName": name})
            stopped = True
        time.sleep(POLL_S)
    described: Parameters = json.loads(json.dumps(job, default=_milliseconds))
    if job["TrainingJobStatus"] != "Completed" and not stopped:
        raise stepfunctions._ExecutionError("States.TaskFailed", json.dumps(described))
    return described


def _add_sdk_integration() -> None:
    """`aws-sdk:sagemaker:*` with the error names that the Java SDK gives."""
    stepfunctions._AWS_SDK_SERVICE_MAP["sagemaker"] = {
        "target_prefix": "SageMaker",
        "protocol": "json",
    }
    stepfunctions._AWS_SDK_ERROR_PREFIX["sagemaker"] = "SageMaker"
    stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES["sagemaker"] = {
        **{code: f"{code}Exception" for code in MODELLED_ERRORS[:3]},
        "ValidationException": "SageMakerException",
    }


def end_waits() -> None:
    """End waits of all who have looked before: something has changed that executions look for."""
    with _changed:
        _changes[0] = time.monotonic()
        _changed.notify_all()


def _shorten_waits(scale: float) -> None:
    """Waits are scaled, and end early on a change: nothing here takes the minutes of AWS."""

    def sleep(seconds: float) -> None:
        scaled = min(seconds, LONGEST_WAIT_S) * scale
        time.sleep(min(scaled, SHORTEST_WAIT_S))
        with _changed:
            looked = _looked.get()
            _changed.wait_for(
                lambda: _changes[0] > looked, timeout=max(scaled - SHORTEST_WAIT_S, 0.0)
            )
        _looked.set(time.monotonic())

    stepfunctions._scaled_sleep = sleep
    # Every execution begins with a pause of the engine's own.
    pause = {"sleep": lambda seconds: time.sleep(min(seconds, START_S))}
    stepfunctions.time = SimpleNamespace(**{**vars(time), **pause})


def _end_waits_after_events() -> None:
    """A function that an event started may have written what an execution waits for."""
    run = lambda_svc._execute_function_with_config_scope

    @functools.wraps(run)
    def execute(*arguments: object) -> object:
        try:
            return run(*arguments)
        finally:
            if _execution.get() is None:  # else a task of a state machine called it
                end_waits()

    lambda_svc._execute_function_with_config_scope = execute


def _heed_aborts() -> None:
    """A stopped execution starts no further task and stays ABORTED."""
    run_task, fail = stepfunctions._execute_task, stepfunctions._fail_execution

    @functools.wraps(run_task)
    def run_unless_aborted(
        state: dict[str, Any], given: object, execution: dict[str, Any], context: object
    ) -> object:
        if _aborted(execution):
            raise stepfunctions._ExecutionError("States.Runtime", "The execution was stopped.")
        token = _execution.set(execution)
        _looked.set(time.monotonic())
        try:
            return run_task(state, given, execution, context)
        finally:
            _execution.reset(token)

    @functools.wraps(fail)
    def fail_unless_aborted(execution: dict[str, Any], error: str, cause: str) -> None:
        if not _aborted(execution):
            fail(execution, error, cause)

    stepfunctions._execute_task = run_unless_aborted
    stepfunctions._fail_execution = fail_unless_aborted


def _add_redrive_count() -> None:
    """`$$.Execution.RedriveCount` is 0: the emulator has no redrive."""
    resolve = stepfunctions._resolve_ctx_path

    @functools.wraps(resolve)
    def resolve_path(path: str, context: object) -> object:
        return 0 if path == "$$.Execution.RedriveCount" else resolve(path, context)

    stepfunctions._resolve_ctx_path = resolve_path


class _Entering(dict[str, Any]):
    """The context of a map's states; the history of their execution hears which is entered."""

    def __init__(
        self, context: dict[str, Any], states: dict[str, Any], execution: dict[str, Any]
    ) -> None:
        super().__init__(context)
        self._states, self._execution = states, execution

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 - of any state
        super().__setitem__(key, value)
        if key == "State":
            kind = self._states[value["Name"]]["Type"]
            entered = {"stateEnteredEventDetails": {"name": value["Name"], "input": "{}"}}
            stepfunctions._add_event(self._execution, f"{kind}StateEntered", entered)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return copy.deepcopy(dict(self), memo)


def _complete_histories() -> None:
    """Each event names the one before it, and the states inside maps have events too."""
    add, run = stepfunctions._add_event, stepfunctions._run_sub_machine

    @functools.wraps(add)
    def add_event(execution: dict[str, Any], *arguments: object) -> dict[str, Any]:
        event: dict[str, Any] = add(execution, *arguments)
        arn = execution["executionArn"]
        before, number = _last_event.get()
        event["previousEventId"] = number if before == arn else 0
        _last_event.set((arn, event["id"]))
        return event

    @functools.wraps(run)
    def run_states(
        states: dict[str, Any],
        start: str,
        given: object,
        execution: dict[str, Any],
        context: dict[str, Any],
    ) -> object:
        return run(states, start, given, execution, _Entering(context, states, execution))

    stepfunctions._add_event, stepfunctions._run_sub_machine = add_event, run_states


def _aborted(execution: dict[str, Any] | None) -> bool:
    """True if the execution, or the one whose Map Run it belongs to, was stopped."""
    if execution is None:
        return False
    run = stepfunctions._map_runs.get(execution.get("mapRunArn", ""))
    parent = stepfunctions._executions.get(run["executionArn"]) if run else None
    return execution["status"] == "ABORTED" or _aborted(parent)


def _milliseconds(value: object) -> int:
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
