import datetime

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from nova_judge.aws import account, aws_clients, models
from nova_judge.aws.models import image_facts
from nova_judge.check import NotRead
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.images import ImageFacts
from nova_judge.preflight.model_check import Access, ModelFacts
from nova_judge.preflight.rules import ENDPOINT, TRAINING
from nova_judge.recipe.files import packaged_recipe
from nova_judge.sources.known_sources import asked_models, endpoint_instances

MIXED = load_recipe(packaged_recipe("qwen-vs-claude"), file="qwen-vs-claude.yaml")
CLAUDE = "anthropic.claude-sonnet-4-6"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", '
    '"Principal": {"Service": ["sagemaker.amazonaws.com", "bedrock.amazonaws.com"]}}]}'
)


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def stubbed(aws, monkeypatch):
    """A function that puts a stub in the place of one service's client."""

    def stub(service: str) -> Stubber:
        client = boto3.client(service)
        monkeypatch.setattr(aws_clients, "impatient", lambda _: client)
        stubber = Stubber(client)
        stubber.activate()
        return stubber

    return stub


@pytest.fixture
def bedrock(stubbed):
    return stubbed("bedrock")


def test_an_account_without_our_stacks_is_read_without_an_error(aws, monkeypatch):
    monkeypatch.setattr(account, "stack_outputs", lambda stage: {})
    monkeypatch.setattr(account, "quotas_of_account", lambda recipe: {})
    monkeypatch.setattr(account, "image_facts", lambda ecr, uri: ImageFacts(True))

    facts = account.doctor_facts("dev", load_recipe(packaged_recipe("rubric"), file="rubric.yaml"))

    assert facts.region == "us-east-1"
    assert facts.stacks == {}
    assert facts.job_role_trust == facts.bucket_sends_events == account.NOT_DEPLOYED
    assert "123456789012" in str(facts.caller)


def test_no_region_is_told_before_anything_is_asked(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    assert account.doctor_facts("dev", None).region is None


def test_who_may_assume_the_role_is_read(aws):
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="judge", AssumeRolePolicyDocument=TRUST)["Role"]

    assert account.role_trust(role["Arn"]) == ("bedrock.amazonaws.com", "sagemaker.amazonaws.com")


@pytest.mark.parametrize(
    ("configuration", "sends"), [({}, False), ({"EventBridgeConfiguration": {}}, True)]
)
def test_a_bucket_without_events_is_told_from_one_with(stubbed, configuration, sends):
    stubbed("s3").add_response(
        "get_bucket_notification_configuration", configuration, {"Bucket": "data"}
    )

    assert account.bucket_sends_events("data") is sends


def test_the_outputs_of_the_deployed_stacks_are_read_and_the_others_left_out(stubbed):
    stub = stubbed("cloudformation")
    output = {"OutputKey": "DataBucketName", "OutputValue": "data"}
    stack = {
        "StackName": "NovaJudge-dev-Storage",
        "CreationTime": datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC),
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": [output],
    }
    stub.add_response(
        "describe_stacks", {"Stacks": [stack]}, {"StackName": "NovaJudge-dev-Storage"}
    )
    for _ in range(3):
        stub.add_client_error("describe_stacks", "ValidationError")

    assert account.stack_outputs("dev") == {"Storage": {"DataBucketName": "data"}}


def test_what_the_role_may_not_do_is_named(stubbed):
    stub = stubbed("iam")
    for decisions in (
        [("s3:GetObject", "allowed"), ("s3:PutObject", "implicitDeny")],
        [("ecr:GetAuthorizationToken", "allowed")],
    ):
        results = [{"EvalActionName": a, "EvalDecision": d} for a, d in decisions]
        stub.add_response("simulate_principal_policy", {"EvaluationResults": results})

    assert account.denied_actions("arn:aws:iam::1:role/judge", "data") == ("s3:PutObject",)


def test_what_aws_refuses_is_a_fact_not_read_with_the_reason(aws):
    found = account.read(lambda: account.role_trust("arn:aws:iam::1:role/absent"))

    assert found == NotRead("GetRole: NoSuchEntity")


def _profile(bedrock: Stubber, name: str, *models: str) -> None:
    """Let Bedrock describe one inference profile that leads to these models (ARNs)."""
    bedrock.add_response(
        "get_inference_profile",
        {
            "inferenceProfileName": "p",
            "inferenceProfileArn": "arn:aws:bedrock:us-east-1:1:inference-profile/p",
            "inferenceProfileId": "p",
            "models": [{"modelArn": model} for model in models],
            "status": "ACTIVE",
            "type": "SYSTEM_DEFINED",
        },
        {"inferenceProfileIdentifier": name},
    )


