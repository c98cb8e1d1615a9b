"""What the stacks promise: nothing public, nothing lost, nothing tied to one account or stage."""

import fnmatch
import json
import re
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest
import ryaml

from lambdas import settings
from nova_judge import errors
from nova_judge.layout import INBOX, UNSTARTED
from nova_judge.recipe import catalog
from stacks.config import stage_config
from tests.infrastructure.conftest import ROOT, Templates

CONTEXT = json.loads((ROOT / "cdk.json").read_text())["context"]
DEFINITION = ROOT / "stacks" / "evaluation.asl.yaml"
ACCOUNT = re.compile(r"(?<![0-9a-f])\d{12}(?![0-9a-f])")
REGION = re.compile(r"\b(?:us|eu|ap|ca|sa|me|af|il)-[a-z]+-\d\b")
NO_NAMES = {"MetricName", "DisplayName", "PolicyName"}
REFERENCE = re.compile(r"\$\{(\w+)\}")


@pytest.fixture(scope="session")
def dev(synthesize) -> Templates:
    return synthesize(stage_config("dev", CONTEXT["stages"]))


@pytest.fixture(scope="session")
def local(synthesize) -> Templates:
    return synthesize(stage_config("local", CONTEXT["stages"]))


def every(templates: Templates):
    """(part, logical id, resource) of all stacks."""
    for part, template in templates.raw.items():
        for name, resource in template["Resources"].items():
            yield part, name, resource


def texts(value) -> list[str]:
    if isinstance(value, dict):
        return [text for key, inner in value.items() for text in (key, *texts(inner))]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


# --- storage -----------------------------------------------------------------------------------


def test_every_bucket_is_encrypted_versioned_private_and_takes_tls_only(synthesized):
    buckets = synthesized.resources("AWS::S3::Bucket")
    policies = synthesized.resources("AWS::S3::BucketPolicy")
    assert len(buckets) == 2
    for name, bucket in buckets.items():
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        (policy,) = (p for p in policies.values() if p["Bucket"] == name.split("/")[1])
        denied = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denied]
        assert all(s["Principal"] == {"AWS": "*"} for s in denied)


def test_the_data_bucket_tells_eventbridge_of_every_object(synthesized):
    on = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    buckets = synthesized.resources("AWS::S3::Bucket").items()
    (told,) = (name for name, bucket in buckets if bucket.get("NotificationConfiguration") == on)
    assert told.startswith("Storage/Data")


def test_uploads_that_were_given_up_and_old_runs_do_not_stay_for_ever(synthesized):
    for name, bucket in synthesized.resources("AWS::S3::Bucket").items():
        rules = bucket["LifecycleConfiguration"]["Rules"]
        assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
        expiring = {rule.get("Prefix") for rule in rules if "ExpirationInDays" in rule}
        is_data = name.startswith("Storage/Data")
        # What users put there is theirs to delete.
        assert expiring == ({"answers/", "runs/"} if is_data else {None})


@pytest.mark.parametrize(("stage", "policy"), [("synthesized", "Retain"), ("dev", "Delete")])
def test_a_stage_that_retains_its_data_keeps_buckets_and_table(stage, policy, request):
    holding_data = {"AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable"}
    kept = {
        name: {resource["DeletionPolicy"], resource["UpdateReplacePolicy"]}
        for _, name, resource in every(request.getfixturevalue(stage))
        if resource["Type"] in holding_data
    }
    (logs,) = (name for name in kept if name.startswith("AccessLogs"))
    # It is written to for hours after the data bucket was emptied: deleting it would fail.
    assert kept.pop(logs) == {"Retain"}
    assert list(kept.values()) == [{policy}, {policy}]


def test_only_storage_holds_data(synthesized):
    stateful = {"AWS::S3::Bucket", "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table"}
    assert {part for part, _, r in every(synthesized) if r["Type"] in stateful} == {"Storage"}


