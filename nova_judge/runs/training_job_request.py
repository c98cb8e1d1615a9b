"""The CreateTrainingJob request of a Nova evaluation job, as AWS's own SDKs send it.

Source: requests captured from the SageMaker Python SDK 2.257.7 and 3.27.0.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from msgspec import UNSET

from nova_judge.errors import RecipeError
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog
from nova_judge.recipe.nova_block import NovaBlock
from nova_judge.recipe.recipe import Recipe

RECIPE_FILE = "recipe.yaml"
RECIPE_MOUNT = "/opt/ml/input/data/recipe"
JOB_NAME_LIMIT = 60  # 63, less the redrive count that the state machine appends


def training_job_request(  # noqa: PLR0913 - the names are those of the API
    recipe: Recipe,
    *,
    job_name: str,
    region: str,
    role_arn: str,
    train_uri: str | None,
    recipe_uri: str,
    output_uri: str,
    tags: Mapping[str, str],
) -> dict[str, Any]:
    """The whole request, ready for `createTrainingJob.sync`.

    `train_uri` is the one data file (None for benchmarks), `recipe_uri` the folder or the file of
    the container's recipe. Raises RecipeError when the region has no Nova evaluation image.
    """
    judge = recipe.judge
    channels = [] if train_uri is None else [_channel("train", train_uri)]
    return {
        "TrainingJobName": job_name,
        "RoleArn": role_arn,
        "AlgorithmSpecification": {
            "TrainingImage": evaluation_image(region, judge.image),
            "TrainingInputMode": "File",
        },
        "HyperParameters": hyperparameters(recipe.nova, recipe_uri),
        "InputDataConfig": [*channels, {**_channel("recipe", recipe_uri), "InputMode": "File"}],
        "OutputDataConfig": {"S3OutputPath": output_uri},
        # No VolumeKmsKeyId: these instances keep data on local disks, where AWS refuses the key.
        "ResourceConfig": {
            "InstanceType": judge.instance_types[0],
            "InstanceCount": judge.instance_count,
            "VolumeSizeInGB": judge.volume_gb,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": judge.max_runtime_s},
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
    }


def evaluation_image(region: str, image: str | None = None) -> str:
    """The image URI of the Nova evaluation container; `image` is another tag or a full URI.

    Raises RecipeError for a region in which AWS has no such registry.
    """
    if image is not None and "/" in image:
        return image
    images = catalog.images().nova_evaluation
    account = images.accounts.get(region)
    if account is None:
        raise RecipeError(
            f"judge.image: no Nova evaluation image is known in {region}; regions with one: "
            f"{', '.join(images.accounts)}. Deploy there, or give judge.image a full image URI, "
            "and its repository to judge_image_repositories in cdk.json"
        )
    registry = f"{account}.dkr.ecr.{region}.{partition_of(region).suffix}"
    return f"{registry}/{images.repository}:{image or images.tag}"


def hyperparameters(nova: NovaBlock, recipe_uri: str) -> dict[str, str]:
    """The container's command line: the model, and where its recipe is mounted."""
    model = nova.run.model_name_or_path
    model_key = "base_model_location" if model.startswith("s3://") else "base_model"
    parameters = {
        "model_type": nova.run.model_type,
        model_key: model,
        "sagemaker_recipe_local_path": f"{RECIPE_MOUNT}/{_recipe_file(recipe_uri)}",
    }
    if nova.processor is not UNSET and isinstance(nova.processor.lambda_arn, str):
        parameters["eval_lambda_arn"] = nova.processor.lambda_arn
    if nova.rl_env is not UNSET:
        parameters["reward_lambda_arn"] = nova.rl_env.reward_lambda_arn
    return parameters


def training_job_name(prefix: str, run_id: str, execution: str, number: int) -> str:
    """A name that SageMaker takes (≤ 63 characters, letters, digits and single hyphens).

    It differs for every execution, so that a failed run can be asked for again. The state machine
    appends the number of redrives.
    """
    suffix = f"-{_attempt(execution)}-{number}"
    stem = re.sub(r"[^a-zA-Z0-9]+", "-", f"{prefix}-{run_id}").strip("-")
    return stem[: JOB_NAME_LIMIT - len(suffix)].rstrip("-") + suffix


def started_by(execution: str, job_name: str) -> bool:
    """True for a job of this execution, and not of an earlier attempt at its run.

    A judge job's name ends with number and redrives, a batch job's with the candidate, or the judge
    and its job, shard and part.
    """
    place = r"(\d+(-\d+)?|([AB]|judge\d+)-\d+-\d+)"
    return re.search(rf"-{_attempt(execution)}-{place}$", job_name) is not None


def is_before_redrive(job_name: str, other: str) -> bool:
    """True where `other` is the same judge job, started again by a redrive of its execution."""
    (job, _, redrive), (other_job, _, later) = job_name.rpartition("-"), other.rpartition("-")
    return job == other_job and int(redrive) < int(later)


def _attempt(execution: str) -> str:
    return hashlib.sha256(execution.encode()).hexdigest()[:4]


def _channel(name: str, uri: str) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": uri,
        "S3DataDistributionType": "FullyReplicated",
    }
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def _recipe_file(recipe_uri: str) -> str:
    """The recipe's file name inside the channel: the last part of a file's URI."""
    last = PurePosixPath(recipe_uri).name
    return last if last.endswith((".yaml", ".yml")) else RECIPE_FILE
