"""From what is read of a model follow its container, its instance types, or a reason why not."""

import pytest

from nova_judge.check import Check, NotRead
from nova_judge.preflight.served_model import Found, Placed, folder_of, placed
from nova_judge.preflight.weights_check import Allowed, folder_check, stage_check
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.checkpoint import (
    AdapterShape,
    Checkpoint,
    JobFacts,
    PackageFacts,
    Shape,
    nova_of,
)
from nova_judge.sources.served import Served

SEVEN = Shape(
    num_attention_heads=28,
    num_key_value_heads=4,
    num_hidden_layers=28,
    hidden_size=3584,
    max_position_embeddings=32_768,
    torch_dtype="bfloat16",
)
CKPT = Checkpoint(15_231_000_000, SEVEN, "v7")
SEVENTY = Checkpoint(
    141_100_000_000,
    Shape(
        num_attention_heads=64,
        num_key_value_heads=8,
        num_hidden_layers=80,
        hidden_size=8192,
        max_position_embeddings=131_072,
    ),
)
IN_S3 = AskedModel(weights="s3://mine/ckpt/")
ARN = "arn:aws:sagemaker:us-east-1:444455556666:model-package/tuned/3"
PACKAGE = AskedModel(model_package=ARN)
JOB = AskedModel(training_job="sft-200")
VLLM = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04"
REGISTERED = PackageFacts(
    "Completed",
    "Approved",
    image=VLLM,
    data="s3://mine/model.tar.gz",
    variables={"SM_VLLM_DTYPE": "half"},
    instance_types=("ml.g5.12xlarge", "ml.m5.xlarge", "ml.g6.2xlarge", "ml.g5.2xlarge"),
    version="p3",
)
ESCROW = "s3://customer-escrow-444455556666-smtj-ab12/sft-200/100/"
NOVA = JobFacts("Completed", nova="micro", folder=ESCROW)


def types(model, found):
    return placed("it", model, found).types


def test_the_cheapest_types_that_hold_seven_billion_parameters():
    placement = placed("it", IN_S3, Found(weights=CKPT))
    assert placement.types == ("ml.g6.xlarge", "ml.g6.2xlarge", "ml.g5.xlarge")
    assert placement.words == (
        "15.2 GB of weights need 17.5 GiB of GPU memory with 8,192 tokens of context: "
        "ml.g6.xlarge, ml.g6.2xlarge, ml.g5.xlarge"
    )
    assert placement.served.environment("ml.g6.xlarge") == {
        "SM_VLLM_TENSOR_PARALLEL_SIZE": "1",
        "SM_VLLM_MAX_MODEL_LEN": "8192",
    }
    assert placement.version == "v7"


def test_seventy_billion_parameters_need_all_gpus_of_a_large_instance():
    placement = placed("it", IN_S3, Found(weights=SEVENTY))
    assert placement.types == ("ml.g6.48xlarge", "ml.p4d.24xlarge", "ml.p5.48xlarge")
    assert "8 GPUs share them" in placement.words
    assert placement.served.environment("ml.g6.48xlarge")["SM_VLLM_TENSOR_PARALLEL_SIZE"] == "8"


@pytest.mark.parametrize(
    ("heads", "key_heads", "gpus", "degree"),
    [(28, 4, 4, 4), (28, 4, 8, 4), (12, 2, 4, 4), (7, 7, 8, 1), (64, 8, 8, 8), (0, 0, 4, 4)],
)
def test_gpus_share_the_heads_evenly(heads, key_heads, gpus, degree):
    served = Served(image="vllm", heads=heads, key_heads=key_heads)
    assert served.degree(gpus) == degree


def test_weights_of_32_bits_are_loaded_as_16():
    wide = CKPT._replace(weight_bytes=30_462_000_000, shape=Shape(torch_dtype="float32"))
    assert types(IN_S3, Found(weights=wide))[0] == "ml.g6.xlarge"


