"""Executions are listed and stopped, whether or not their machine is still there."""

import boto3

from nova_judge.aws import executions

PLACE = "arn:aws:states:us-east-1:123456789012"
ROLE = "arn:aws:iam::123456789012:role/machine"
WAIT = '{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}}'


def test_what_runs_is_listed_until_it_is_stopped(account):
    client = boto3.client("stepfunctions")
    made = client.create_state_machine(name="evaluation", definition=WAIT, roleArn=ROLE)
    machine = made["stateMachineArn"]
    begun = client.start_execution(stateMachineArn=machine)["executionArn"]

    assert list(executions.running(machine)) == [begun]
    executions.stop(begun, "a person did")
    assert list(executions.running(machine)) == []
    assert client.describe_execution(executionArn=begun)["status"] == "ABORTED"


def test_what_is_gone_runs_nothing(account):
    assert list(executions.running(f"{PLACE}:stateMachine:gone")) == []
    executions.stop(f"{PLACE}:execution:gone:run", "a person did")