def test_the_runs_table_can_be_restored_and_is_found_by_the_runs_id(synthesized):
    (table,) = synthesized.resources("AWS::DynamoDB::GlobalTable").values()
    assert table["KeySchema"] == [{"AttributeName": "run_id", "KeyType": "HASH"}]
    (replica,) = table["Replicas"]
    assert replica["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True


# --- functions ---------------------------------------------------------------------------------


def functions(templates: Templates) -> dict[str, dict]:
    return templates.resources("AWS::Lambda::Function")


def test_every_function_is_traced_limited_and_logs_for_a_while(synthesized):
    groups = synthesized.resources("AWS::Logs::LogGroup")
    assert len(functions(synthesized)) >= 8
    for name, function in functions(synthesized).items():
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert 3 < function["Timeout"] <= 900
        assert function["MemorySize"] >= 256
        group = function["LoggingConfig"]["LogGroup"]
        assert groups[f"{name.split('/')[0]}/{group}"]["RetentionInDays"] == 365


def test_every_log_follows_the_stage(synthesized, dev):
    for templates, days in ((synthesized, 365), (dev, 30)):
        groups = templates.resources("AWS::Logs::LogGroup").values()
        assert {group["RetentionInDays"] for group in groups} == {days}


def test_every_handler_is_there_and_reads_what_its_function_is_given(synthesized):
    for name, function in functions(synthesized).items():
        module, _, attribute = function["Handler"].rpartition(".")
        source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
        assert f"def {attribute}(" in source, name
        record = re.search(r"load\((\w+)\)", source)
        if record is not None:
            given = function["Environment"]["Variables"]
            assert settings.load(getattr(settings, record[1]), given)


def test_every_stage_but_the_local_one_brings_its_dependencies(local, tmp_path, monkeypatch):
    import aws_cdk as cdk

    import app
    from stacks.constructs import python_function

    def pretend(_: object, output_dir: str, *__: object, **___: object) -> bool:
        (Path(output_dir) / "python").mkdir()
        return True

    monkeypatch.setattr(python_function._Dependencies, "try_bundle", pretend)
    built = cdk.App(context=CONTEXT, outdir=str(tmp_path))
    app.build(built, stage_config("dev", CONTEXT["stages"]))
    built.synth()
    templates = Templates(tmp_path)

    assert templates.resources("AWS::Lambda::LayerVersion")
    assert all(len(function["Layers"]) == 1 for function in functions(templates).values())
    assert not any("Layers" in function for function in functions(local).values())


# --- events ------------------------------------------------------------------------------------


def rule(templates: Templates, begins: str) -> dict:
    rules = templates.resources("AWS::Events::Rule").items()
    (found,) = (r for name, r in rules if name.split("/")[1].startswith(begins))
    return found


def test_a_file_below_the_inbox_starts_the_state_machine(synthesized):
    started = rule(synthesized, "StartOnUpload")
    pattern = started["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.s3"], ["Object Created"])
    (key,) = pattern["detail"]["object"]["key"]
    assert key.keys() == {"anything-but"}
    left_out = [fnmatch.translate(one) for one in key["anything-but"]["wildcard"]]

    def starts(name: str) -> bool:
        return not any(re.match(one, name) for one in left_out)

    for name in ("questions.jsonl", "questions", "a/b.c/d.parquet", "_mine.jsonl", "ü ü.jsonl"):
        assert starts(f"{INBOX}pairwise/{name}"), name
    for name in (*("", "v1.0/", ".DS_Store", ".part.jsonl", "_temporary/0/part-0000.jsonl"),):
        assert not starts(f"{INBOX}pairwise/{name}"), name
    for key in ("recipes/mine.yaml", "runs/r/request.json", "answers/m/x", f"{UNSTARTED}x.jsonl"):
        assert not starts(key), key
    assert "reason" not in pattern["detail"]
    (target,) = started["Targets"]
    assert ":stateMachine:" in target["Arn"]
    assert target["InputPath"] == "$.detail"