@pytest.mark.parametrize(
    ("profile", "first"),
    [
        (f"us.{CLAUDE}", f"arn:aws:bedrock:us-west-2::foundation-model/{CLAUDE}"),
        # Bedrock refuses this ARN itself, because its region is empty.
        (f"global.{CLAUDE}", f"arn:aws:bedrock:::foundation-model/{CLAUDE}"),
        (
            "arn:aws:bedrock:us-east-1:1:application-inference-profile/p",
            f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}",
        ),
    ],
)
def test_an_inference_profile_leads_to_the_lifecycle_of_its_model(bedrock, profile, first):
    ends = datetime.datetime(2027, 1, 1, tzinfo=datetime.UTC)
    model = f"arn:aws:bedrock:us-east-1::foundation-model/{CLAUDE}"
    _profile(bedrock, profile, first, model)
    bedrock.add_response(
        "get_foundation_model",
        _details(model, {"status": "LEGACY", "endOfLifeTime": ends}, ["INFERENCE_PROFILE"]),
        {"modelIdentifier": CLAUDE},
    )

    assert models.model_facts(bedrock.client, profile) == ModelFacts("LEGACY", ends, on_demand=True)


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFoundException"])
def test_a_profile_whose_model_is_not_listed_here_is_not_said_to_be_absent(bedrock, code):
    _profile(bedrock, f"global.{CLAUDE}", f"arn:aws:bedrock:::foundation-model/{CLAUDE}")
    bedrock.add_client_error("get_foundation_model", code)

    found = account.read(lambda: models.model_facts(bedrock.client, f"global.{CLAUDE}"))

    assert found == NotRead(f"GetFoundationModel: {code}")


def test_a_profile_that_bedrock_does_not_know_is_absent(bedrock):
    bedrock.add_client_error("get_inference_profile", "ResourceNotFoundException")

    assert models.model_facts(bedrock.client, f"us.{CLAUDE}").lifecycle == "ABSENT"


def test_a_model_that_needs_a_profile_is_told(bedrock):
    name = "anthropic.claude-sonnet-4-6"
    bedrock.add_response(
        "get_foundation_model",
        _details(f"arn:aws:bedrock:us-east-1::foundation-model/{name}", {"status": "ACTIVE"}, []),
        {"modelIdentifier": name},
    )

    assert models.model_facts(bedrock.client, name) == ModelFacts("ACTIVE", None, on_demand=False)


def test_a_model_that_is_gone_is_absent(bedrock):
    bedrock.add_client_error("get_foundation_model", "ResourceNotFoundException")

    assert models.model_facts(bedrock.client, "anthropic.claude-3-7-sonnet").lifecycle == "ABSENT"


LISTED = ("amazon.nova-lite-v1:0", f"us.{CLAUDE}")


def lists(bedrock) -> None:
    """Bedrock lists a model and a profile."""
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{LISTED[0]}"
    summary = {"modelId": LISTED[0], "modelArn": arn}
    bedrock.add_response("list_foundation_models", {"modelSummaries": [summary]})
    profile = {
        "inferenceProfileName": "n",
        "inferenceProfileId": LISTED[1],
        "inferenceProfileArn": "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x",
        "models": [{"modelArn": arn}],
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }
    bedrock.add_response("list_inference_profiles", {"inferenceProfileSummaries": [profile]})


@pytest.mark.parametrize("facts", [ModelFacts("ABSENT"), ModelFacts("ACTIVE", on_demand=False)])
def test_what_bedrock_has_is_listed_where_a_model_cannot_be_called(bedrock, facts):
    lists(bedrock)
    assert account.offered({"one": ModelFacts("ACTIVE"), "other": facts}) == LISTED


def test_nothing_is_listed_where_every_model_can_be_called(bedrock):
    assert account.offered({"one": ModelFacts("LEGACY"), "two": NotRead("denied")}) == ()


def test_a_role_without_the_right_to_list_names_nothing(bedrock):
    bedrock.add_client_error("list_foundation_models", "AccessDeniedException")
    assert account.offered({"one": ModelFacts("ABSENT")}) == ()


