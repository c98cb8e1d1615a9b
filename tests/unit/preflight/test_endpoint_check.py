"""An endpoint of the account is asked only where that can work, and the check says why not."""

import pytest

from nova_judge.check import NotRead
from nova_judge.preflight.endpoint_check import endpoint_check
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.request_forms import EndpointFacts, form_of_images

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
VLLM = f"{REGISTRY}/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker"
TGI = f"{REGISTRY}/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
OLD_TGI = f"{REGISTRY}/huggingface-pytorch-tgi-inference:2.1.1-tgi1.4.0-gpu-py310-cu121"
NOVA = "708977205387.dkr.ecr.us-east-1.amazonaws.com/nova-inference-repo:SM-Inference-latest"
OWN = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine@sha256:abc"
MODEL = AskedModel(endpoint="ckpt-200")
GOOD = EndpointFacts("InService", (VLLM,), "v", instances=1)


@pytest.mark.parametrize(
    ("image", "form"),
    [
        (VLLM, "chat"),
        (f"{REGISTRY}/huggingface-vllm:0.29.0-gpu-cu130", "chat"),
        (f"{REGISTRY}/djl-inference:0.38.0-lmi29.0.0-cu130", "chat"),
        (NOVA, "chat"),
        (TGI, "chat"),
        (OLD_TGI, "text"),
        (OWN, None),
    ],
)
def test_the_image_says_how_a_container_is_asked(image, form):
    assert form_of_images((image,)) == form


def test_variants_of_different_forms_say_nothing():
    assert form_of_images((VLLM, OLD_TGI)) is None


@pytest.mark.parametrize(
    ("model", "facts", "status", "words"),
    [
        (MODEL, GOOD, "pass", "in service, asked by messages"),
        (MODEL, GOOD._replace(captures=True), "warn", "keeps a copy"),
        (MODEL, None, "fail", "Did you mean 'ckpt-20'"),
        (MODEL, NotRead("AccessDenied"), "not run", "AccessDenied"),
        (MODEL, GOOD._replace(status="Failed", reason="no GPU"), "fail", "it is Failed: no GPU"),
        (MODEL, GOOD._replace(asynchronous=True), "fail", "asynchronous"),
        (MODEL, GOOD._replace(instances=0), "fail", "scaled to zero"),
        (MODEL, GOOD._replace(components={"base": ""}), "fail", "the endpoint hosts base"),
        (AskedModel(endpoint="ckpt-200", component="bas"), GOOD, "fail", "hosts none"),
        (MODEL, GOOD._replace(images=(OWN,)), "fail", "how it is asked is not known"),
        (AskedModel(endpoint="ckpt-200", form="text"), GOOD, "pass", "plain inputs"),
    ],
)
def test_what_stands_against_an_endpoint(model, facts, status, words):
    check = endpoint_check(model, facts, ("ckpt-20", "other"))
    assert (check.status, words in check.finding) == (status, True), check


@pytest.mark.parametrize(
    ("allowed", "status"),
    [((), "fail"), (("ckpt-200",), "pass"), (("ckpt-*",), "pass"), (("ckpt-20",), "fail")],
)
def test_the_stage_names_the_endpoints_that_it_may_ask(allowed, status):
    assert endpoint_check(MODEL, GOOD, (), allowed).status == status


def test_a_model_of_a_catalogue_may_have_been_meant():
    check = endpoint_check(AskedModel(endpoint="sumaries-7b"), None, (), None, ("summaries-7b",))
    assert check.finding.endswith("Did you mean 'summaries-7b'?")