def test_a_long_context_takes_memory():
    model = AskedModel(weights="s3://mine/ckpt/", context=32_768)
    eight = Checkpoint(
        16_060_000_000,
        Shape(
            num_attention_heads=32,
            num_key_value_heads=8,
            num_hidden_layers=32,
            hidden_size=4096,
            max_position_embeddings=131_072,
        ),
    )
    assert types(model, Found(weights=eight))[0] == "ml.g6.12xlarge"
    assert types(IN_S3, Found(weights=eight))[0] == "ml.g6.xlarge"


def test_types_of_the_recipe_keep_their_order_and_must_hold_the_weights():
    named = AskedModel(weights="s3://mine/ckpt/", instance_types=("ml.g5.2xlarge", "ml.g6.xlarge"))
    assert types(named, Found(weights=CKPT)) == ("ml.g5.2xlarge", "ml.g6.xlarge")
    refused = placed("it", named, Found(weights=SEVENTY))
    assert (refused.status, refused.finding) == (
        "fail",
        "141.1 GB of weights need 160.2 GiB of GPU memory with 8,192 tokens of context, which none "
        "of ml.g5.2xlarge, ml.g6.xlarge holds them",
    )


def test_without_heads_one_gpu_is_proposed():
    blind = Checkpoint(15_231_000_000, Shape())
    assert set(types(IN_S3, Found(weights=blind))) <= {
        "ml.g6.xlarge",
        "ml.g6.2xlarge",
        "ml.g5.xlarge",
    }


@pytest.mark.parametrize(
    ("model", "found", "words"),
    [
        (IN_S3, Found(weights=NotRead("GetObject: AccessDenied")), "GetObject: AccessDenied"),
        (IN_S3, Found(weights=Checkpoint(problem="it holds nothing")), "it holds nothing"),
        (IN_S3, Found(weights=Checkpoint(adapter=AdapterShape(8))), "name its base"),
        (IN_S3, Found(weights=Checkpoint(shape=SEVEN)), "holds no weights"),
        (PACKAGE, Found(package=None), "no such version"),
        (PACKAGE, Found(package=NotRead("DescribeModelPackage: AccessDenied")), "AccessDenied"),
        (PACKAGE, Found(package=REGISTERED._replace(status="Pending")), "it is Pending"),
        (PACKAGE, Found(package=REGISTERED._replace(approval="Rejected")), "it is Rejected"),
        (PACKAGE, Found(package=REGISTERED._replace(containers=2)), "it has 2 containers"),
        (PACKAGE, Found(package=REGISTERED._replace(containers=0, image="", data="")), "has 0"),
        (
            PACKAGE,
            Found(package=REGISTERED._replace(restricted=True, approval="PendingManualApproval")),
            "SageMaker alone holds its weights",
        ),
        (PACKAGE, Found(package=REGISTERED._replace(instance_types=())), "no instance type"),
        (PACKAGE, Found(package=REGISTERED._replace(image="1.dkr/mine:1")), "is not known"),
        (PACKAGE, Found(package=REGISTERED._replace(image="", recipe="sft-lora")), "not merged"),
        (JOB, Found(job=None), "no such training job"),
        (JOB, Found(job=JobFacts("Failed", "out of memory")), "it is Failed: out of memory"),
        (JOB, Found(job=JobFacts("Completed", problem="no manifest")), "no manifest"),
        (JOB, Found(job=JobFacts("Completed", folder="s3://m/o/model.tar.gz")), "archive"),
        (JOB, Found(job=NOVA._replace(nova="")), "which Nova model"),
    ],
)
def test_what_cannot_be_served_is_refused_with_the_reason(model, found, words):
    refused = placed("it", model, found)
    assert isinstance(refused, Check)
    assert words in refused.finding
    assert refused.status in ("fail", "not run")
    assert refused.advice


