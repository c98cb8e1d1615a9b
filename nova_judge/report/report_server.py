"""Reports over HTTP on this machine only: read, never written, nothing outside the folder."""

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nova_judge.findings.history import group
from nova_judge.findings.saved_report import find_reports
from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.report.index import render_index

LOOPBACK = "127.0.0.1"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the reports below `folder` on loopback; port 0 takes a free one."""
    return ThreadingHTTPServer((LOOPBACK, port), _handler(folder.resolve()))


def find_file(folder: Path, target: str) -> Path | None:
    """The report file that a request names; None for anything else, links out of the folder too."""
    path = (folder / unquote(urlsplit(target).path).lstrip("/")).resolve()
    is_ours = path.name in CONTENT_TYPES and path.is_relative_to(folder)
    return path if is_ours and path.is_file() else None


def _handler(folder: Path) -> Callable[..., BaseHTTPRequestHandler]:
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
            if not _is_local(self.headers.get("Host", "")):
                self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
                return
            content = _content(folder, self.path)
            if content is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            kind, body = content
            self.send_response(HTTPStatus.OK)
            for name, value in {**_HEADERS, "Content-Type": kind}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return ReportHandler


def _content(folder: Path, target: str) -> tuple[str, bytes] | None:
    if urlsplit(target).path in {"/", "/index.html"}:
        page = render_index(group(find_reports(folder)), folder)
        return CONTENT_TYPES["report.html"], page.encode()
    try:
        path = find_file(folder, target)
    except (OSError, ValueError):
        return None
    return None if path is None else (CONTENT_TYPES[path.name], path.read_bytes())


def _is_local(host: str) -> bool:
    """A page elsewhere whose name was pointed at this machine must not read reports."""
    return host.rpartition(":")[0] in {LOOPBACK, "localhost"} or host in {LOOPBACK, "localhost"}