def test_the_end_of_a_judge_job_of_this_stage_starts_the_results_processor(synthesized):
    processed = rule(synthesized, "ProcessOnJobEnd")
    assert processed["EventPattern"] == {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Training Job State Change"],
        "detail": {
            "TrainingJobName": [{"prefix": "nova-judge-prod-"}],
            "TrainingJobStatus": ["Completed", "Failed", "Stopped"],
        },
    }
    assert "ProcessResults" in processed["Targets"][0]["Arn"]


def test_an_execution_that_runs_no_catch_is_cleaned_up_after(synthesized):
    pattern = rule(synthesized, "CleanUpAfterAbort")["EventPattern"]
    assert pattern["detail"]["status"] == ["ABORTED", "FAILED", "TIMED_OUT"]
    (machine,) = pattern["detail"]["stateMachineArn"]
    assert ":stateMachine:" in machine


def test_an_event_that_cannot_be_delivered_is_kept(synthesized):
    queues = synthesized.resources("AWS::SQS::Queue")
    for name, found in synthesized.resources("AWS::Events::Rule").items():
        for target in found["Targets"]:
            queue = target["DeadLetterConfig"]["Arn"].rsplit(":", 1)[-1]
            assert f"{name.split('/')[0]}/{queue}" in queues
    assert {queue["MessageRetentionPeriod"] for queue in queues.values()} == {14 * 86_400}


