"""Facts that must agree are one rule: the host of an image follows from its CUDA version."""

import re

import pytest

from nova_judge.errors import SettingsError
from nova_judge.recipe import catalog

CUDA_12, CUDA_13 = "al2-ami-sagemaker-inference-gpu-3-1", "al2023-ami-sagemaker-inference-gpu-4-1"
HOSTS_OF_CUDA_13 = ("g4dn", "g5", "g6", "g6e", "p4d", "p4de", "p5", "p5e", "p5en")
"""Instance families of gpu-4-1 (sagemaker-serve 1.27.0)."""


@pytest.mark.parametrize("image", catalog.images().serving.images.values())
def test_every_image_has_a_host_whose_driver_is_new_enough(image):
    (cuda,) = re.findall(r"-cu(\d\d)\d", image)

    assert catalog.host_ami(image) == {"12": CUDA_12, "13": CUDA_13}[cuda]


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker", CUDA_13),
        ("vllm:0.20.0-gpu-py312-cu129-ubuntu22.04-sagemaker", CUDA_12),
        ("huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04", CUDA_12),
        ("djl-inference:0.40.0-lmi30.0.0-cu132", CUDA_13),
    ],
)
def test_the_host_follows_from_the_cuda_version_in_the_tag(image, host):
    assert catalog.host_ami(image) == host


@pytest.mark.parametrize("image", ["vllm:server-sagemaker-cuda-v1", "vllm:0.40.0-cu141-sagemaker"])
def test_an_image_whose_host_is_not_known_is_refused(image):
    with pytest.raises(SettingsError, match="no host AMI is known"):
        catalog.host_ami(image)


@pytest.mark.parametrize("name", catalog.models().endpoints)
def test_every_instance_type_has_a_gpu_that_the_host_knows(name):
    kinds = catalog.models().endpoints[name].instance_types

    assert {kind.split(".")[1] for kind in kinds} <= set(HOSTS_OF_CUDA_13)