def test_a_role_that_may_not_list_profiles_names_nothing(bedrock):
    bedrock.add_response("list_foundation_models", {"modelSummaries": []})
    bedrock.add_client_error("list_inference_profiles", "AccessDeniedException")
    facts = ModelFacts("ACTIVE", on_demand=False)
    assert account.offered({"one": facts}) == ()


def _details(arn: str, lifecycle: dict, inference: list[str]) -> dict:
    return {
        "modelDetails": {
            "modelArn": arn,
            "modelId": arn.rsplit("/", 1)[-1],
            "inferenceTypesSupported": inference,
            "modelLifecycle": lifecycle,
        }
    }


def test_the_endpoints_that_the_stack_itself_keeps_are_named(stubbed):
    stub = stubbed("cloudformation")
    updated = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    summaries = [
        {
            "LogicalResourceId": kind,
            "PhysicalResourceId": f"arn:aws:sagemaker:us-east-1:1:{kind.lower()}/nova-judge-dev-m",
            "ResourceType": f"AWS::SageMaker::{kind}",
            "LastUpdatedTimestamp": updated,
            "ResourceStatus": "CREATE_COMPLETE",
        }
        for kind in ("Model", "Endpoint")
    ]
    stub.add_response("list_stack_resources", {"StackResourceSummaries": summaries[1:]})
    stub.add_response("list_stack_resources", {"StackResourceSummaries": summaries[:1]})
    stub.add_client_error("list_stack_resources", "ValidationError")

    assert account.stack_endpoints("dev") == {"nova-judge-dev-m"}
    assert account.stack_endpoints("dev") == set()
    assert account.stack_endpoints("never-deployed") == set()


def test_what_the_recipe_names_and_the_role_may_not_use_is_told(stubbed):
    stub = stubbed("iam")
    image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/nova:v1"
    function = "arn:aws:lambda:us-east-1:1:function:mine"
    recipe = load_recipe(packaged_recipe("scorer-own"), file="scorer-own.yaml")
    judge = msgspec.structs.replace(recipe.judge, scorer=function, image=image)
    for action, decision in (("lambda:InvokeFunction", "allowed"), ("ecr:BatchGetImage", "no")):
        found = {"EvalActionName": action, "EvalDecision": decision}
        stub.add_response("simulate_principal_policy", {"EvaluationResults": [found]})

    refused = account.refused_uses(
        "arn:aws:iam::1:role/judge", msgspec.structs.replace(recipe, judge=judge)
    )

    assert [use.action for use in refused] == ["ecr:BatchGetImage"]


PROVISIONED = "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcd1234efgh"
IMPORTED = "arn:aws:bedrock:us-east-1:111122223333:imported-model/abcd1234efgh"
DEPLOYED = "arn:aws:bedrock:us-east-1:111122223333:custom-model-deployment/abcd1234efgh"


class Bedrock:
    """Answers some calls, and refuses others as Bedrock refuses an id that it cannot describe."""

    def __init__(self, **answers):
        self.answers = answers

    def __getattr__(self, name):
        def call(**_):
            answer = self.answers.get(name, "ValidationException")
            if isinstance(answer, str):
                raise ClientError({"Error": {"Code": answer}}, name)
            return answer

        return call


@pytest.mark.parametrize(
    ("model", "answers", "trouble"),
    [
        (PROVISIONED, {"get_provisioned_model_throughput": {"status": "InService"}}, None),
        (
            PROVISIONED,
            {"get_provisioned_model_throughput": {"status": "Creating"}},
            "its provisioned throughput is Creating, not InService",
        ),
        (DEPLOYED, {"get_custom_model_deployment": {"status": "Active"}}, None),
        (
            DEPLOYED,
            {"get_custom_model_deployment": {"status": "Failed"}},
            "its deployment is Failed, not Active",
        ),
        (IMPORTED, {"get_imported_model": {"instructSupported": True}}, None),
        (
            IMPORTED,
            {"get_imported_model": {"instructSupported": False}},
            "Converse cannot call it: it is not an instruct model",
        ),
    ],
)
def test_a_model_of_the_accounts_own_is_described_by_its_own_call(model, answers, trouble):
    assert models.model_facts(Bedrock(**answers), model) == ModelFacts("ACTIVE", trouble=trouble)


