"""Models of one's own in whole runs: each source answers, and nothing of it is left behind."""

import json
from pathlib import Path
from typing import Any

import pytest

from nova_judge.answers.lane import SHUT_AFTER
from nova_judge.layout import RECIPES, UNSTARTED
from nova_judge_local.emulator_settings import EndpointFault
from tests.workflow.conftest import ROOT, Account, lines
from tests.workflow.test_endpoints import ABORTED_IN, QUESTIONS, abort_in, wait_for_end, wait_until
from tests.workflow.test_own_weights import NOTHING, left

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
VLLM = f"{REGISTRY}/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker"
MODELS = "nova-judge-models"
ESCROW = "customer-escrow-123456789012-smtj-ab12"
PACKAGES = "arn:aws:sagemaker:us-east-1:123456789012:model-package/tuned"
CONFIG = {
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "num_hidden_layers": 28,
    "hidden_size": 3584,
    "max_position_embeddings": 32_768,
}


def package(version: int, container: dict[str, Any], **fields: Any) -> dict[str, Any]:
    arn = f"{PACKAGES}/{version}"
    specification = {
        "Containers": [container],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.g5.12xlarge", "ml.g5.2xlarge"],
    }
    described = {
        "ModelPackageName": arn,
        "ModelPackageArn": arn,
        "ModelPackageStatus": "Completed",
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": specification,
    }
    return described | fields


