"""Reports over HTTP on this machine only: read, never written, nothing outside the folder."""

from collections.abc import Callable
from contextlib import suppress
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec

from nova_judge.errors import NovaJudgeError
from nova_judge.findings.saved_report import JUDGMENTS, METRICS, find_reports, open_report
from nova_judge.findings.trends import group
from nova_judge.parquet import files_of, has_rows
from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.report.index import render_index
from nova_judge.report.served_pages import RowPages, render_compare, render_rows_page

LOOPBACK = "127.0.0.1"
PLAIN = "text/plain; charset=utf-8"
ALL_ROWS = b'<a id="all-rows" href="rows.html"'
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "frame-ancestors 'none'; connect-src 'self'; form-action 'self'; base-uri 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class RunSource(Protocol):
    """Where runs come from that are not on this machine."""

    @property
    def folder(self) -> Path: ...

    def refresh(self) -> None:
        """Bring the figures of all runs into the folder."""

    def fetch(self, path: Path) -> None:
        """Bring one file of a run into the folder, if there is one."""


def make_server(folder: Path, port: int, mirror: RunSource | None = None) -> ThreadingHTTPServer:
    """A server of the reports below `folder` on loopback; port 0 takes a free one."""
    return ThreadingHTTPServer((LOOPBACK, port), _handler(ServedFolder(folder.resolve(), mirror)))


class Content(NamedTuple):
    """What is sent: its type and its bytes."""

    kind: str
    body: bytes


class ServedFolder:
    """The pages of a folder with runs."""

    def __init__(self, folder: Path, mirror: RunSource | None = None) -> None:
        self._folder = folder
        self._mirror = mirror
        self._rows = RowPages()

    def content(self, target: str) -> Content | None:
        """What a request asks for; None for anything that is not of a report.

        Raises NovaJudgeError where the question itself is wrong.
        """
        try:
            url = urlsplit(target)
        except ValueError:
            return None
        if url.path in {"/", "/index.html"}:
            if self._mirror is not None:
                self._mirror.refresh()
            series = group(find_reports(self._folder))
            remote = self._mirror is not None
            page = render_index(series, self._folder, comparable=True, remote=remote)
            return Content(CONTENT_TYPES["report.html"], page.encode())
        if url.path == "/compare":
            return self._compared([run for name, run in parse_qsl(url.query) if name == "run"])
        name = url.path.rpartition("/")[2]
        if name in {"rows.html", "rows.json"}:
            return self._of_rows(url.path, name, dict(parse_qsl(url.query)))
        path = self._file(target)
        if path is None:
            return self._parts(target)
        body = path.read_bytes()
        if path.name == "report.html":  # here, and only here, all rows can be had
            body = body.replace(ALL_ROWS + b" hidden>", ALL_ROWS + b">", 1)
        kind = CONTENT_TYPES[path.name if path.name in CONTENT_TYPES else JUDGMENTS]
        return Content(kind, body)

    def _parts(self, target: str) -> Content | None:
        """Links to the files of a folder of rows; None for anything else."""
        try:
            folder = named_path(self._folder, target)
        except (OSError, ValueError):
            return None
        if folder is None or not folder.is_dir() or not has_rows(folder):
            return None
        names = [Path(file).name for file in files_of(folder)]
        links = "".join(f'<li><a href="{folder.name}/{quote(n)}">{escape(n)}</a>' for n in names)
        page = f"<!doctype html><title>{folder.name}</title><h1>{folder.name}</h1><ul>{links}</ul>"
        return Content(CONTENT_TYPES["report.html"], page.encode())

    def _compared(self, places: list[str]) -> Content | None:
        metrics = [
            self._file(f"/{quote(place)}/{below}{METRICS}")
            for place in places
            for below in ("report/", "")
        ]
        reports = [open_report(path) for path in metrics if path is not None]
        if len(reports) != 2:
            return None
        page = render_compare(reports, self._folder)
        return Content(CONTENT_TYPES["report.html"], page.encode())

    def _of_rows(self, path: str, name: str, asked: dict[str, str]) -> Content | None:
        metrics = self._file(f"{path.rpartition('/')[0]}/{METRICS}")
        if metrics is None:
            return None
        report = open_report(metrics)
        if name == "rows.html":
            page = render_rows_page(report.metrics)
            return Content(CONTENT_TYPES["report.html"], page.encode())
        return Content(CONTENT_TYPES[METRICS], self._rows.answer(report, asked))

    def _bring(self, target: str) -> None:
        """Have the file here, and for its page or rows the run's judgments too."""
        path = named_path(self._folder, target)
        if self._mirror is None or path is None or len(path.relative_to(self._folder).parts) < 2:
            return
        for name in (path.name, JUDGMENTS) if path.name == METRICS else (path.name,):
            if not has_rows(path.parent / name):
                self._mirror.fetch(path.parent / name)

    def _file(self, target: str) -> Path | None:
        try:
            self._bring(target)
            path = named_path(self._folder, target)
        except (OSError, ValueError):
            return None
        return path if path is not None and path.is_file() else None


def named_path(folder: Path, target: str) -> Path | None:
    """Where a report file that a request names would lie; None for any other file.

    Links out of the folder name none.
    """
    path = (folder / unquote(urlsplit(target).path).lstrip("/")).resolve()
    is_part = path.parent.name == JUDGMENTS and path.suffix == ".parquet"
    known = path.name in CONTENT_TYPES or is_part
    return path if known and path.is_relative_to(folder) else None


def _handler(served: ServedFolder) -> Callable[..., BaseHTTPRequestHandler]:
    class ReportHandler(BaseHTTPRequestHandler):
        server_version = "nova-judge"
        sys_version = ""

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def log_message(self, *_: object) -> None:
            """Say nothing: paths may name what is evaluated."""

        def _answer(self, *, with_body: bool) -> None:
            answer(self, lambda: served.content(self.path), with_body=with_body)

    return ReportHandler


def answer(
    handler: BaseHTTPRequestHandler, respond: Callable[[], Content | None], *, with_body: bool
) -> None:
    """Answer one request to a page of this machine: nothing is 404, a wrong question 400."""
    if not is_local(handler.headers.get("Host", "")):
        handler.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        return
    status = HTTPStatus.OK
    try:
        content = respond()
    except (NovaJudgeError, msgspec.MsgspecError) as error:
        status, content = HTTPStatus.BAD_REQUEST, Content(PLAIN, str(error).encode())
    if content is None:
        handler.send_error(HTTPStatus.NOT_FOUND)
        return
    handler.send_response(status)
    for name, value in {**HEADERS, "Content-Type": content.kind}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content.body)))
    handler.end_headers()
    if with_body:
        with suppress(ConnectionError):  # the page was closed meanwhile
            handler.wfile.write(content.body)


def is_local(host: str) -> bool:
    """A page elsewhere whose name was pointed at this machine must not read reports."""
    return host.rpartition(":")[0] in {LOOPBACK, "localhost"} or host in {LOOPBACK, "localhost"}
