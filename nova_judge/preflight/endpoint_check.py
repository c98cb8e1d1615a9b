"""Checks that endpoints of the account and OpenAI-compatible servers of a recipe can be asked."""

import fnmatch
from collections.abc import Iterator, Mapping, Sequence

from nova_judge.check import Check, NotRead
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.shape import did_you_mean
from nova_judge.sources.http_calls import ServerFacts
from nova_judge.sources.known_sources import asked_models
from nova_judge.sources.openai_server import server_model
from nova_judge.sources.request_forms import EndpointFacts

_MOST_SHOWN = 10


def endpoint_check(
    model: AskedModel,
    facts: EndpointFacts | NotRead | None,
    others: tuple[str, ...],
    allowed: tuple[str, ...] | None = None,
    models: tuple[str, ...] = (),
) -> Check:
    """Check one endpoint; `facts` is None where it is not there, `others` names some that are.

    `allowed` are the stage's `candidate_endpoints`, None where they are not known here; `models`
    are those of the catalogues, of which one may have been meant.
    """
    name = f"endpoint {model.model}"
    if isinstance(facts, NotRead):
        return Check(name, "not run", facts.reason)
    if facts is None:
        there = f"; it has {', '.join(others[:10])}" if others else "; it has none"
        near = did_you_mean(model.model, (*others, *models))
        return Check(
            name,
            "fail",
            f"the account has no such endpoint in this region{there}{near}",
            "name one of these, or a model of the catalogue",
        )
    return (
        _state_check(name, facts)
        or _right_check(name, model, allowed)
        or _component_check(name, model, facts)
        or _form_check(name, model, facts)
    )


def _state_check(name: str, facts: EndpointFacts) -> Check | None:
    """Check that calls are answered at all."""
    if facts.status != "InService":
        why = f": {facts.reason}" if facts.reason else ""
        return Check(name, "fail", f"it is {facts.status}{why}", "wait until it is InService")
    if facts.asynchronous:
        reason = "it is asynchronous: it answers into a bucket, and calls wait for nothing"
        return Check(name, "fail", reason, "name a real-time endpoint of the same model")
    if facts.instances == 0:
        reason = "it is scaled to zero, where calls fail"
        return Check(name, "fail", reason, "let it keep an instance while the run lasts")
    return None


def _right_check(name: str, model: AskedModel, allowed: tuple[str, ...] | None) -> Check | None:
    """Check that the stage's role may ask the endpoint and its component."""
    for used in (model.model, model.component):
        if used is None or allowed is None:
            continue
        if not any(fnmatch.fnmatchcase(used, each) for each in allowed):
            reason = f"the stage may not ask {used}"
            advice = "add it to candidate_endpoints of the stage in cdk.json, and deploy"
            return Check(name, "fail", reason, advice)
    return None


def _component_check(name: str, model: AskedModel, facts: EndpointFacts) -> Check | None:
    """Check that a component is named exactly where the endpoint has some."""
    if model.component in facts.components or (not model.component and not facts.components):
        return None
    hosted = ", ".join(list(facts.components)[:10]) or "none"
    near = did_you_mean(model.component or "", facts.components)
    return Check(
        name,
        "fail",
        f"component {model.component or '(not named)'}: the endpoint hosts {hosted}{near}",
        "write `component:` with one of these, or leave it out where there is none",
    )


def _form_check(name: str, model: AskedModel, facts: EndpointFacts) -> Check:
    form = model.form or facts.form(model.component)
    if form is None:
        stated = facts.components.get(model.component or "") or ", ".join(facts.images)
        image = stated or "its image is not stated"
        return Check(
            name,
            "fail",
            f"how it is asked is not known ({image})",
            "write form: chat (OpenAI's messages) or form: text (plain inputs) beside it",
        )
    asked = f"in service, asked by {'messages' if form == 'chat' else 'plain inputs'}"
    if facts.captures:
        return Check(name, "warn", f"{asked}; its owner keeps a copy of prompts and answers", "")
    return Check(name, "pass", asked)


def server_models(recipe: Recipe, asked: Sequence[str]) -> list[AskedModel]:
    """The models of servers that the candidates `asked` and judges name."""
    return [spec for spec in asked_models(recipe, asked).values() if spec.openai is not None]


def server_checks(
    servers: Mapping[str, ServerFacts | NotRead] | None, recipe: Recipe, asked: Sequence[str]
) -> Iterator[Check]:
    """A check per model; none where no server was asked. `servers` by `URL#MODEL`."""
    if servers is None:
        return
    for name in dict.fromkeys(spec.model for spec in server_models(recipe, asked)):
        known = servers.get(name, NotRead("servers were not asked"))
        yield server_check(*server_model(name), known)


def server_check(url: str, model: str, facts: ServerFacts | NotRead) -> Check:
    """Check one model of one server."""
    name = f"{model} at {url}"
    if isinstance(facts, NotRead):
        return Check(name, "not run", facts.reason)
    if facts.trouble:
        advice = "is the address that of its API, up to /v1, and its key in the secret?"
        return Check(name, "fail", facts.trouble, advice)
    if facts.takes:
        return Check(name, "warn", "the server answers it, and does not list it", "")
    if facts.listed:
        return Check(name, "pass", "the server lists it")
    if facts.models:
        others = ", ".join(facts.models[:_MOST_SHOWN])
        near = did_you_mean(model, facts.models)
        return Check(
            name,
            "fail",
            f"the server has no such model; it has {others}{near}",
            "name one of these behind the # of its address",
        )
    return Check(name, "fail", "the server has no models", "load one there")
