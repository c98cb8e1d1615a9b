"""An opened run: its tables, its figures, and what goes wrong."""

import sys

import orjson
import pandas as pd
import pyarrow as pa
import pytest

import nova_judge as nj
from nova_judge.api.compared import _as_file
from nova_judge.errors import (
    MissingExtraError,
    RequestError,
    SavedReportError,
    WeightingError,
)
from tests.made import generated
from tests.made.runs import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    rows = generated.judged_rows(240)
    return nj.open(write_run(tmp_path_factory.mktemp("runs") / "mine", rows))


def test_rows_as_pandas_and_arrow(run):
    frame, table = run.rows(), run.rows("arrow")
    assert isinstance(frame, pd.DataFrame)
    assert isinstance(table, pa.Table)
    assert list(frame.columns) == table.column_names
    assert len(frame) == table.num_rows == sum(1 for _ in run.judgments()) == 240
    counts = frame["reconciled"].value_counts()
    assert counts["A"] == run.metrics.reconciled.a
    assert counts["B"] == run.metrics.reconciled.b


def test_a_library_that_is_missing_is_named_with_its_extra(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nova-judge\[polars\]'"):
        run.rows("polars")


def test_a_path_a_text_and_the_metrics_file_open_the_same_run(run):
    assert nj.open(str(run.folder)).metrics == run.metrics
    assert nj.open(run.folder / "metrics.json").headline == run.headline
    assert repr(run) == "<run mine: B is better>"
    assert "B is better" in run._repr_markdown_()


def test_reweighing_follows_weights_and_allows_for_the_choice(run):
    chosen = run.reweight({"accuracy": 1})
    assert chosen.metrics.reweighed.weights == "accuracy=1"
    assert chosen.metrics.rows.judge_failed > run.metrics.rows.judge_failed
    assert run.reweight({"accuracy": 2}).metrics.reconciled == chosen.metrics.reconciled
    assert run.reweight(only=["accuracy"]).metrics.reconciled == chosen.metrics.reconciled
    assert run.reweight().metrics == run.metrics
    assert chosen.gate(max_errors=1).reason != run.gate(max_errors=1).reason
    with pytest.raises(WeightingError, match="without `,`"):
        run.reweight(drop=["accuracy,clarity"])
    with pytest.raises(WeightingError, match="'wit'"):
        run.reweight({"wit": 1})
    with pytest.raises(WeightingError, match="leave no criterion"):
        run.reweight({"accuracy": 0})


def test_gate_as_the_command(run):
    decision = run.gate(0.5, max_errors=0.5)
    assert decision.outcome is nj.GateOutcome.PASS
    assert run.gate(0.99, max_errors=0.5).outcome is nj.GateOutcome.WORSE
    assert run.gate(max_errors=0.0).outcome is nj.GateOutcome.NOT_EVALUATED


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(SavedReportError, match=r"holds no metrics\.json"):
        nj.open(tmp_path)


ROWS = [
    {"prompt": "1 + 1?", "response_A": "2", "response_B": "3", "reference": "2"},
    {"prompt": "1 + 2?", "response_A": "2", "response_B": "3", "reference": None},
]
WRITTEN = [ROWS[0], {name: value for name, value in ROWS[1].items() if value is not None}]


@pytest.mark.parametrize("rows", [ROWS, iter(ROWS), pd.DataFrame(ROWS), pa.Table.from_pylist(ROWS)])
def test_rows_of_any_library_are_read_alike(rows):
    with _as_file(rows) as file:
        lines = [orjson.loads(line) for line in file.read_bytes().splitlines()]
    assert lines == WRITTEN


def test_numbers_that_are_missing_in_pandas_are_left_out():
    frame = pd.DataFrame({"prompt": ["a", "b"], "score": [1.5, float("nan")]})
    with _as_file(frame) as file:
        assert file.read_bytes() == b'{"prompt":"a","score":1.5}\n{"prompt":"b"}\n'


@pytest.mark.parametrize("rows", [[], ["text"]])
def test_rows_that_are_none_are_refused(rows):
    with pytest.raises(RequestError), _as_file(rows):
        pass


@pytest.mark.parametrize("rules", [{"min_win_rate": 60}, {"max_errors": -0.1}])
def test_a_gate_takes_fractions(run, rules):
    with pytest.raises(RequestError, match="a fraction from 0 to 1 is expected"):
        run.gate(**rules)


def test_a_form_of_rows_that_is_not_there_names_those_that_are(run):
    with pytest.raises(RequestError, match="the forms are 'pandas', 'polars', 'arrow'"):
        run.rows("nope")


def test_one_name_for_two_candidates_is_refused():
    with pytest.raises(RequestError, match=r"names=\('a',\): name both"):
        nj.compare_answers(ROWS, names=("a",))


def test_a_folder_is_not_drawn():
    with pytest.raises(SavedReportError, match=r"'out/q': give run\.metrics or"):
        nj.plot_nova_judge_results("out/q")
