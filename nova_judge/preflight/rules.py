"""Rules that must hold before a run may cost anything: pure checks over facts about the account.

The facts are gathered by `nova_judge.aws.account`; `nova-judge doctor` and the state machine's
first state run the same checks.
"""

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nova_judge.check import Check, NotRead
from nova_judge.errors import PreflightError, RecipeError
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.partitions import partition_of
from nova_judge.preflight.endpoint_check import endpoint_check, server_checks
from nova_judge.preflight.images import JUDGE, ImageFacts, RoleUse, image_check, images_of
from nova_judge.preflight.model_check import ModelFacts, model_check
from nova_judge.recipe import catalog
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.training_job_request import evaluation_image
from nova_judge.sources.http_calls import ServerFacts
from nova_judge.sources.known_sources import asked_models, endpoint_instances, is_the_accounts
from nova_judge.sources.request_forms import EndpointFacts
from nova_judge.version import __version__

SAGEMAKER = "sagemaker.amazonaws.com"
NOT_READ = NotRead("models were not read")
STACK_PARTS = ("Storage", "Endpoints", "Evaluation", "Results")
TRAINING, ENDPOINT = "for training job usage", "for endpoint usage"
"""What follows the instance type in the name of a quota."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts of the account. None: not asked for, because nothing depends on it here.

    `stacks` maps the deployed stacks of the stage to their version; `quotas` map an instance type
    and its use, as Service Quotas spells them, to the number of instances allowed; `denied` lists
    actions that the job role lacks, `refused` what of the recipe it may not use. `offered_models`:
    those of Bedrock, where one that is named cannot be called. `endpoints`: those of the account
    that the recipe names, None for one that is not there; `endpoint_names`: some that are;
    `allowed_endpoints`: those that the stage may ask. `own_models`: names in the catalogue beside
    the recipe. `servers` by `URL#MODEL`.
    """

    region: str | None
    caller: str | NotRead
    stage: str = "dev"
    stacks: Mapping[str, str] | NotRead | None = None
    quotas: Mapping[str, float] | NotRead | None = None
    models: Mapping[str, ModelFacts | NotRead] | None = None
    offered_models: tuple[str, ...] = ()
    endpoints: Mapping[str, EndpointFacts | NotRead | None] | None = None
    endpoint_names: tuple[str, ...] = ()
    allowed_endpoints: tuple[str, ...] | None = None
    own_models: tuple[str, ...] = ()
    servers: Mapping[str, ServerFacts | NotRead] | None = None
    images: Mapping[str, ImageFacts | NotRead] | None = None
    job_role_trust: tuple[str, ...] | NotRead | None = None
    denied: tuple[str, ...] | NotRead | None = None
    refused: tuple[RoleUse, ...] | NotRead | None = None
    bucket_sends_events: bool | NotRead | None = None


def account_checks(
    facts: Facts,
    recipe: Recipe | None,
    now: datetime.datetime,
    asked: tuple[str, ...] = ("A", "B"),
) -> list[Check]:
    """Every check that the facts allow; `asked` names the candidates that have to answer."""
    checks = [_credentials(facts), *_stacks(facts, recipe), *_role(facts), *_notifications(facts)]
    if recipe is not None:
        checks += [*_images(facts, recipe, asked), *_uses(facts), *_judge_quota(facts, recipe)]
        specs = list(asked_models(recipe, asked).values())
        endpoints = sorted(endpoint_instances(specs).items())
        known, unread = facts.endpoints or {}, NotRead("endpoints were not read")
        checks += [
            endpoint_check(
                spec,
                known.get(spec.model, unread),
                facts.endpoint_names,
                facts.allowed_endpoints,
                (*catalog.models().endpoints, *facts.own_models),
            )
            for spec in specs
            if is_the_accounts(spec)
        ]
        checks += [_endpoint_quota(facts, model, types) for model, types in endpoints if types]
        read, offered = facts.models or {}, facts.offered_models
        checks += [
            model_check(name, read.get(name, NOT_READ), now, offered, facts.region)
            for name in sorted(bedrock_models(recipe, asked))
        ]
        checks += server_checks(facts.servers, recipe, asked)
    return checks


def bedrock_models(recipe: Recipe, asked: Iterable[str] | None = None) -> set[str]:
    """The models of Bedrock that the candidates `asked`, or all, and the judges are."""
    named = {model.bedrock for model in asked_models(recipe, asked).values() if model.bedrock}
    return named | kind_of(recipe.kind).judged_by(recipe).bedrock


def require(checks: Iterable[Check]) -> None:
    """Raise PreflightError naming every failed check, so that nothing paid starts."""
    failed = [check for check in checks if check.status == "fail"]
    if failed:
        raise PreflightError(
            "\n".join(f"{check.name}: {check.finding}: {check.advice}" for check in failed)
        )


def _credentials(facts: Facts) -> Check:
    if facts.region is None:
        return Check(
            "credentials",
            "fail",
            "no region is set",
            "set AWS_REGION, or region in ~/.aws/config",
        )
    if isinstance(facts.caller, NotRead):
        return Check(
            "credentials",
            "fail",
            f"AWS could not identify the caller ({facts.caller.reason})",
            "sign in (`aws sso login`, or AWS_PROFILE) and try again",
        )
    return Check("credentials", "pass", f"{facts.caller} in {facts.region}")


