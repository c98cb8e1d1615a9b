"""What stacks write as environment is what functions read; a stage says what it means."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas import settings
from lambdas.settings import FunctionSettings, JobSettings, environment, load
from nova_judge.errors import SettingsError
from stacks.config import StageConfig, stage_config

KINDS = sorted(
    (
        kind
        for kind in vars(settings).values()
        if isinstance(kind, type) and issubclass(kind, FunctionSettings)
    ),
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", KINDS)
@given(st.data())
def test_every_setting_arrives_as_it_was_sent(kind, data):
    values = {str: st.text(min_size=1, max_size=9), int: st.integers()}
    sent = kind(
        **{field.name: data.draw(values[field.type]) for field in msgspec.structs.fields(kind)}
    )
    written = environment(sent)
    assert all(name.isupper() for name in written)
    assert load(kind, written) == sent


@pytest.mark.parametrize("kind", KINDS)
def test_every_missing_variable_is_named_at_once(kind):
    needed = [field.encode_name for field in msgspec.structs.fields(kind) if field.required]
    with pytest.raises(SettingsError) as missing:
        load(kind, {needed[0]: ""})
    assert all(name in str(missing.value) for name in needed)


def test_what_is_empty_is_no_variable_that_could_hide_the_accounts_own():
    planning = JobSettings(
        stage="dev", data_bucket="b", runs_table="t", job_prefix="p", job_role_arn="r"
    )
    assert not any(name.startswith("STAND_IN") for name in environment(planning))


def test_the_functions_environment_is_what_is_read(monkeypatch):
    for name, value in (("STAGE", "dev"), ("DATA_BUCKET", "b"), ("RUNS_TABLE", "t")):
        monkeypatch.setenv(name, value)
    assert load(FunctionSettings) == FunctionSettings(stage="dev", data_bucket="b", runs_table="t")


# --- a stage in cdk.json -----------------------------------------------------------------------


def test_a_stage_is_what_it_says_and_defaults_else():
    stage = stage_config(
        "prod", {"prod": {"retain_data": True, "endpoint_models": ["qwen2.5-7b-instruct"]}}
    )
    assert stage == StageConfig(
        name="prod", retain_data=True, endpoint_models=("qwen2.5-7b-instruct",)
    )
    assert stage.prefix == "nova-judge-prod"


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("qa", {}, "stage 'qa' is not among dev"),
        ("Dev", {}, "must be 1-8 lower-case letters"),
        ("a-b", {}, "must be 1-8 lower-case letters"),
        ("ninechars", {}, "must be 1-8 lower-case letters"),
        (
            "dev",
            {"retain": True},
            r"dev: retain: unknown key; .* Did you mean 'retain_data'",
        ),
        ("dev", {"name": "x"}, r"stages\.dev: name: unknown key"),
        ("dev", {"retain_data": "yes"}, r"retain_data: found 'yes'; expected `bool`"),
        ("dev", {"bundle_dependencies": 1}, "bundle_dependencies: found 1; expected `bool`"),
        ("dev", {"log_retention_days": "30"}, "log_retention_days: found '30'; expected `int`"),
        ("dev", {"log_retention_days": True}, "log_retention_days: found True; expected `int`"),
        (
            "dev",
            {"endpoints": "sometimes"},
            "'sometimes'; allowed: on_demand, always_on",
        ),
        ("dev", {"endpoint_models": "qwen"}, "endpoint_models: found 'qwen'; expected `array`"),
        ("dev", {"notify_emails": 5}, "notify_emails: found 5; expected"),
    ],
)
def test_a_wrong_stage_is_refused_with_what_is_allowed(name, values, words):
    stages = {"dev": values} if name == "qa" else {name: values}
    with pytest.raises(SettingsError, match=words):
        stage_config(name, stages)


def test_every_setting_of_a_stage_has_its_type_checked():
    for field in msgspec.structs.fields(StageConfig):
        if field.name != "name":
            with pytest.raises(SettingsError, match=field.name):
                stage_config("dev", {"dev": {field.name: object()}})