def test_what_waits_as_a_dead_letter_is_told(synthesized):
    queues = synthesized.resources("AWS::SQS::Queue")
    watched = set()
    for alarm in synthesized.resources("AWS::CloudWatch::Alarm").values():
        (action,) = alarm["AlarmActions"]
        assert ":sns:" in action
        if alarm["Namespace"] != "AWS/SQS":
            continue  # a measure of ours
        assert (alarm["MetricName"], alarm["Threshold"]) == (
            "ApproximateNumberOfMessagesVisible",
            1,
        )
        watched |= {dimension["Value"] for dimension in alarm["Dimensions"]}
    assert len(watched) == len(queues) == 2
    (policy,) = synthesized.resources("AWS::SNS::TopicPolicy").values()
    (let_in,) = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert let_in["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert let_in["Condition"]["StringEquals"].keys() == {"aws:SourceAccount"}


def test_an_event_that_a_function_cannot_use_is_kept(synthesized):
    kept = {
        config["FunctionName"]: config["DestinationConfig"]["OnFailure"]["Destination"]
        for config in synthesized.resources("AWS::Lambda::EventInvokeConfig").values()
    }
    for begins in ("ProcessResults", "RecordFailure", "WatchdogWatchEndpoints"):
        assert any(name.startswith(begins) and ":sqs:" in kept[name] for name in kept)


# --- the state machine -------------------------------------------------------------------------


def states(machine: dict) -> dict[str, dict]:
    """All states, those inside maps and branches too."""
    found = dict(machine["States"])
    for state in machine["States"].values():
        inner = [state[key] for key in ("ItemProcessor",) if key in state]
        for sub in (*inner, *state.get("Branches", ())):
            found |= states(sub)
    return found


def scopes(machine: dict):
    """Every set of states that may name one another."""
    yield machine
    for state in machine["States"].values():
        inner = [state[key] for key in ("ItemProcessor",) if key in state]
        for sub in (*inner, *state.get("Branches", ())):
            yield from scopes(sub)


def targets(state: dict) -> set[str]:
    named = {state.get("Next"), state.get("Default")}
    named |= {choice["Next"] for choice in state.get("Choices", ())}
    named |= {catch["Next"] for catch in state.get("Catch", ())}
    return named - {None}


@pytest.fixture(scope="module")
def source() -> dict:
    return ryaml.loads(DEFINITION.read_text("utf-8"))


def test_the_template_holds_the_definition_as_it_stands_in_the_file(source, synthesized):
    machines = synthesized.resources("AWS::StepFunctions::StateMachine")
    (machine,) = (m for name, m in machines.items() if name.startswith("Evaluation/Evaluation"))
    assert json.loads(machine["DefinitionString"]) == source


def test_every_name_that_the_definition_leaves_open_is_filled_in_and_used(source, synthesized):
    machines = synthesized.resources("AWS::StepFunctions::StateMachine")
    (machine,) = (m for name, m in machines.items() if name.startswith("Evaluation/Evaluation"))
    left_open = set(REFERENCE.findall(machine["DefinitionString"]))
    assert left_open <= set(machine["DefinitionSubstitutions"])


def test_what_the_rule_cannot_tell_apart_is_nobodys_wish(source):
    """EventBridge cannot ask for "below inbox/" and leave markers out at the same time."""
    first = source["States"][source["StartAt"]]
    (choice,) = first["Choices"]
    is_object, wanted = choice["And"]
    assert is_object == {"Variable": "$.object.key", "IsPresent": True}
    outside, *marks = wanted["Or"]
    assert outside == {"Not": {"Variable": "$.object.key", "StringMatches": f"{INBOX}*"}}
    assert {mark["StringMatches"] for mark in marks} == {
        "*/_SUCCESS",
        "*/_started_*",
        "*/_committed_*",
    }
    assert (choice["Next"], first["Default"]) == ("NotForEvaluation", "PlanEvaluation")


def test_every_state_is_reached_and_leads_somewhere(source):
    for scope in scopes(source):
        reached, left = set(), [scope["StartAt"]]
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left += targets(scope["States"][name])
        assert reached == set(scope["States"])
        for name, state in scope["States"].items():
            ends = state.get("End") or state["Type"] in ("Succeed", "Fail")
            assert bool(targets(state)) != bool(ends), name


def test_every_state_says_what_it_is_for(source):
    assert {name for name, state in states(source).items() if not state.get("Comment")} == set()


def test_every_failure_of_a_claimed_run_is_recorded(source):
    top = source["States"]
    for name, state in top.items():
        if state["Type"] in ("Task", "Map", "Parallel") and name != "RecordFailure":
            (catch,) = [c for c in state["Catch"] if c["ErrorEquals"] == ["States.ALL"]]
            assert catch["ResultPath"] == "$.error", name
    failing = {name for name, state in top.items() if state["Type"] == "Fail"}
    before = {name for name, state in top.items() if targets(state) & failing}
    # A run ends as failed only after its failure was written down.
    assert before <= {"RecordFailure", "IsReportReady"}


@pytest.mark.parametrize("error", ["ABORTED", "TIMED_OUT"])
def test_what_an_abort_noted_is_not_taken_for_the_result_of_the_redriven_run(source, error):
    (failed,) = (
        choice["And"]
        for choice in source["States"]["IsReportReady"]["Choices"]
        if choice["Next"] == "ReportFailed"
    )
    assert {"Not": {"Variable": "$.report.item.error.S", "StringEquals": error}} in failed


def test_no_retry_repeats_what_we_know_to_be_wrong(source):
    ours = {name for name in vars(errors) if name.endswith("Error")}
    for name, state in states(source).items():
        for retry in state.get("Retry", ()):
            assert not set(retry["ErrorEquals"]) & (ours - {"EndpointGoneError"}), name


GENERIC = (
    "SageMaker.AmazonSageMakerException",
    "SageMaker.SageMakerException",
    "States.TaskFailed",
)


def test_what_may_be_an_error_that_never_heals_is_tried_again_for_less_than_a_minute(source):
    """A wrong request and a missing right come under the generic names too."""
    for name, state in states(source).items():
        for retry in state.get("Retry", ()):
            if set(GENERIC) & set(retry["ErrorEquals"]):
                waits = (
                    retry["IntervalSeconds"] * retry["BackoffRate"] ** n
                    for n in range(retry["MaxAttempts"])
                )
                assert sum(waits) < 65, name


# --- one account beside another, one stage beside another --------------------------------------


def test_nothing_is_tied_to_an_account_or_a_region(synthesized):
    registries = catalog.images().nova_evaluation.accounts
    for part, template in synthesized.raw.items():
        said = " ".join(texts(template["Resources"]))
        assert set(ACCOUNT.findall(said)) <= set(registries.values()), part
        assert set(REGION.findall(said)) <= set(registries), part


def given_names(templates: Templates) -> set[tuple[str, str]]:
    """(type, name) of every resource that we name ourselves."""
    return {
        (resource["Type"], value)
        for _, _, resource in every(templates)
        for key, value in resource.get("Properties", {}).items()
        if re.fullmatch(r"(\w+)?Name", key) and key not in NO_NAMES
        if isinstance(value, str)
    }


def test_two_stages_live_in_one_account(synthesized, dev):
    assert len(given_names(synthesized)) > 1
    assert given_names(synthesized) & given_names(dev) == set()
    assert not {file.name for file in synthesized.files} & {file.name for file in dev.files}


def test_the_same_code_gives_the_same_templates(synthesize, dev):
    again = synthesize(stage_config("dev", CONTEXT["stages"]))
    assert again.raw == dev.raw


def test_configurations_are_named_after_their_content_and_imported_by_nobody(dev):
    """CloudFormation refuses to change an export in use: a new image could not be deployed."""
    made = dev.resources("AWS::SageMaker::EndpointConfig")
    names = {config["EndpointConfigName"] for config in made.values()}
    assert len(names) == len(made)
    assert all(re.fullmatch(r"nova-judge-dev-[a-z0-9-]+-[0-9a-f]{10}", name) for name in names)
    assert max(map(len, names)) <= 63
    assert "Outputs" not in dev.raw["Endpoints"]
    variables = [
        f["Environment"]["Variables"] for f in dev.resources("AWS::Lambda::Function").values()
    ]
    told = [json.loads(v["ENDPOINTS"]) for v in variables if len(v.get("ENDPOINTS", "{}")) > 2]
    assert {name for kinds in told[0].values() for name in kinds.values()} == names


def test_endpoints_exist_only_where_a_stage_wants_them_always(synthesize, dev):
    assert dev.resources("AWS::SageMaker::Endpoint") == {}
    stage = msgspec.structs.replace(stage_config("dev", CONTEXT["stages"]), endpoints="always_on")
    kept = synthesize(stage).resources("AWS::SageMaker::Endpoint")
    assert len(kept) == len(stage.endpoint_models)
    assert all(e["EndpointName"].startswith("nova-judge-dev-") for e in kept.values())


def test_who_wants_mail_gets_it(synthesize, dev):
    assert dev.resources("AWS::SNS::Subscription") == {}
    stage = msgspec.structs.replace(
        stage_config("dev", CONTEXT["stages"]), notify_emails=("a@example.com", "b@example.com")
    )
    mail = synthesize(stage).resources("AWS::SNS::Subscription").values()
    assert {(m["Protocol"], m["Endpoint"]) for m in mail} == {
        ("email", "a@example.com"),
        ("email", "b@example.com"),
    }


def test_every_resource_says_whose_it_is(synthesized):
    for bucket in synthesized.resources("AWS::S3::Bucket").values():
        tags = {tag["Key"]: tag["Value"] for tag in bucket["Tags"]}
        assert (tags["project"], tags["stage"]) == ("nova-judge", "prod")


def test_a_layer_that_lambda_would_refuse_is_not_deployed(tmp_path):
    from stacks.constructs import python_function

    file = tmp_path / "large.so"
    with file.open("wb") as content:
        content.truncate(python_function.MOST_LAYER_BYTES)
    python_function.check_layer(tmp_path)
    (tmp_path / "one_more.py").write_text("x")
    with pytest.raises(RuntimeError, match="take a dependency out"):
        python_function.check_layer(tmp_path)


def test_functions_bring_the_sdk_that_they_are_tested_with():
    """The runtime's own boto3 is older and refuses parameters that it does not know."""
    layer = (ROOT / "lambdas" / "requirements.txt").read_text()
    assert f"boto3=={version('boto3')}" in layer
