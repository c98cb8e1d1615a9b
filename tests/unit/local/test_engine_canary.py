"""The emulator's private names that local mode relies on: this says what an upgrade took away."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

SIGNATURES = {
    "ministack.services.lambda_svc._execute_function_warm": ["func", "event", "request_id"],
    "ministack.services.lambda_svc._execute_function_with_config_scope": ["func", "event"],
    "ministack.services.s3._fire_s3_event": ["bucket_name", "key", "event_name"],
    "ministack.services.s3._get_object": ["bucket_name", "key", "headers"],
    "ministack.services.s3._parse_range": ["range_header", "total"],
    "ministack.services.eventbridge._dispatch_event": ["event", "view"],
    "ministack.services.eventbridge._put_events": ["data", "allow_aws_source"],
    "ministack.services.stepfunctions._add_event": ["execution", "event_type", "details"],
    "ministack.services.stepfunctions._run_sub_machine": [
        "states",
        "start_at",
        "input_data",
        "execution",
        "ctx",
    ],
    "ministack.services.stepfunctions._execute_task": [
        "state_def",
        "raw_input",
        "execution",
        "ctx",
    ],
    "ministack.services.stepfunctions._fail_execution": ["execution", "error", "cause"],
    "ministack.services.stepfunctions._resolve_ctx_path": ["path", "ctx"],
    "ministack.services.stepfunctions._scaled_sleep": ["seconds"],
    "ministack.services.stepfunctions._ExecutionError": ["error", "cause"],
    "ministack.services.cloudformation.provisioners._physical_name": ["stack_name", "logical_id"],
    "ministack.core.iam_actions.extract_iam_action": ["service", "method", "path"],
    "ministack.core.iam_actions.extract_resource_arn": ["service", "method", "path"],
    "ministack.core.iam_actions._safe_json_field": ["body", "field"],
    "ministack.core.iam_actions._load_botocore_model": ["botocore_service"],
    "ministack.core.iam_evaluator._resolve_condition_key": ["key"],
    "ministack.services.iam._simulate_principal_policy": ["p"],
    "ministack.services.iam._p": ["params", "key"],
    "ministack.core.concurrency.run_reentrant": ["fn"],
    "ministack.core.lambda_runtime.reset": [],
    "ministack.core.responses._service_model": ["service"],
    "ministack.services.stepfunctions._service_model": ["service"],
}
DICTIONARIES = {
    "ministack.core.responses._BOTOCORE_NAME": "states",
    "ministack.app.SERVICE_HANDLERS": "s3",
    "ministack.core.iam_actions.SERVICE_TO_IAM_NAMESPACE": "s3",
    "ministack.core.router.SERVICE_PATTERNS": "s3",
    "ministack.services.iam._IAM_HANDLERS": "SimulatePrincipalPolicy",
    "ministack.services.stepfunctions._SERVICE_DISPATCH": "arn:aws:states:::sqs:sendMessage",
    "ministack.services.stepfunctions._AWS_SDK_SERVICE_MAP": "dynamodb",
    "ministack.services.stepfunctions._AWS_SDK_ERROR_PREFIX": "dynamodb",
    "ministack.services.stepfunctions._AWS_SDK_ERROR_CODE_OVERRIDES": "rds",
    "ministack.services.cloudformation.provisioners._RESOURCE_HANDLERS": "AWS::S3::Bucket",
}

_LOOK = """
import importlib, inspect, json, sys
from nova_judge_local.engine import late_services
late_services.install()
import ministack.services.cloudformation
from ministack.services import cognito, sts
loaded = {name: vars(module).get("_loaded", True) for name, module in sys.modules.items()}
found = {"late": [name for name in loaded if not loaded[name]]}
found["answering"] = [sts.__file__, callable(sts.handle_request), hasattr(sts, "no_such_name")]
def find(name):
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute, None)
asked = json.loads(sys.argv[1])
for name in asked["signatures"]:
    value = find(name)
    found[name] = value and list(inspect.signature(value).parameters)
for name in asked["dictionaries"]:
    found[name] = list(find(name) or [])
from ministack.core import lambda_runtime
found["worker"] = lambda_runtime._PYTHON_WORKER_SCRIPT
from ministack.services import stepfunctions
found["scoped"] = [hasattr(stepfunctions, n) for n in ("_executions", "_map_runs", "time")]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """The names as a process sees them that is set up like the emulator's."""
    folder = str(tmp_path_factory.mktemp("engine"))
    asked = json.dumps({"signatures": list(SIGNATURES), "dictionaries": list(DICTIONARIES)})
    environment = {"PATH": os.environ["PATH"], "TMPDIR": folder, "STATE_DIR": folder}
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, asked],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=folder,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_that_is_wrapped_is_there_with_its_arguments(engine, name):
    wanted = SIGNATURES[name]

    assert engine[name] is not None, f"{name} is gone"
    assert engine[name][: len(wanted)] == wanted


@pytest.mark.parametrize("name", DICTIONARIES)
def test_a_table_that_is_added_to_is_there(engine, name):
    assert DICTIONARIES[name] in engine[name]


def test_the_workers_script_has_the_line_that_loses_the_errors_name(engine):
    assert engine["worker"].count('"error": str(e), "trace"') == 1


def test_services_are_loaded_when_they_are_first_asked(engine):
    late = {name.rpartition(".")[2] for name in engine["late"]}
    assert {"cognito", "dynamodb", "ec2", "iot", "sts"} <= late
    assert "cloudformation" not in late
    file, answers, has_another = engine["answering"]
    assert file.endswith("sts.py")
    assert (answers, has_another) == (True, False)


def test_the_stores_of_executions_are_there_and_the_clock_of_their_pauses(engine):
    assert engine["scoped"] == [True, True, True]


def test_every_private_name_that_the_code_uses_has_its_canary():
    used = set()
    for file in (ROOT / "nova_judge_local").rglob("*.py"):
        text = file.read_text("utf-8")
        modules = re.findall(r"^from ministack[\w.]* import (.*)$", text, re.MULTILINE)
        names = {name.strip() for line in modules for name in line.split(",")}
        for module in names:
            used |= {f"{module}.{name}" for name in re.findall(rf"\b{module}\.(_\w+)", text)}
    watched = {".".join(name.rsplit(".", 2)[-2:]) for name in (*SIGNATURES, *DICTIONARIES)}
    others = {
        "lambda_runtime._PYTHON_WORKER_SCRIPT",
        "stepfunctions._executions",
        "stepfunctions._map_runs",
    }

    assert used - watched - others == set()


def test_the_engine_is_pinned_to_the_version_that_is_installed():
    requirements = (ROOT / "requirements.txt").read_text("utf-8")

    pinned = re.search(r"^ministack==(\S+)", requirements, re.MULTILINE)

    assert pinned[1] == importlib.metadata.version("ministack")
