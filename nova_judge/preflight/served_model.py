"""From what was found of a model to the endpoint that serves it, or to the reason why none can."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from nova_judge.check import Check, CheckStatus, NotRead
from nova_judge.recipe import catalog
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.checkpoint import (
    MOST_PROPOSED,
    Checkpoint,
    JobFacts,
    PackageFacts,
    cheapest_first,
    fitting,
)
from nova_judge.sources.request_forms import form_of_images
from nova_judge.sources.served import IMAGES, LARGEST_RANK, NOVA, Served

PENDING = "PendingManualApproval"


class Found(NamedTuple):
    """What was read of a model, as far as its source needs it.

    `weights` and `adapter` are folders; None where there is nothing to read. Package and job are
    None where there is none of that name.
    """

    weights: Checkpoint | NotRead | None = None
    adapter: Checkpoint | NotRead | None = None
    package: PackageFacts | NotRead | None = None
    job: JobFacts | NotRead | None = None


class Placed(NamedTuple):
    """An endpoint's contents, the instance types to try, and the form of its requests.

    `version` changes with what is served; `words` say why these types.
    """

    served: Served
    types: tuple[str, ...]
    words: str
    form: str | None = None
    version: str = ""


Placement: TypeAlias = Placed | Check
"""A check that is not passed stands for the reason."""


def folder_of(model: AskedModel, found: Found) -> str:
    """The folder or archive in S3 that holds the weights; "" where none is known."""
    if model.weights is not None:
        return model.weights if model.weights.startswith("s3://") else ""
    if isinstance(found.package, PackageFacts):
        package = found.package
        if package.image or package.restricted or package.nova is not None:
            return package.data
        merged = "checkpoints/hf_merged/" if package.is_checkpoint is False else ""
        return package.data if _is_archive(package.data) else _folder(package.data) + merged
    if isinstance(found.job, JobFacts) and found.job.folder:
        return found.job.folder if _is_archive(found.job.folder) else _folder(found.job.folder)
    return ""


def placed(name: str, model: AskedModel, found: Found) -> Placement:
    """The endpoint of a model of one's own, by its source; `name` is that of the check."""
    if model.model_package is not None:
        return _of_package(name, model, found)
    if model.training_job is not None:
        return _of_job(name, model, found)
    serving = model.serving or "vllm"
    if serving.startswith(NOVA):
        return _nova(name, model, serving.removeprefix(NOVA), Served(image="nova"), found)
    return _of_weights(name, model, model.weights or "", found)


def _of_weights(name: str, model: AskedModel, weights: str, found: Found) -> Placement:
    """Weights that AWS's vLLM or LMI image serves."""
    given, adapter = found.weights, found.adapter
    served = Served(
        image=IMAGES[model.serving or "vllm"],
        weights=weights,
        revision=model.revision,
        secret=model.secret or "",
        context=model.context or 0,
    )
    if model.lora is not None:
        if not isinstance(adapter, Checkpoint):
            reason = adapter.reason if adapter else "it was not read"
            return Check(name, "not run", f"the adapter {model.lora}: {reason}")
        if problem := _adapter_problem(adapter):
            return Check(name, "fail", f"the adapter {model.lora}: {problem}", "correct `lora`")
        rank = adapter.adapter.r if adapter.adapter else 0
        served = replace(served, adapter=model.lora, rank=rank)
    if not isinstance(given, Checkpoint):
        if not model.instance_types:
            reason = given.reason if given else "an archive does not tell its size"
            advice = "name instance_types in the recipe, or mend that"
            return Check(name, "fail" if given is None else "not run", reason, advice)
        mark = adapter.version if isinstance(adapter, Checkpoint) else ""
        return Placed(served, model.instance_types, "as the recipe says", version=mark)
    if given.problem or given.adapter is not None:
        problem = given.problem or "it is an adapter (LoRA): name its base, and it as `lora`"
        return Check(name, "fail", f"{weights}: {problem}", "name the checkpoint's own folder")
    return _sized(name, model, served, given, adapter)