def test_a_package_with_an_image_is_made_by_its_name_on_the_cheapest_types_it_recommends():
    placement = placed("it", PACKAGE, Found(package=REGISTERED))
    assert placement == Placed(
        Served(image="package", uri=VLLM, package=ARN),
        ("ml.g6.2xlarge", "ml.g5.2xlarge", "ml.g5.12xlarge"),
        "Approved; ml.g6.2xlarge, ml.g5.2xlarge, ml.g5.12xlarge, as the package recommends",
        "chat",
        "p3",
    )
    assert placement.served.environment("ml.m5.xlarge") == {}


def test_a_package_that_waits_for_approval_is_served_from_its_parts():
    pending = REGISTERED._replace(approval="PendingManualApproval")
    served = placed("it", PACKAGE, Found(package=pending)).served
    assert served == Served(
        image="package",
        uri=VLLM,
        weights="s3://mine/model.tar.gz",
        variables={"SM_VLLM_DTYPE": "half"},
    )


def test_the_image_of_a_package_never_has_a_network():
    names = {"SM_VLLM_MODEL": "somebody/else", "SM_VLLM_TRUST_REMOTE_CODE": "true"}
    waits = REGISTERED._replace(approval="PendingManualApproval", data="", variables=names)
    assert placed("it", PACKAGE, Found(package=waits)).served.offline is True


def test_a_package_without_an_image_is_served_by_vllm_from_its_merged_weights():
    package = PackageFacts("Completed", data="s3://mine/out", is_checkpoint=False)
    found = Found(package=package, weights=CKPT)
    assert folder_of(PACKAGE, found) == "s3://mine/out/checkpoints/hf_merged/"
    served = placed("it", PACKAGE, found).served
    assert (served.image, served.weights) == ("vllm", "s3://mine/out/checkpoints/hf_merged/")


def test_customised_nova_runs_in_novas_image_with_a_context_that_the_instance_allows():
    placement = placed("it", JOB, Found(job=NOVA))
    assert placement.types == ("ml.g6.12xlarge", "ml.g5.12xlarge", "ml.g6.24xlarge")
    assert placement.served == Served(image="nova", weights=ESCROW, nova="micro")
    assert placement.served.environment("ml.g5.12xlarge") == {
        "CONTEXT_LENGTH": "8000",
        "MAX_CONCURRENCY": "6",
    }
    long = AskedModel(training_job="sft-200", context=50_000)
    found = placed("it", long, Found(job=NOVA))
    assert found.types == ("ml.p5.48xlarge",)
    assert found.served.environment("ml.p5.48xlarge") == {
        "CONTEXT_LENGTH": "64000",
        "MAX_CONCURRENCY": "32",
    }


def test_a_restricted_package_of_nova_is_named_to_create_model():
    package = PackageFacts("Completed", restricted=True, base="nova-textgeneration-lite-v2")
    served = placed("it", PACKAGE, Found(package=package)).served
    assert served == Served(image="nova", package=ARN, nova="lite-v2")


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("nova-textgeneration-micro", "micro"),
        ("amazon.nova-2-lite-v1:0:256k nova-lite-2/prod", "lite-v2"),
        ("nova-lite/prod", "lite"),
        ("nova-pro/prod", "pro"),
        ("nova-inference-repo:latest", ""),
        ("meta-textgeneration-llama-3-2-1b", None),
    ],
)
def test_the_size_of_nova_follows_from_its_names(words, size):
    assert nova_of(words) == size