def _stacks(facts: Facts, recipe: Recipe | None) -> Iterator[Check]:
    stacks = facts.stacks
    if stacks is None:
        return
    if isinstance(stacks, NotRead):
        yield Check("stacks", "not run", stacks.reason)
        return
    deploy = f"`make deploy STAGE={facts.stage}`"
    missing = [part for part in STACK_PARTS if part not in stacks]
    version = stacks.get("Evaluation", "unknown")
    hosted = recipe and endpoint_instances(asked_models(recipe).values())
    if missing == ["Endpoints"] and not hosted:
        reason = "not deployed: Endpoints; ready pairs and Bedrock's models can be judged"
        yield Check("stacks", "warn", reason, f"{deploy}, for candidates on endpoints")
    elif missing:
        yield Check("stacks", "fail", f"not deployed: {', '.join(missing)}", deploy)
    elif version != __version__:
        yield Check(
            "stacks",
            "warn",
            f"deployed with version {version}, this is {__version__}",
            f"{deploy} again, so that both agree",
        )
    else:
        yield Check("stacks", "pass", f"deployed with version {version}")


def _role(facts: Facts) -> Iterator[Check]:
    trust, denied = facts.job_role_trust, facts.denied
    if isinstance(trust, NotRead):
        yield Check("judge role trust", "not run", trust.reason)
    elif trust is not None:
        yield (
            Check("judge role trust", "pass", f"trusts {', '.join(trust)}")
            if SAGEMAKER in trust
            else Check("judge role trust", "fail", f"does not trust {SAGEMAKER}", "deploy again")
        )
    if isinstance(denied, NotRead):
        yield Check("judge role permissions", "not run", denied.reason)
    elif denied:
        yield Check(
            "judge role permissions",
            "fail",
            f"may not {', '.join(denied)}",
            "deploy again; look for a permissions boundary or a service control policy",
        )
    elif denied is not None:
        yield Check("judge role permissions", "pass", "may do what a judge job does")


def _notifications(facts: Facts) -> Iterator[Check]:
    sends = facts.bucket_sends_events
    if isinstance(sends, NotRead):
        yield Check("bucket notifications", "not run", sends.reason)
    elif sends is False:
        yield Check(
            "bucket notifications",
            "fail",
            "the data bucket does not send events to EventBridge: a dropped file starts nothing",
            "deploy again, or switch EventBridge on in the bucket's properties",
        )
    elif sends:
        yield Check("bucket notifications", "pass", "EventBridge gets the data bucket's events")


def _images(facts: Facts, recipe: Recipe, asked: tuple[str, ...]) -> Iterator[Check]:
    region = facts.region
    if not kind_of(recipe.kind).judged_by(recipe).container:
        yield Check(JUDGE, "pass", f"kind {recipe.kind} needs none")
    elif region is not None and (problem := _no_judge_image(region, recipe)):
        yield Check(JUDGE, "fail", problem, "deploy in one of these regions")
    if region is None:
        return
    for name, uri in images_of(recipe, region, asked).items():
        check = image_check(name, uri, (facts.images or {}).get(name))
        documented = catalog.images().nova_evaluation.documented_regions
        ours = name == JUDGE and recipe.judge.image is None
        if ours and check.status == "pass" and region not in documented:
            check = Check(
                name,
                "warn",
                f"{uri} is what AWS's SDK uses; AWS documents only {', '.join(documented)}",
                "run a small file first",
            )
        yield check


def _no_judge_image(region: str, recipe: Recipe) -> str | None:
    try:
        evaluation_image(region, recipe.judge.image)
    except RecipeError as error:
        return str(error)
    return None


def _uses(facts: Facts) -> Iterator[Check]:
    if isinstance(facts.refused, NotRead):
        yield Check("judge role and recipe", "not run", facts.refused.reason)
        return
    for use in facts.refused or ():
        yield Check(
            "judge role and recipe",
            "fail",
            f"the judge role may not {use.action} on {use.resource}",
            f"add it to {use.key} of the stage in cdk.json, and deploy",
        )


def _judge_quota(facts: Facts, recipe: Recipe) -> Iterator[Check]:
    if not kind_of(recipe.kind).judged_by(recipe).container:
        return
    wanted = recipe.judge.instance_types[0]
    yield _quota(facts, f"{wanted} {TRAINING}", wanted, recipe.judge.instance_count)


def _endpoint_quota(facts: Facts, model: str, instance_types: Sequence[str]) -> Check:
    """The first instance type that the account has quota for will do; none at all fails."""
    checks = [
        _quota(facts, f"{kind} {ENDPOINT}", kind, 1, f" ({model})") for kind in instance_types
    ]
    first = checks[0]
    usable = [check for check in checks if check.status == "pass"]
    if usable and first.status == "fail":
        return Check(first.name, "warn", f"{first.finding}; {usable[0].name} will do")
    return first


def _quota(facts: Facts, name: str, kind: str, needed: int, of: str = "") -> Check:
    """Check the quota of that name for instances of a kind; `of` says in the check's name whose."""
    label, quotas = f"{name}{of}", facts.quotas
    if quotas is None or isinstance(quotas, NotRead):
        return Check(label, "not run", quotas.reason if quotas else "quotas were not read")
    if name not in quotas:
        return Check(label, "not run", f"Service Quotas does not list {kind}")
    if quotas[name] < needed:
        console = partition_of(facts.region or "").console
        page = f"https://{console}/servicequotas/home/services/sagemaker/quotas"
        return Check(
            label,
            "fail",
            f"the account may run {quotas[name]:g}, {needed} needed",
            f"request an increase at {page} (a new account has 0)",
        )
    return Check(label, "pass", f"the account may run {quotas[name]:g}")
