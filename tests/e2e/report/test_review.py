"""A review in a real browser: two people label forty rows by keyboard, and the report tells."""

import http.client
import random
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from typer.testing import CliRunner

from nova_judge.cli import review as review_command
from nova_judge.cli.main import app
from nova_judge.findings.saved_report import open_report
from nova_judge.report.report_rows import judged_pairs
from nova_judge.report.review_server import ReviewServer
from nova_judge.report.write import write_report
from nova_judge.review.labels import read_draw, read_review
from tests.made import generated
from tests.made.serving import serving

from .looked_at import violations


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    rows = generated.judged_rows(240)
    metrics = generated.metrics(rows)
    write_report(folder / "report", metrics, judged_pairs(iter(rows), metrics.run_id))
    done = CliRunner().invoke(app, ["review", str(folder), "--budget", "40", "--plan"])
    assert done.exit_code == 0, done.output
    assert re.search(r"90% +│ +± \d+\.\d points", done.output)
    assert not (folder / "labels").exists()
    return folder


def served(run, reviewer):
    place = review_command._place(str(run))
    console = review_command.Console(quiet=True)
    draw = read_draw(place.store) or review_command._drawn(console, place, 40, keep=True)
    session = review_command._session(place, draw, reviewer)
    anew = lambda: review_command._report_anew(place)  # noqa: E731
    return serving(ReviewServer(session, 0, f"labels of {reviewer}", anew))


@pytest.mark.slow
def test_two_people_label_forty_rows_and_the_report_is_made_anew(open_page, run):
    for reviewer, width, scheme in (("anna", 1440, "light"), ("ben", 390, "dark")):
        draw = random.Random(reviewer)  # noqa: S311
        with served(run, reviewer) as server:
            page = open_page(server.address, width, scheme)
            for row in range(40):
                expect(page.locator("#progress-text")).to_contain_text(f"Row {row + 1} of 40")
                if row == 0:
                    assert violations(page) == []
                    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
                    page.keyboard.press("n")
                    page.keyboard.type("abt: a note")
                    page.keyboard.press("Enter")
                    page.keyboard.press("d")
                    assert page.locator("#pair del, #pair ins").count() > 0
                    page.keyboard.press("d")
                left = page.inner_text("#pair .pair > :first-child .text")
                good = "a" if "In the console" in left else "b"
                page.keyboard.press(good if draw.random() < 0.7 else draw.choice("tx"))
            expect(page.locator(".finished")).to_be_visible()
            assert violations(page) == []
            page.keyboard.press("Enter")  # the button has the focus
            expect(page.locator(".finished")).to_contain_text("Report:", timeout=60_000)
    report = open_report(run)
    found = report.metrics.review
    assert [(who.name, who.labelled) for who in found.reviewers] == [("anna", 40), ("ben", 40)]
    assert found.labelled_twice == 40
    assert report.metrics.win_rate_corrected.labelled == 40
    assert report.metrics.win_rate_corrected.estimate > 0.7
    review = read_review(review_command._place(str(run)).store)
    notes = [label.note for of in review.labels.values() for label in of.values() if label.note]
    assert notes == ["abt: a note"] * 2
    page = (report.folder / "report.html").read_text("utf-8")
    assert "What people say" in page
    assert "labelled by anna (40), ben (40)" in page


def ask(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_only_whoever_has_the_address_sees_or_says_anything(run):
    with served(run, "carl") as server:
        secret = urlsplit(server.address).path
        port = server.server_address[1]
        said = b'{"place": 0, "said": "left"}'
        assert server.server_address[0] == "127.0.0.1"
        assert ask(server, "GET", f"{secret}rows/0")[0] == 200
        assert ask(server, "GET", "/")[0] == 404
        assert ask(server, "GET", "/wrong/rows/0")[0] == 404
        assert ask(server, "GET", f"{secret}rows/0", Host=f"evil.example:{port}")[0] == 421
        assert ask(server, "GET", f"{secret}rows/99")[0] == 400
        assert ask(server, "GET", f"{secret}../draw.json")[0] == 404
        foreign = {"Origin": "http://evil.example"}
        assert ask(server, "POST", f"{secret}labels", said, **foreign)[0] == 403
        assert ask(server, "POST", "/wrong/labels", said)[0] == 404
        assert ask(server, "POST", f"{secret}labels", b'{"place": 0, "said": "C"}')[0] == 400
        assert ask(server, "POST", f"{secret}labels", b"x" * 70_000)[0] == 413
        assert server._session.done == 0
        assert ask(server, "POST", f"{secret}labels", said) == (200, b'{"next":1}')
        assert server._session.done == 1
