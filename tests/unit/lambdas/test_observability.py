"""What a function raises is logged with the id of the run that it was at work on."""

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
def test_a_fault_is_logged_with_its_trace_and_its_run(event, whose, caplog):
    @logs_faults
    def handler(event: dict, context: object) -> None:
        raise LookupError("the fault")

    with pytest.raises(LookupError):
        handler(event, None)
    (record,) = caplog.records
    assert {key: getattr(record, key) for key in whose} == whose
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "the fault"
