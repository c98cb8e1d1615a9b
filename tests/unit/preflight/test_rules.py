import datetime

import msgspec
import pytest

from nova_judge import __version__
from nova_judge.check import NotRead
from nova_judge.errors import PreflightError
from nova_judge.inputs.reading import AnswerSources
from nova_judge.kinds.recipes import load_recipe
from nova_judge.preflight.images import ImageFacts, RoleUse, role_uses
from nova_judge.preflight.input_head import input_check
from nova_judge.preflight.model_check import Access, ModelFacts, model_check
from nova_judge.preflight.rules import (
    STACK_PARTS,
    Facts,
    account_checks,
    require,
)
from nova_judge.recipe.files import packaged_recipe
from nova_judge.recipe.recipe import Recipe

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
GENERATED = AnswerSources("generated", "generated")
CLAUDE = "us.anthropic.claude-sonnet-4-6"
MIXED = load_recipe(packaged_recipe("qwen-vs-claude"), file="qwen-vs-claude.yaml")
JUDGE_QUOTA = "ml.g5.12xlarge for training job usage"
TRAINING = {JUDGE_QUOTA: 1.0}


def endpoint_quotas(counts: dict[str, float]) -> dict[str, float]:
    return {f"{kind} for endpoint usage": count for kind, count in counts.items()}


ENDPOINTS = endpoint_quotas({"ml.g5.xlarge": 2.0, "ml.g5.2xlarge": 0.0})


def facts(**changes) -> Facts:
    values = {
        "region": "us-east-1",
        "caller": "arn:aws:iam::123456789012:user/someone",
        "stacks": dict.fromkeys(STACK_PARTS, __version__),
        "quotas": TRAINING | ENDPOINTS,
        "models": {CLAUDE: ModelFacts("ACTIVE")},
        "job_role_trust": ("bedrock.amazonaws.com", "sagemaker.amazonaws.com"),
        "denied": (),
        "bucket_sends_events": True,
    }
    return Facts(**(values | changes))


def checked(changed: Facts, asked=("A", "B")) -> dict[str, tuple[str, str]]:
    checks = account_checks(changed, MIXED, NOW, asked)
    return {check.name: (check.status, f"{check.finding} | {check.advice}") for check in checks}


def test_a_ready_account_passes_every_check():
    statuses = {status for status, _ in checked(facts()).values()}

    assert statuses == {"pass"}
    require(account_checks(facts(), MIXED, NOW))