def _sized(
    name: str,
    model: AskedModel,
    served: Served,
    weights: Checkpoint,
    adapter: Checkpoint | NotRead | None,
) -> Placement:
    """The instance types that hold the weights: those of the recipe must."""
    shape, context = weights.shape, weights.context(model.context)
    served = replace(
        served,
        heads=shape.num_attention_heads,
        key_heads=shape.num_key_value_heads,
        context=context,
    )
    gpus = catalog.compatibility().gpus
    kinds = model.instance_types or tuple(gpus)
    # How GPUs share weights whose heads are not known nobody can say: one GPU, then.
    degrees = {
        kind: served.degree(gpus[kind].gpus) if served.heads or model.instance_types else 1
        for kind in kinds
        if served.heads or model.instance_types or gpus[kind].gpus == 1
    }
    fitting_types, memory = fitting(weights, degrees, context)
    if not weights.weight_bytes:
        return Check(name, "fail", "it holds no weights (*.safetensors)", "name another folder")
    if not fitting_types:
        where = ", ".join(model.instance_types) or "no instance type that is known here"
        held = f"none of {where} holds" if model.instance_types else f"{where} holds"
        advice = "name a larger one in instance_types, or a lower `context`"
        return Check(name, "fail", f"{memory}, which {held} them", advice)
    marks = [weights.version, adapter.version if isinstance(adapter, Checkpoint) else ""]
    chosen = _in_order(model.instance_types, fitting_types)
    shared = {kind: degrees[kind] for kind in chosen if degrees[kind] > 1}
    parallel = f"; {shared[chosen[0]]} GPUs share them" if chosen[0] in shared else ""
    words = f"{memory}: {', '.join(chosen)}{parallel}"
    return Placed(served, chosen, words, version=" ".join(filter(None, marks)))


def _of_package(name: str, model: AskedModel, found: Found) -> Placement:
    package = found.package
    if not isinstance(package, PackageFacts):
        reason = "the registry has no such version" if package is None else package.reason
        status: CheckStatus = "fail" if package is None else "not run"
        return Check(name, status, reason, "name one that is there, and that the stage may read")
    if problem := next(_package_problems(package), None):
        return Check(name, "fail", *problem)
    named = model.model if package.restricted else ""
    if package.nova is not None:
        return _nova(name, model, package.nova, Served(image="nova", package=named), found)
    if package.image:
        return _by_package(name, model, package, _own_image(model.model, package))
    if package.restricted:
        served = Served(image="vllm", package=named, context=model.context or 0)
        return _by_package(name, model, package, served)
    return _of_weights(name, model, folder_of(model, found), found)


def _own_image(arn: str, package: PackageFacts) -> Served:
    """A version that brings its image: under its name, unless it waits for its approval.

    CreateModel takes no such version; of what it is made of, it does.
    """
    if package.restricted or package.approval != PENDING:
        return Served(image="package", uri=package.image, package=arn)
    return Served(
        image="package", uri=package.image, weights=package.data, variables=package.variables
    )


def _by_package(name: str, model: AskedModel, package: PackageFacts, served: Served) -> Placement:
    form = model.form or ("chat" if served.image == "vllm" else form_of_images((package.image,)))
    if form is None:
        advice = "write form: chat (OpenAI's messages) or form: text (plain inputs) beside it"
        return Check(name, "fail", f"how it is asked is not known ({package.image})", advice)
    kinds = model.instance_types or cheapest_first(package.instance_types)[:MOST_PROPOSED]
    if not kinds:
        advice = "name instance_types in the recipe"
        return Check(name, "fail", "the package recommends no instance type", advice)
    if served.image == "vllm" and (unknown := set(kinds) - set(catalog.compatibility().gpus)):
        named = ", ".join(sorted(unknown))
        return Check(name, "fail", f"how many GPUs {named} has is not known", "name others")
    whose = "the recipe says" if model.instance_types else "the package recommends"
    words = f"{package.approval or 'no approval asked for'}; {', '.join(kinds)}, as {whose}"
    return Placed(served, kinds, words, form, package.version)


