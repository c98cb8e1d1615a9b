"""One synthesis serves every partition of AWS, and what a partition lacks is refused beforehand."""

import botocore.session
import pytest

from nova_judge.errors import SettingsError
from nova_judge.partitions import partition_of
from nova_judge.recipe import catalog
from stacks.config import BEDROCK_LESS, check_offered, stage_config
from tests.infrastructure.conftest import ROOT, RULES
from tests.infrastructure.test_stacks import texts

STAGES = {"gov": {}, "china": {}, "ruled": RULES}


@pytest.mark.parametrize(
    ("stage", "region", "partition"),
    [("gov", "us-gov-west-1", "aws-us-gov"), ("china", "cn-north-1", "aws-cn")],
)
def test_no_template_names_another_partition(synthesize, stage, region, partition):
    templates = synthesize(stage_config(stage, STAGES), region)
    said = [text for template in templates.raw.values() for text in texts(template)]

    arns = {part.split(":")[1] for text in said for part in text.split() if "arn:" in part}
    assert not any("arn:aws:" in text for text in said)
    assert partition in {text for text in said for text in text.split(":")} | arns


def test_no_template_that_serves_every_region_names_a_partition(synthesized):
    said = [text for template in synthesized.raw.values() for text in texts(template)]

    assert not any("arn:aws" in text for text in said)
    assert not any("dkr.ecr" in text and "amazonaws" in text for text in said)


@pytest.mark.parametrize("region", catalog.images().serving.accounts)
def test_partitions_are_those_of_the_sdk(region):
    session = botocore.session.get_session()
    name = session.get_partition_for_region(region)
    suffix = session.get_component("endpoint_resolver").get_partition_dns_suffix(name)

    assert partition_of(region)[:2] == (name, suffix)


def test_where_bedrock_is_missing_is_what_the_sdk_knows():
    session = botocore.session.get_session()
    partitions = session.get_available_partitions()

    without = [name for name in partitions if not session.get_available_regions("bedrock", name)]
    assert sorted(without) == sorted(BEDROCK_LESS)


@pytest.mark.parametrize("region", ["us-east-1", "us-gov-west-1", "eusc-de-east-1"])
def test_a_stage_may_be_deployed_where_something_can_judge(region):
    check_offered(stage_config("gov", STAGES), region)


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("cn-north-1", "aws-cn, where AWS offers neither Amazon Bedrock nor Nova's evaluation"),
        ("aa-new-1", "Set stages.gov.endpoint_models to \\[\\] in cdk.json"),
    ],
)
def test_what_a_region_lacks_is_refused_with_a_sentence(region, words):
    with pytest.raises(SettingsError, match=words):
        check_offered(stage_config("gov", STAGES), region)


def test_without_models_to_serve_there_is_no_stack_of_endpoints(synthesize):
    stage = stage_config("gov", {"gov": {"endpoint_models": []}})
    check_offered(stage, "aa-new-1")

    assert set(synthesize(stage).raw) == {"Storage", "Results", "Evaluation"}


EXAMPLE = "nova-judge scorers register"


@pytest.mark.parametrize("folder", ["nova_judge", "lambdas", "stacks"])
def test_no_line_of_code_writes_a_partition_down(folder):
    sources = [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.yaml")]
    assert len(sources) > 5
    found = [
        f"{path.name}: {line.strip()}"
        for path in sources
        for line in path.read_text("utf-8").splitlines()
        if ("arn:aws:" in line or ("dkr.ecr." in line and ".amazonaws" in line))
        and EXAMPLE not in line
    ]
    assert found == []
