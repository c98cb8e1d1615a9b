"""From a run's candidates to the models that answer and the journals that keep their answers."""

from collections.abc import Iterable

from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import Port, model_name
from nova_judge.answers.lane import MOST_THREADS, AnswerSource
from nova_judge.answers.retries import RetryPolicy
from nova_judge.aws import bedrock_converse, s3, sagemaker_endpoint
from nova_judge.aws.answer_objects import BucketObjects
from nova_judge.aws.bedrock_converse import ConversePort
from nova_judge.aws.sagemaker_endpoint import EndpointPort, form_of
from nova_judge.recipe import catalog
from nova_judge.records import Candidate
from nova_judge.runs.run import Run

ENDPOINT_IN_FLIGHT = 256
"""Calls at once that fill one instance: vLLM's default number of sequences in a batch."""
SHARDS_AT_ONCE = 16
"""`MaxConcurrency` of the state GenerateResponses."""


def sources(
    run: Run, shard: int, bucket: str, prefix: str, asked: Iterable[Candidate]
) -> dict[Candidate, AnswerSource]:
    """The candidates that are `asked`, with their answers kept in `bucket`."""
    objects = BucketObjects(s3.client(), bucket)
    place = ShardPlace(run.run_id, shard)
    settings = {c: run.recipe.generation_for(c) for c in asked}
    return {
        candidate: AnswerSource(
            port=_port(run, candidate, prefix),
            journal=AnswerJournal(
                objects,
                _name(run, candidate),
                place,
                execution=run.execution,
                reuse=not run.no_cache,
            ),
            policy=RetryPolicy(most_tries=how.tries, slow_s=how.call_timeout_s / 2),
            call_timeout_s=how.call_timeout_s,
            threads=_threads(run, candidate),
        )
        for candidate, how in settings.items()
    }


def _threads(run: Run, candidate: Candidate) -> int:
    """An endpoint is shared by all shards under way; Bedrock has limits of its own."""
    if run.recipe.candidate(candidate).endpoint is None:
        return MOST_THREADS
    shards = sum(1 for _ in run.shards())
    share = ENDPOINT_IN_FLIGHT // max(1, min(SHARDS_AT_ONCE, shards))
    return min(MOST_THREADS, share)


def _port(run: Run, candidate: Candidate, prefix: str) -> Port:
    spec = run.recipe.candidate(candidate)
    settings = run.recipe.generation_for(candidate)
    if spec.bedrock is not None:
        client = bedrock_converse.runtime_client(MOST_THREADS, settings.call_timeout_s)
        return ConversePort(client, spec.bedrock, settings)
    model = catalog.models().endpoints[spec.model]
    runtime = sagemaker_endpoint.runtime_client(MOST_THREADS, settings.call_timeout_s)
    form = form_of(model.serving, model.model_id, settings)
    return EndpointPort(runtime, catalog.endpoint_name(prefix, spec.model), form)


def _name(run: Run, candidate: Candidate) -> str:
    spec = run.recipe.candidate(candidate)
    model = spec.model
    if spec.endpoint is not None:
        served = catalog.models().endpoints[spec.endpoint]
        model = f"{served.model_id} on {catalog.images().serving.images[served.serving]}"
    return model_name(model, run.recipe.generation_for(candidate))
