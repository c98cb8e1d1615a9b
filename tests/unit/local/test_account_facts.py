import json

import pytest

from nova_judge_local.engine import account_facts

LIST = {"X-Amz-Target": "ServiceQuotasV20190624.ListServiceQuotas"}


def listed(changed: dict[str, float], body: dict) -> dict[str, float]:
    answer = account_facts.quotas(changed, LIST, json.dumps(body).encode())
    return {quota["QuotaName"]: quota["Value"] for quota in json.loads(answer.body)["Quotas"]}


def test_every_instance_that_a_recipe_may_name_is_allowed_unless_told_otherwise():
    quotas = listed({"ml.p5.48xlarge for training job usage": 0.0}, {"ServiceCode": "sagemaker"})

    assert quotas["ml.g5.12xlarge for training job usage"] == account_facts.INSTANCES_ALLOWED
    assert quotas["ml.g5.xlarge for endpoint usage"] == account_facts.INSTANCES_ALLOWED
    assert quotas["ml.p5.48xlarge for training job usage"] == 0


@pytest.mark.parametrize(
    ("headers", "body"), [(LIST, b'{"ServiceCode": "ec2"}'), ({}, b"{}"), (LIST, b"")]
)
def test_anything_else_is_refused_as_aws_would(headers, body):
    answer = account_facts.quotas({}, headers, body)

    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "IllegalArgumentException"


def test_models_and_profiles_are_active_and_other_calls_are_left_to_the_engine():
    model = account_facts.bedrock_model("GET", "/foundation-models/some.model-v1%3A0")
    profile = account_facts.bedrock_model("GET", "/inference-profiles/us.some.model")

    assert json.loads(model.body)["modelDetails"]["modelLifecycle"] == {"status": "ACTIVE"}
    assert json.loads(profile.body)["models"][0]["modelArn"].endswith("/us.some.model")
    assert account_facts.bedrock_model("POST", "/foundation-models/x") is None
    assert account_facts.bedrock_model("GET", "/guardrails") is None
