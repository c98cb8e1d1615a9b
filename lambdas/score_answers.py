"""The function behind a custom scorer: AWS's evaluation container sends it answers to score."""

import functools
from collections.abc import Callable

from aws_lambda_powertools.utilities.typing import LambdaContext

from lambdas.observability import answers_pings, logger
from lambdas.settings import ScorerSettings, load
from nova_judge.folders import SCORERS
from nova_judge.scores.scorer_process import load_scorer
from nova_judge.scores.scorers import handle_event

LIMITS = "the function's own microVM, role and time-out; scorer and handler share a process"


@answers_pings
@logger.inject_lambda_context
def handler(event: object, context: LambdaContext) -> object:
    """Either contract of the container (see `nova_judge.scores.scorers`)."""
    return handle_event(_score(load(ScorerSettings).scorer), event)


@functools.cache
def _score(name: str) -> Callable[..., object]:
    score = load_scorer(SCORERS / f"{name}.py")
    logger.info("scorer loaded", extra={"scorer": name, "limits": LIMITS})
    return score