def test_a_geography_that_we_do_not_know_is_asked_for_as_a_profile():
    told = {"models": [{"modelArn": f"arn:aws:bedrock:sa-east-1::foundation-model/{CLAUDE}"}]}
    bedrock = Bedrock(get_inference_profile=told)
    found = account.read(lambda: models.model_facts(bedrock, f"sa.{CLAUDE}"))
    assert found == NotRead("get_foundation_model: ValidationException")


@pytest.mark.parametrize(
    ("answers", "access"),
    [
        ({}, Access()),
        (
            {
                "get_foundation_model_availability": {
                    "agreementAvailability": {"status": "NOT_AVAILABLE"},
                    "authorizationStatus": "AUTHORIZED",
                },
                "get_use_case_for_model_access": "ResourceNotFoundException",
            },
            Access("NOT_AVAILABLE", True, False),
        ),
        (
            {
                "get_foundation_model_availability": {
                    "agreementAvailability": {"status": "AVAILABLE"},
                    "authorizationStatus": "NOT_AUTHORIZED",
                }
            },
            Access("AVAILABLE", False),
        ),
        (
            {"get_foundation_model_availability": {"regionAvailability": "NOT_AVAILABLE"}},
            Access(here=False),
        ),
    ],
)
def test_what_the_account_lacks_is_read_with_the_lifecycle(answers, access):
    described = {"modelDetails": {"modelLifecycle": {"status": "ACTIVE"}}}
    bedrock = Bedrock(get_foundation_model=described, **answers)
    assert models.model_facts(bedrock, CLAUDE).access == access


URI = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.30.0-cu130"


def test_an_image_that_is_there_and_one_that_is_not_are_told_apart(stubbed):
    ecr = stubbed("ecr")
    asked = {"registryId": "763104351884", "repositoryName": "vllm"}
    image = {"imageTag": "0.30.0-cu130"}
    ecr.add_response("batch_get_image", {"images": [{}]}, {**asked, "imageIds": [image]})
    missing = {"imageId": image, "failureCode": "ImageNotFound"}
    ecr.add_response("batch_get_image", {"images": [], "failures": [missing]})
    tags = [{"imageTag": tag} for tag in ("0.9.1", "0.27.1", "0.28.0")]
    ecr.add_response("list_images", {"imageIds": tags})
    ecr.add_client_error("batch_get_image", "RepositoryNotFoundException")

    assert image_facts(ecr.client, URI) == ImageFacts(True)
    assert image_facts(ecr.client, URI) == ImageFacts(False, ("0.28.0", "0.27.1", "0.9.1"))
    assert image_facts(ecr.client, URI) == ImageFacts(False)


def test_a_registry_that_lists_nothing_to_others_still_says_what_is_missing(stubbed):
    ecr = stubbed("ecr")
    ecr.add_response("batch_get_image", {"images": [], "failures": []})
    ecr.add_client_error("list_images", "AccessDeniedException")

    assert image_facts(ecr.client, URI) == ImageFacts(False)


def paged(monkeypatch, pages):
    """Puts pages of Service Quotas in place; those that were read."""
    read = []

    class Client:
        def get_paginator(self, _):
            return self

        def paginate(self, **_):
            for page in pages:
                read.append(page)
                yield {"Quotas": [{"QuotaName": name, "Value": 1.0} for name in page]}

    monkeypatch.setattr(aws_clients, "impatient", lambda _: Client())
    return read


def test_quotas_are_listed_until_all_that_are_needed_were_seen(monkeypatch):
    recipe = load_recipe(packaged_recipe("rubric"), file="rubric.yaml")
    served = endpoint_instances(asked_models(recipe).values()).values()
    training = [f"{kind} {TRAINING}" for kind in recipe.judge.instance_types]
    endpoint = [f"{kind} {ENDPOINT}" for kinds in served for kind in kinds]
    read = paged(monkeypatch, [["a", *training], endpoint, ["never"]])

    assert account.quotas_of_account(recipe) == dict.fromkeys(training + endpoint, 1.0)
    assert len(read) == 1 + bool(endpoint)


def test_service_quotas_that_take_too_long_are_not_waited_for(monkeypatch):
    recipe = load_recipe(packaged_recipe("rubric"), file="rubric.yaml")
    read = paged(monkeypatch, [["a"]] * 35)
    clock = iter(range(0, 1000, 2))
    monkeypatch.setattr(account.time, "monotonic", lambda: float(next(clock)))

    found = account.quotas_of_account(recipe)

    assert found == NotRead("Service Quotas did not list all within 20 s")
    assert len(read) == 11