def _package_problems(package: PackageFacts) -> Iterator[tuple[str, str]]:
    """The reasons why a version of the registry is not served, each with what to do."""
    if package.status != "Completed":
        yield f"it is {package.status}", "wait until it is Completed, or name another version"
    if package.approval == "Rejected":
        yield "it is Rejected", "approve it, or name another version"
    if package.containers != 1:
        yield f"it has {package.containers} containers", "name a package with a single one"
    if package.approval == PENDING and package.restricted:
        reason = f"it is {PENDING}, and SageMaker alone holds its weights"
        yield reason, "approve it: CreateModel takes approved versions"
    if package.unmerged and not package.image:
        yield (
            "it is an adapter that is not merged with its base",
            "deploy it on Bedrock (`bedrock:` …) if it is of Nova, else write weights: BASE "
            "and lora: its folder",
        )
    if not (package.image or package.data or package.restricted):
        yield "it names neither image nor weights", "register it with an InferenceSpecification"


def _of_job(name: str, model: AskedModel, found: Found) -> Placement:
    job = found.job
    if isinstance(job, NotRead):
        advice = "add it to training_jobs of the stage, and the folder of its output to weights"
        return Check(name, "not run", job.reason, advice)
    if job is None:
        reason = "the account has no such training job in this region"
        return Check(name, "fail", reason, "name one that is there")
    if job.status != "Completed":
        why = f": {job.reason}" if job.reason else ""
        return Check(name, "fail", f"it is {job.status}{why}", "wait, or name another job")
    if not job.folder:
        package = f"; its package is {job.package}" if job.package else ""
        advice = "write model_package: with that ARN" if job.package else "name another job"
        return Check(name, "fail", f"{job.problem or 'it left no artifacts'}{package}", advice)
    serving = model.serving or ""
    nova = serving.removeprefix(NOVA) if serving.startswith(NOVA) else job.nova
    if nova is not None:
        return _nova(name, model, nova, Served(image="nova"), found)
    return _of_weights(name, model, folder_of(model, found), found)


def _nova(name: str, model: AskedModel, size: str, served: Served, found: Found) -> Placement:
    """A customised Nova model, by Nova's own image, which allows some contexts on some types."""
    tiers = catalog.compatibility().nova_inference
    if size not in tiers:
        advice = f"write serving: {', '.join(NOVA + each for each in tiers)} beside it"
        return Check(name, "fail", "which Nova model it customises is not known", advice)
    served = replace(
        served,
        nova=size,
        weights="" if served.package else folder_of(model, found),
        context=model.context or 0,
    )
    held = {kind: max(tier[0] for tier in kinds) for kind, kinds in tiers[size].items()}
    offered = cheapest_first(k for k, most in held.items() if most >= (model.context or 0))
    kinds = _in_order(model.instance_types, offered)
    if not kinds:
        advice = f"Nova's image serves it on {', '.join(tiers[size])}"
        most = max(held.values())
        reason = f"{model.context or 'its'} tokens of context: at most {most:,}"
        return Check(name, "fail", f"no instance type named serves {reason}", advice)
    first = served.environment(kinds[0])
    context, at_once = first["CONTEXT_LENGTH"], first["MAX_CONCURRENCY"]
    words = f"Nova {size}, {context} tokens of context, {at_once} calls at once: {', '.join(kinds)}"
    mark = found.package.version if isinstance(found.package, PackageFacts) else served.weights
    return Placed(served, kinds, words, version=mark)


def _adapter_problem(adapter: Checkpoint) -> str:
    if adapter.problem:
        return adapter.problem
    if adapter.adapter is None:
        return "it holds no adapter_config.json"
    rank = adapter.adapter.r
    return "" if 0 < rank <= LARGEST_RANK else f"its rank is {rank}; vLLM takes 1 to {LARGEST_RANK}"


def _in_order(named: Iterable[str], usable: Iterable[str]) -> tuple[str, ...]:
    """Those named that are usable, in the recipe's order; the cheapest where none is named."""
    able = tuple(usable)
    wanted = tuple(named)
    return tuple(kind for kind in wanted if kind in able) if wanted else able[:MOST_PROPOSED]


def _folder(address: str) -> str:
    return address.rstrip("/") + "/"


def _is_archive(address: str) -> bool:
    return address.endswith((".tar.gz", ".tgz"))