@pytest.mark.parametrize(
    ("changes", "name", "status", "words"),
    [
        ({"region": None}, "credentials", "fail", "AWS_REGION"),
        ({"caller": NotRead("NoCredentials")}, "credentials", "fail", "aws sso login"),
        (
            {"stacks": {}, "stage": "prod"},
            "stacks",
            "fail",
            "Evaluation, Results | `make deploy STAGE=prod`",
        ),
        (
            {"stacks": dict.fromkeys(STACK_PARTS, "0.0.1")},
            "stacks",
            "warn",
            "with version 0.0.1, this is",
        ),
        ({"stacks": NotRead("AccessDenied")}, "stacks", "not run", "AccessDenied"),
        ({"region": "eu-west-1"}, "judge image", "fail", "regions with one: us-east-1"),
        (
            {"quotas": ENDPOINTS | {JUDGE_QUOTA: 0.0}},
            "ml.g5.12xlarge for training job usage",
            "fail",
            "may run 0, 1 needed | request an increase at https://",
        ),
        (
            {"quotas": ENDPOINTS},
            "ml.g5.12xlarge for training job usage",
            "not run",
            "does not list",
        ),
        (
            {"quotas": ENDPOINTS | {"ml.g5.12xlarge for spot training job usage": 7.0}},
            "ml.g5.12xlarge for training job usage",
            "not run",
            "does not list",
        ),
        (
            {"quotas": NotRead("AccessDenied")},
            "ml.g5.12xlarge for training job usage",
            "not run",
            "AccessDenied",
        ),
        (
            {"quotas": TRAINING | endpoint_quotas({"ml.g5.xlarge": 0.0, "ml.g6.xlarge": 1.0})},
            "ml.g5.xlarge for endpoint usage (qwen2.5-1.5b-instruct)",
            "warn",
            "ml.g6.xlarge for endpoint usage (qwen2.5-1.5b-instruct) will do",
        ),
        (
            {"quotas": TRAINING | endpoint_quotas({"ml.g5.xlarge": 0.0})},
            "ml.g5.xlarge for endpoint usage (qwen2.5-1.5b-instruct)",
            "fail",
            "request an increase",
        ),
        ({"models": {CLAUDE: ModelFacts("ABSENT")}}, CLAUDE, "fail", "does not offer it here"),
        (
            {"models": {CLAUDE: ModelFacts("ABSENT")}, "offered_models": (f"us.{CLAUDE}", "other")},
            CLAUDE,
            "fail",
            f"does not offer it here. Did you mean us.{CLAUDE}?",
        ),
        (
            {
                "models": {CLAUDE: ModelFacts("ACTIVE", on_demand=False)},
                "offered_models": (f"eu.{CLAUDE}", "other"),
            },
            CLAUDE,
            "fail",
            f"write eu.{CLAUDE}",
        ),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", NOW - datetime.timedelta(days=1))}},
            CLAUDE,
            "fail",
            "since 2026-11-20",
        ),
        (
            {"models": {CLAUDE: ModelFacts("LEGACY", NOW + datetime.timedelta(days=200))}},
            CLAUDE,
            "warn",
            "it is legacy and ends on 2027-06-09",
        ),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", NOW + datetime.timedelta(days=9))}},
            CLAUDE,
            "warn",
            "ends on 2026-11-30",
        ),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", on_demand=False)}},
            CLAUDE,
            "fail",
            "inference profile only",
        ),
        ({"models": None}, CLAUDE, "not run", "models were not read"),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", access=Access("NOT_AVAILABLE", True, False))}},
            CLAUDE,
            "warn",
            "no agreement for it yet (NOT_AVAILABLE) | once, somebody with aws-marketplace:Subscrib"
            "e calls it in Bedrock's playground, and fills in Anthropic's use-case form",
        ),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", access=Access("AVAILABLE", False))}},
            CLAUDE,
            "fail",
            "not authorized to call it (NOT_AUTHORIZED) | look for a service control policy",
        ),
        (
            {
                "models": {
                    CLAUDE: ModelFacts("ACTIVE", access=Access("AVAILABLE", True, here=False))
                }
            },
            CLAUDE,
            "warn",
            "this region does not have it (regionAvailability NOT_AVAILABLE) | name a profile",
        ),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", access=Access("AVAILABLE", True))}},
            CLAUDE,
            "pass",
            "",
        ),
        (
            {"models": {CLAUDE: ModelFacts("ACTIVE", trouble="its deployment is Creating")}},
            CLAUDE,
            "fail",
            "its deployment is Creating | wait until it is ready",
        ),
        (
            {"images": {"serving image (vllm)": ImageFacts(False, ("0.27.1", "0.26.0"))}},
            "serving image (vllm)",
            "fail",
            "in this region; it has 0.27.1, 0.26.0 | name one that is there in nova_judge/data",
        ),
        (
            {"images": {"judge image": ImageFacts(False)}},
            "judge image",
            "fail",
            "has no image SM-TJ-Eval-latest in this region | name one that is there in judge.im",
        ),
        (
            {"images": {"judge image": NotRead("BatchGetImage: AccessDenied")}},
            "judge image",
            "not run",
            "BatchGetImage: AccessDenied",
        ),
        (
            {"stacks": dict.fromkeys(("Storage", "Evaluation", "Results"), __version__)},
            "stacks",
            "fail",
            "not deployed: Endpoints",
        ),
        ({"job_role_trust": ("ec2.amazonaws.com",)}, "judge role trust", "fail", "sagemaker"),
        ({"denied": ("s3:PutObject",)}, "judge role permissions", "fail", "may not s3:PutObject"),
        ({"denied": NotRead("AccessDenied")}, "judge role permissions", "not run", "Denied"),
        (
            {"refused": (RoleUse("lambda:InvokeFunction", "arn:mine", "scorer_functions"),)},
            "judge role and recipe",
            "fail",
            "may not lambda:InvokeFunction on arn:mine | add it to scorer_functions of the stage",
        ),
        ({"refused": NotRead("AccessDenied")}, "judge role and recipe", "not run", "Denied"),
        ({"bucket_sends_events": False}, "bucket notifications", "fail", "starts nothing"),
    ],
)
def test_each_fault_is_found_by_its_check_with_what_to_do(changes, name, status, words):
    found, said = checked(facts(**changes))[name]

    assert found == status
    assert words in said


def test_an_image_that_only_the_sdk_names_is_a_warning():
    recipe = load_recipe(packaged_recipe("rubric"), file="rubric.yaml")

    checks = account_checks(facts(region="us-west-2"), recipe, NOW)
    image = next(check for check in checks if check.name == "judge image")
    assert image.status == "warn"


def test_candidates_that_are_not_asked_need_no_quota_and_no_model():
    names = set(checked(facts(models=None, quotas=TRAINING), asked=()))

    assert CLAUDE not in names
    assert not any("endpoint usage" in name for name in names)


def test_a_judge_is_checked_as_a_candidate_of_the_same_source_is():
    weights = "{weights: 's3://mine/w/', instance_types: [ml.g5.xlarge]}"
    judges = {"own": weights, "served": "{endpoint: qwen2.5-7b-instruct}", "it": "{endpoint: x}"}
    panel = "\n".join(f"    {name}: {model}" for name, model in judges.items())
    recipe = load_recipe(f"kind: model_judge\njudge:\n  panel:\n{panel}\n", file="own.yaml")
    known = facts(
        quotas=endpoint_quotas({"ml.g5.xlarge": 0.0, "ml.g5.2xlarge": 1.0}),
        endpoints={"x": None},
    )
    checks = {check.name: check for check in account_checks(known, recipe, NOW, asked=())}
    assert checks["endpoint x"].status == "fail"
    quotas = {name: check.status for name, check in checks.items() if "endpoint usage" in name}
    assert sorted(quotas.values()) == ["fail", "pass"]
    assert any(name.startswith("serving image") for name in checks)