DATA = {
    "S3DataSource": {
        "S3Uri": f"s3://{MODELS}/pending/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
}
NOVA = {"BaseModel": {"HubContentName": "nova-textgeneration-lite"}}
DESCRIBED = {
    f"{PACKAGES}/1": package(1, {"Image": VLLM, "ModelDataUrl": f"s3://{MODELS}/m.tar.gz"}),
    f"{PACKAGES}/2": package(
        2,
        {"Image": VLLM, "ModelDataSource": DATA, "Environment": {"SM_VLLM_DTYPE": "half"}},
        ModelApprovalStatus="PendingManualApproval",
    ),
    f"{PACKAGES}/3": package(3, NOVA, ManagedStorageType="Restricted"),
    "sft-open": {
        "TrainingJobName": "sft-open",
        "TrainingJobStatus": "Completed",
        "ModelArtifacts": {"S3ModelArtifacts": f"s3://{MODELS}/sft-open/output/model/"},
    },
    "sft-nova": {
        "TrainingJobName": "sft-nova",
        "TrainingJobStatus": "Completed",
        "HyperParameters": {"base_model": "nova-micro/prod"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{MODELS}/jobs"},
    },
}
SOURCES = {
    "s3": f"{{weights: 's3://{MODELS}/ckpt/'}}",
    "lora": f"{{weights: 's3://{MODELS}/base/', lora: 's3://{MODELS}/lora/'}}",
    "lmi": f"{{weights: 's3://{MODELS}/ckpt/', serving: lmi}}",
    "approved": f"{{model_package: '{PACKAGES}/1'}}",
    "pending": f"{{model_package: '{PACKAGES}/2'}}",
    "nova-package": f"{{model_package: '{PACKAGES}/3'}}",
    "job": "{training_job: sft-open}",
    "nova-job": "{training_job: sft-nova}",
    "endpoint": "{endpoint: ckpt-one}",
    "component": "{endpoint: ckpt-two, component: ckpt-part}",
}
NAMES = (
    f"s3://{MODELS}/ckpt/",
    "adapter",
    f"{PACKAGES}/1",
    f"s3://{MODELS}/pending/",
    f"{PACKAGES}/3",
    f"s3://{MODELS}/sft-open/output/model/",
    f"s3://{ESCROW}/sft-nova/9/",
    "ckpt-one",
    "ckpt-part",
)
"""The names by which the stand-in for a model server is asked: what its container loads."""


def stage(account: Any, folder: Path, **settings: Any) -> Account:
    """An account with models of every kind, each with recorded answers."""
    asked = [json.loads(line) for line in QUESTIONS[:SHUT_AFTER]]
    rows = [
        {"model": name, "prompt": row["prompt"], "response": f"{name} says {number}."}
        for name in NAMES
        for number, row in enumerate(asked)
    ]
    answers = folder / "answers.jsonl"
    answers.write_bytes(lines(*rows))
    here = account(answers=(str(answers),), described=DESCRIBED, **settings)
    s3 = here.client("s3")
    for bucket in (MODELS, ESCROW):
        s3.create_bucket(Bucket=bucket)
    for prefix in ("ckpt", "base", "pending", "sft-open/output/model"):
        for name, content in (
            ("config.json", CONFIG),
            ("tokenizer.json", {}),
            ("w.safetensors", 1),
        ):
            body = json.dumps(content).encode()
            s3.put_object(Bucket=MODELS, Key=f"{prefix}/{name}", Body=body)
    adapter = json.dumps({"r": 16}).encode()
    s3.put_object(Bucket=MODELS, Key="lora/adapter_config.json", Body=adapter)
    manifest = json.dumps({"checkpoint_s3_bucket": f"s3://{ESCROW}/sft-nova/9"}).encode()
    s3.put_object(Bucket=MODELS, Key="jobs/sft-nova/output/output/manifest.json", Body=manifest)
    make_endpoints(here)
    return here


def make_endpoints(here: Account) -> None:
    """Two real-time endpoints of the account, the second with an inference component."""
    sagemaker = here.client("sagemaker")
    role = "arn:aws:iam::123456789012:role/owner"
    for name, model in (("ckpt-one", {"ModelName": "theirs"}), ("ckpt-two", {})):
        container = {"Image": VLLM}
        if model:
            sagemaker.create_model(
                ModelName="theirs", PrimaryContainer=container, ExecutionRoleArn=role
            )
        variant = {"VariantName": "main", "InstanceType": "ml.g5.xlarge", **model}
        variant["InitialInstanceCount"] = 1
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.create_inference_component(
        InferenceComponentName="ckpt-part",
        EndpointName="ckpt-two",
        VariantName="main",
        Specification={"Container": {"Image": VLLM}},
    )
    wait_until(lambda: in_service(here, "ckpt-one") and in_service(here, "ckpt-two"))


def in_service(here: Account, name: str) -> bool:
    described = here.client("sagemaker").describe_endpoint(EndpointName=name)
    return described["EndpointStatus"] == "InService"


def put_recipe(here: Account, names: list[str]) -> None:
    head, _, tail = (ROOT / "recipes/pairwise.yaml").read_text("utf-8").partition("\ncandidates:")
    candidates = "\n".join(f"  {name}: {SOURCES[name]}" for name in names)
    document = f"{head}\ncandidates:\n{candidates}\npairs: against {names[0]}\ngeneration:"
    text = document + tail.partition("\ngeneration:")[2]
    here.client("s3").put_object(Bucket=here.bucket, Key=f"{RECIPES}own.yaml", Body=text.encode())


def others_gone(here: Account) -> bool:
    """True where only what the account had before is there."""
    return left(here) == NOTHING | {"endpoints": ["ckpt-one", "ckpt-two"]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "dropped"),
    [
        (["s3", "lora", "approved", "job", "endpoint"], True),
        (["lmi", "pending", "nova-package", "nova-job", "component"], False),
    ],
    ids=["a dropped file", "console input"],
)
def test_each_source_answers_and_leaves_nothing(account, tmp_path, names, dropped):
    here = stage(account, tmp_path)
    put_recipe(here, names)
    content = b"".join(QUESTIONS[:3])
    if dropped:
        here.drop("questions.jsonl", content, recipe="own", folder=tmp_path)
    else:
        (known := tmp_path / "known.jsonl").write_bytes(content)
        here.emulator.tell_judge(known)
        key = f"{UNSTARTED}questions"
        here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=content)
        here.start({"input": f"s3://{here.bucket}/{key}", "recipe": "own"})
    (execution,) = here.ended()
    assert execution.status == "SUCCEEDED", execution
    board = here.metrics()["tournament"]["candidates"]
    assert {each["name"] for each in board} == set(names)
    assert wait_until(lambda: others_gone(here))


