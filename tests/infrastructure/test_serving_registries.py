"""AWS's serving images are found in every region, also where the CDK does not know them."""

import pytest

from nova_judge.recipe import catalog

ACCOUNTS = catalog.images().serving.accounts


@pytest.mark.parametrize("region", ["us-east-1", "af-south-1", "ca-west-1", "il-central-1"])
def test_the_template_knows_the_registry_of_the_region(synthesized, region):
    registries = synthesized.raw["Endpoints"]["Mappings"]["ServingRegistries"]
    assert registries[region] == {"account": ACCOUNTS[region]}
    assert len(ACCOUNTS[region]) == 12


def test_what_the_cdk_knows_is_what_we_say():
    from aws_cdk import region_info

    known = {
        found.name: found.dlc_repository_account
        for found in region_info.RegionInfo.regions
        if found.dlc_repository_account
    }
    assert known.items() <= ACCOUNTS.items()
