"""What a function raises is logged with the id of the run that it was at work on."""

import json

import pytest

from lambdas.observability import logs_faults


@pytest.mark.parametrize(
    ("event", "whose"),
    [
        ({"run_id": "r-1", "shard": {}}, {"run_id": "r-1"}),
        ({"run": {"run_id": "r-1"}, "execution": "arn:x"}, {"run_id": "r-1", "execution": "arn:x"}),
        ({"detail": {"TrainingJobName": "nova-judge-dev-r-1-0"}}, {"job": "nova-judge-dev-r-1-0"}),
        ({"detail": {"stage": "dev", "run_id": "r-1"}}, {"run_id": "r-1"}),
    ],
)
def test_a_fault_is_logged_with_its_trace_and_its_run(event, whose, capsys):
    @logs_faults
    def handler(event: dict, context: object) -> None:
        raise LookupError("the fault")

    with pytest.raises(LookupError):
        handler(event, None)
    (line,) = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert {key: logged[key] for key in whose} == whose
    assert logged["exception_name"] == "LookupError"
    assert "test_observability.py" in logged["exception"]