def without_right(here: Account, function: str, action: str) -> None:
    """Take an action from what a function's own role allows."""
    iam = here.client("iam")
    for role in iam.list_roles()["Roles"]:
        if f"{function}Role" not in role["RoleName"]:
            continue
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            where = {"RoleName": role["RoleName"], "PolicyName": name}
            document = iam.get_role_policy(**where)["PolicyDocument"]
            policy = json.loads(document) if isinstance(document, str) else document
            for one in policy["Statement"]:
                given = [one["Action"]] if isinstance(one["Action"], str) else one["Action"]
                one["Action"] = [each for each in given if each != action]
            policy["Statement"] = [one for one in policy["Statement"] if one["Action"]]
            iam.put_role_policy(**where, PolicyDocument=json.dumps(policy))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "function", "action", "error"),
    [
        ("approved", "PlanEvaluation", "sagemaker:DescribeModelPackage", "PreflightError"),
        ("job", "PlanEvaluation", "sagemaker:DescribeTrainingJob", "PreflightError"),
        ("s3", "PlanEvaluation", "s3:ListBucket", "PreflightError"),
        ("s3", "PrepareEndpoints", "sagemaker:CreateModel", "ClientError"),
        ("s3", "PrepareEndpoints", "sagemaker:CreateEndpoint", "ClientError"),
        ("endpoint", "GenerateResponses", "sagemaker:InvokeEndpoint", "GenerationFailedError"),
    ],
)
def test_a_role_without_the_right_fails(account, tmp_path, name, function, action, error):
    here = stage(account, tmp_path)
    put_recipe(here, [name, "lmi"])
    without_right(here, function, action)
    # As many as one after the other must be refused, so that nobody waits between them.
    content = b"".join(QUESTIONS[:SHUT_AFTER])
    here.drop("questions.jsonl", content, recipe="own", folder=tmp_path)
    (execution,) = here.ended()
    assert (execution.status, execution.error) == ("FAILED", error), execution
    assert wait_until(lambda: others_gone(here))


def start(here: Account, folder: Path, mark: str) -> str:
    """Start an execution on a file of its own, as the console does."""
    content = json.dumps({"prompt": json.loads(QUESTIONS[0])["prompt"], "id": mark}).encode()
    (known := folder / "known.jsonl").write_bytes(QUESTIONS[0])
    here.emulator.tell_judge(known)
    key = f"{UNSTARTED}{mark}"
    here.client("s3").put_object(Bucket=here.bucket, Key=key, Body=content + b"\n")
    return here.start({"input": f"s3://{here.bucket}/{key}", "recipe": "own"})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s3", "approved", "nova-job"])
def test_an_abort_at_any_state_removes_models_and_configurations_too(account, tmp_path, name):
    here = stage(account, tmp_path, endpoint_start_s=0.5)
    put_recipe(here, [name, "pending"])
    aborted = 0
    for state in ABORTED_IN:
        arn = start(here, tmp_path, state)
        aborted += abort_in(here, arn, state)
        assert wait_until(lambda: others_gone(here)), state
    assert aborted >= len(ABORTED_IN) - 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["s3", "approved", "nova-job"])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (EndpointFault(endpoint="own", creation="no_capacity"), "EndpointError"),
        (EndpointFault(endpoint="own", creation="refused"), "EndpointError"),
        (EndpointFault(endpoint="own", status=400, every=1), "GenerationFailedError"),
    ],
    ids=["no capacity", "refused", "no answer"],
)
def test_a_failure_removes_models_and_configurations_too(account, tmp_path, name, fault, error):
    here = stage(account, tmp_path, endpoint_faults=(fault,))
    put_recipe(here, [name, "pending"])
    arn = start(here, tmp_path, "failing")
    assert wait_for_end(here, arn).error == error
    assert wait_until(lambda: others_gone(here))
