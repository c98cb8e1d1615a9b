"""A stage in which one thing is wrong breaks a rule, whatever that thing is."""

import pytest

from tests.hostile import function_rights, machine_rules, stage_rules
from tests.hostile.mutants import mutants
from tests.hostile.stage_rules import Stage
from tests.infrastructure.conftest import definition_of, synthesized  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def stage(synthesized) -> Stage:  # noqa: F811
    types = {
        resource["Type"]
        for template in synthesized.raw.values()
        for resource in template["Resources"].values()
    }
    return Stage({kind: synthesized.resources(kind) for kind in types}, definition_of(synthesized))


def problems(stage: Stage) -> list[str]:
    rules = (stage_rules, machine_rules, function_rights)
    return [fault for rule in rules for fault in rule.problems(stage)]


def test_the_stage_breaks_no_rule(stage):
    assert problems(stage) == []


def test_every_mutant_breaks_a_rule(stage):
    tried = list(mutants(stage))
    assert len(tried) >= 200
    assert [mutant.name for mutant in tried if not problems(mutant.stage)] == []
