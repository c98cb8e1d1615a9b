"""Commands on runs that cannot be read: 3 and one line, never a finding of the command."""

import pytest

from nova_judge.cli.main import main
from nova_judge.findings.metrics_record import encode_metrics
from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.write import write_report
from tests.made.changed import changed


@pytest.fixture
def nova_judge(monkeypatch, capsys):
    """Runs the command line as a shell does: exit code, stdout, stderr."""
    monkeypatch.setenv("COLUMNS", "1000")

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["nova-judge", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return run


@pytest.fixture
def run(tmp_path, rubric_metrics, rows):
    write_report(tmp_path / "run" / "report", rubric_metrics, judged_pairs(rows, "r"))
    return tmp_path / "run"


@pytest.fixture
def failed(tmp_path, failed_run_metrics):
    write_report(tmp_path / "failed" / "report", failed_run_metrics)
    return tmp_path / "failed"


def test_a_gate_that_breaks_is_no_finding_and_says_the_verdict_first(nova_judge, run, tmp_path):
    code, out, err = nova_judge(
        "gate", run, "--max-errors", "0.1", "--summary", tmp_path / "none" / "s.md"
    )
    assert (code, out[:4]) == (3, "PASS")
    assert "No such file or directory. Check the path" in err
    assert "Traceback" not in err


def test_a_fault_of_ours_is_no_finding(nova_judge, rubric_metrics, tmp_path):
    path = tmp_path / "metrics.json"
    path.write_bytes(encode_metrics(changed(rubric_metrics, "win_rate.low", 0.99)))
    assert nova_judge("gate", path)[0] == 3


@pytest.mark.parametrize("command", ["rows", "audit", "export", "report"])
def test_truncated_judgments_are_one_line(nova_judge, run, tmp_path, command):
    judgments = run / "report" / "judgments.parquet"
    judgments.write_bytes(judgments.read_bytes()[:1000])
    out = ["--out", tmp_path / "out"] if command in ("export", "report") else []
    code, _, err = nova_judge(command, run, *out)
    assert code == 3
    assert "Fetch the file again" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["rows", "audit", "export", "reweight"])
def test_a_failed_run_has_no_rows(nova_judge, failed, tmp_path, command):
    out = ["--out", tmp_path / "out"] if command == "export" else []
    code, _, err = nova_judge(command, failed, *out)
    assert code == 3
    assert "failed and has no judged rows" in err


def test_a_report_into_a_file_is_one_line(nova_judge, run, tmp_path):
    (tmp_path / "README.md").touch()
    code, _, err = nova_judge("report", run, "--out", tmp_path / "README.md")
    assert code == 3
    assert "README.md: File exists" in err


def test_a_report_is_written_anew_into_a_folder(nova_judge, run, tmp_path):
    code, out, _ = nova_judge("report", run, "--out", tmp_path / "new")
    assert (code, f"Report: {tmp_path / 'new' / 'report.html'}" in out) == (0, True)
    for file in (run / "report").iterdir():
        assert (tmp_path / "new" / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_failed_report_is_written_anew_too(nova_judge, failed, tmp_path):
    assert nova_judge("report", failed, "--out", tmp_path / "new")[0] == 0
    again, first = tmp_path / "new" / "report.html", failed / "report" / "report.html"
    assert again.read_bytes() == first.read_bytes()


def test_without_rows_no_report_can_be_written_anew(nova_judge, run, tmp_path):
    (run / "report" / "judgments.parquet").unlink()
    code, _, err = nova_judge("report", run, "--out", tmp_path / "new")
    assert code == 3
    assert "judgments.parquet is missing" in err


def test_an_export_that_fails_leaves_no_file(nova_judge, run, failed, tmp_path):
    out = tmp_path / "pairs.jsonl"
    assert nova_judge("export", failed, "--out", out)[0] == 3
    code, _, err = nova_judge("export", run, "--out", out, "--criterion", "no such:1")
    assert (code, out.exists()) == (3, False)
    assert "no file was written" in err
    code, _, err = nova_judge(
        "export", run, "--out", out, "--criterion", "accuracy:0.9", "--criterion", "accuracy:0"
    )
    assert (code, out.exists()) == (3, False)
    assert "accuracy has a least value already" in err
    assert nova_judge("export", run, "--out", out)[0] == 0
    assert out.stat().st_size