def test_an_adapter_lies_beside_the_weights_or_in_the_place_of_a_model_of_the_hub():
    adapter = Checkpoint(version="a1", adapter=AdapterShape(24))
    beside = AskedModel(weights="s3://mine/ckpt/", lora="s3://mine/lora/")
    served = placed("it", beside, Found(weights=CKPT, adapter=adapter)).served
    variables = served.environment("ml.g5.xlarge")
    assert variables["SM_VLLM_ENABLE_LORA"] == "true"
    assert variables["SM_VLLM_MAX_LORA_RANK"] == "32"
    assert variables["SM_VLLM_LORA_MODULES"] == (
        '[{"name": "adapter", "path": "/opt/ml/additional-model-data-sources/adapter"}]'
    )
    of_hub = AskedModel(
        weights="Qwen/Qwen2.5-7B",
        revision="v1",
        lora="s3://mine/lora/",
        instance_types=("ml.g5.xlarge",),
    )
    placement = placed("it", of_hub, Found(adapter=adapter))
    assert (
        '"path": "/opt/ml/model"'
        in placement.served.environment("ml.g5.xlarge")["SM_VLLM_LORA_MODULES"]
    )
    assert placement.version == "a1"
    assert not placement.served.offline


@pytest.mark.parametrize(
    ("adapter", "words"),
    [
        (Checkpoint(adapter=AdapterShape(1024)), "its rank is 1024"),
        (Checkpoint(shape=SEVEN), "holds no adapter_config.json"),
        (Checkpoint(problem="it holds nothing"), "it holds nothing"),
    ],
)
def test_an_adapter_that_vllm_does_not_take_is_refused(adapter, words):
    model = AskedModel(weights="s3://mine/ckpt/", lora="s3://mine/lora/")
    assert words in placed("it", model, Found(weights=CKPT, adapter=adapter)).finding


def test_lmi_has_variables_of_its_own():
    model = AskedModel(weights="s3://mine/ckpt/", serving="lmi")
    served = placed("it", model, Found(weights=CKPT)).served
    assert served.environment("ml.g5.12xlarge") == {
        "OPTION_TENSOR_PARALLEL_DEGREE": "4",
        "OPTION_MAX_MODEL_LEN": "8192",
    }
    of_hub = Served(image="djl_lmi", weights="Qwen/Qwen2.5-7B", revision="v1")
    assert of_hub.environment("ml.g5.xlarge") == {
        "OPTION_TENSOR_PARALLEL_DEGREE": "1",
        "HF_MODEL_ID": "Qwen/Qwen2.5-7B",
        "OPTION_REVISION": "v1",
    }


def test_a_gated_model_is_served_from_its_copy_without_key_and_network():
    model = AskedModel(
        weights="meta/Model", revision="v1", secret="hub", instance_types=("ml.g5.xlarge",)
    )
    served = placed("it", model, Found()).served
    assert (served.secret, served.offline) == ("hub", False)
    copy = served.copied("s3://data/")
    assert copy == Served(image="vllm", weights="s3://data/runs/_weights/meta/Model/v1/")
    assert copy.offline
    assert copy.environment("ml.g5.xlarge") == {"SM_VLLM_TENSOR_PARALLEL_SIZE": "1"}


STAGE = Allowed(("s3://mine/ckpt/",), (ARN.replace("/3", "/*"),), ("sft-*",))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (IN_S3, None),
        (PACKAGE, None),
        (JOB, None),
        (AskedModel(weights="s3://mine/other/"), "add s3://mine/other/ to weights of the stage"),
        (
            AskedModel(weights="s3://mine/ckpt/", lora="s3://theirs/l/"),
            "add s3://theirs/l/ to weights",
        ),
        (AskedModel(weights="Qwen/Qwen2.5-7B"), "add hub to weights"),
        (AskedModel(training_job="dpo-1"), "add dpo-1 to training_jobs"),
        (AskedModel(model_package=ARN.replace("tuned", "theirs")), "to model_packages"),
    ],
)
def test_the_stage_names_what_it_serves(model, words):
    check = stage_check("it", model, STAGE)
    assert check is None if words is None else check and words in check.advice


def test_the_folder_that_a_job_leads_to_is_one_of_the_stage():
    assert folder_check("it", "s3://mine/ckpt/out/model.tar.gz", STAGE) is None
    refused = folder_check("it", ESCROW, STAGE)
    assert refused is not None
    assert refused.advice == f"add {ESCROW} to weights of the stage in cdk.json, and deploy"