def test_a_check_that_could_not_be_run_stops_nothing():
    unread = facts(quotas=NotRead("x"), models=None, denied=NotRead("x"))

    require(account_checks(unread, MIXED, NOW))


def test_failed_checks_stop_the_run_and_are_all_named():
    broken = facts(bucket_sends_events=False, denied=("s3:GetObject",))

    with pytest.raises(PreflightError) as caught:
        require(account_checks(broken, MIXED, NOW))
    assert "judge role permissions: may not s3:GetObject" in str(caught.value)
    assert "bucket notifications:" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b'{"prompt": "a"}\n', "pass", "1 usable row"),
        (b'{"prompt": "a"}\nnot json\n', "warn", "1 unusable (line 2"),
        (b'{"question": "a"}\n', "fail", "no usable row: line 1: field `prompt` is missing"),
        (b"", "fail", "no line"),
        (b'{"prompt": "' + b"x" * 40_000 + b'"}\n', "warn", "about 10,000 tokens"),
    ],
)
def test_the_head_of_the_input_is_checked(content, status, words):
    check = input_check(content, len(content), GENERATED)

    assert check.status == status
    assert words in check.finding


def test_a_line_cut_by_the_end_of_the_head_is_no_fault():
    content = b'{"prompt": "a"}\n' * 100

    assert input_check(content[:250], len(content), GENERATED).status == "pass"


FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:SageMaker-my-scorer"


def with_judge(name: str, **changes) -> Recipe:
    recipe = load_recipe(packaged_recipe(name), file=f"{name}.yaml")
    judge = msgspec.structs.replace(recipe.judge, **changes)
    return msgspec.structs.replace(recipe, judge=judge)


@pytest.mark.parametrize("scorer", ["numeric_answer", "prime_math", None])
def test_what_ships_is_not_asked_for(scorer):
    assert role_uses(with_judge("scorer-own", scorer=scorer, image="SM-TJ-Eval-V2-latest")) == ()


def test_a_function_named_by_its_arn_is_invoked():
    assert role_uses(with_judge("scorer-own", scorer=FUNCTION)) == (
        RoleUse("lambda:InvokeFunction", FUNCTION, "scorer_functions"),
    )


@pytest.mark.parametrize("version", [":v1", "@sha256:00", ""])
@pytest.mark.parametrize(
    ("registry", "place"),
    [
        ("1" * 12 + ".dkr.ecr.eu-west-1.amazonaws.com", "aws:ecr:eu-west-1"),
        ("1" * 12 + ".dkr.ecr.us-gov-west-1.amazonaws.com", "aws-us-gov:ecr:us-gov-west-1"),
        ("1" * 12 + ".dkr.ecr.cn-north-1.amazonaws.com.cn", "aws-cn:ecr:cn-north-1"),
    ],
)
def test_a_full_image_uri_is_pulled_from_its_repository(registry, place, version):
    (use,) = role_uses(with_judge("pairwise", image=f"{registry}/team/nova{version}"))

    assert use.resource == f"arn:{place}:111111111111:repository/team/nova"
    assert (use.action, use.key) == ("ecr:BatchGetImage", "judge_image_repositories")


def test_a_file_is_checked_as_its_recipe_reads_it():
    content = b'{"query": "q", "response": "r"}\n'
    own = load_recipe(packaged_recipe("own-data"), file="own-data.yaml")

    assert input_check(content, len(content), GENERATED, own).status == "pass"
    assert input_check(content, len(content), GENERATED).status == "fail"


@pytest.mark.parametrize(
    ("region", "advice"),
    [
        ("us-east-1", "write us.m or global.m"),
        ("us-gov-west-1", "write us-gov.m"),
        ("ca-central-1", "write ca.m or us.m or global.m"),
        ("eu-central-1", "write eu.m or global.m"),
        ("ap-northeast-1", "write jp.m or apac.m or global.m"),
        ("ap-southeast-2", "write au.m or apac.m or global.m"),
        ("ap-south-1", "write apac.m or global.m"),
        ("sa-east-1", "write global.m"),
    ],
)
def test_a_profile_of_the_region_s_own_geography_is_proposed(region, advice):
    check = model_check("m", ModelFacts("ACTIVE", on_demand=False), NOW, region=region)
    assert (check.status, check.advice) == ("fail", advice)


@pytest.mark.parametrize("facts", [ModelFacts("ACTIVE"), NotRead("GetFoundationModel: …")])
def test_an_arn_of_another_region_is_warned_of(facts):
    """It passed, and the run's first call was refused."""
    name = "arn:aws:bedrock:eu-west-1:111122223333:provisioned-model/abcd1234efgh"
    check = model_check(name, facts, NOW, region="us-east-1")
    assert (check.status, check.finding) == (
        "warn",
        "its ARN is of eu-west-1, where this asks us-east-1",
    )
    assert model_check(name, ModelFacts("ACTIVE"), NOW, region="eu-west-1").status == "pass"
