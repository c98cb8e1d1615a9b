"""The local server: reports only, this machine only, read only."""

import http.client
import shutil

import pytest

from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.report_server import ServedFolder, make_server
from nova_judge.report.write import write_report
from tests.made.serving import serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory, rubric_metrics, rows):
    folder = tmp_path_factory.mktemp("served")
    write_report(folder / "runs" / "one" / "report", rubric_metrics, judged_pairs(rows, "r"))
    (folder / "runs" / "secret.txt").write_text("secret")
    (folder / "metrics.json").write_text("outside")
    (folder / "runs" / "one" / "report.html").symlink_to(folder / "metrics.json")
    return folder / "runs"


@pytest.fixture(scope="module")
def server(folder):
    with serving(make_server(folder, 0)) as made:
        yield made


def ask(server, path, method="GET", host=None):
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.request(method, path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def test_listens_on_loopback_alone(server):
    assert server.server_address[0] == "127.0.0.1"


def test_index_and_report(server):
    status, headers, body = ask(server, "/")
    assert status == 200
    assert b"one/report/report.html" in body
    assert headers["X-Content-Type-Options"] == "nosniff"
    status, headers, body = ask(server, "/one/report/report.html")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert ask(server, "/one/report/report.html", "HEAD")[2] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/../metrics.json",
        "/%2e%2e/metrics.json",
        "/one/report.html",
        "/one/report/",
        "/one/report/%00report.html",
        "//etc/passwd",
        "/one/report/figure.png/../../../secret.txt",
    ],
)
def test_nothing_else_is_served(server, path):
    assert ask(server, path)[0] == 404


@pytest.mark.parametrize("target", ["//[", "http://[/report.html"])
def test_a_target_that_is_not_an_address_is_not_there(tmp_path, target):
    assert ServedFolder(tmp_path).content(target) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_is_written(server, method):
    assert ask(server, "/one/report/report.html", method)[0] == 501


def test_other_names_of_this_machine_are_refused(server):
    port = server.server_address[1]
    assert ask(server, "/", host=f"localhost:{port}")[0] == 200
    assert ask(server, "/", host=f"reports.example.com:{port}")[0] == 421


def test_rows_in_parts_are_listed(server, folder):
    """The page's link to them led nowhere."""
    shutil.copytree(folder / "one" / "report", folder / "parts" / "report")
    rows = folder / "parts" / "report" / "judgments.parquet"
    content = rows.read_bytes()
    rows.unlink()
    rows.mkdir()
    (rows / "part 0.parquet").write_bytes(content)
    status, headers, body = ask(server, "/parts/report/judgments.parquet")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b'<a href="judgments.parquet/part%200.parquet">part 0.parquet</a>' in body
    status, headers, body = ask(server, "/parts/report/judgments.parquet/part%200.parquet")
    assert (status, headers["Content-Type"], body) == (
        200,
        "application/vnd.apache.parquet",
        content,
    )
    assert ask(server, "/parts/report/other.parquet")[0] == 404
