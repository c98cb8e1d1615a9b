"""Requests to the page of a review that are none: refused, without an error of the server."""

import http.client
from urllib.parse import urlsplit

import pytest

from nova_judge.report.review_server import ReviewServer
from nova_judge.review.labels import Draw, LabelFolder
from nova_judge.review.session import ReviewSession
from tests.made.serving import serving

AT = "2026-11-29T12:00:00+00:00"


@pytest.fixture
def server(tmp_path):
    draw = Draw(run_id="r1", budget=30, seed=1, created=AT, rows=())
    session = ReviewSession(draw, {}, LabelFolder(tmp_path), "anna", lambda: AT)
    with serving(ReviewServer(session, 0, "r1", lambda: "")) as running:
        yield running


def status(server, method, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", "localhost")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    connection.close()
    return answer.status


def test_a_number_of_thousands_of_digits_names_no_row(server):
    assert status(server, "GET", f"{urlsplit(server.address).path}rows/{'9' * 5000}") == 404


def test_a_length_of_thousands_of_digits_is_refused(server):
    assert status(server, "POST", "/", **{"Content-Length": "9" * 5000}) == 413


def test_a_target_that_is_no_address_is_not_there(server):
    assert status(server, "GET", "http://[") == 404
