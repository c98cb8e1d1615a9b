"""The page on which people label rows: loopback only, and only for those who have its address."""

import hmac
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.report.page import render
from nova_judge.report.report_server import LOOPBACK, Content, answer
from nova_judge.review.session import ReviewSession, SentLabel

_MOST_BODY = 1 << 16
_SCRIPTS = ("text.js", "difference.js", "review.js")
_HTML, _JSON = CONTENT_TYPES["report.html"], CONTENT_TYPES["metrics.json"]


class ReviewServer(ThreadingHTTPServer):
    """A server of one reviewer's session; every path of it begins with a secret of its own."""

    def __init__(
        self, session: ReviewSession, port: int, title: str, finish: Callable[[], str]
    ) -> None:
        self._session = session
        self._title = title
        self._finish = finish
        self._lock = threading.Lock()
        self._secret = secrets.token_urlsafe(24)
        super().__init__((LOOPBACK, port), _Handler)

    @property
    def address(self) -> str:
        """The page's address, with its secret."""
        return f"http://{LOOPBACK}:{self.server_address[1]}/{self._secret}/"

    def admits(self, path: str) -> str | None:
        """What is asked for, without the secret; None without it."""
        given, _, asked = path.lstrip("/").partition("/")
        return asked if hmac.compare_digest(given.encode(), self._secret.encode()) else None

    def is_own(self, origin: str | None) -> bool:
        """True where a request comes from this page, or from no page at all."""
        port = self.server_address[1]
        return origin in {None, f"http://{LOOPBACK}:{port}", f"http://localhost:{port}"}

    def get(self, asked: str) -> Content | None:
        """The page, or a row by its place."""
        if not asked:
            with self._lock:
                return Content(_HTML, self._page().encode())
        if asked.startswith("rows/") and (row := _number(asked.removeprefix("rows/"))) is not None:
            with self._lock:
                shown = self._session.shown(row)
            return Content(_JSON, msgspec.json.encode(shown))
        return None

    def post(self, asked: str, body: bytes) -> Content | None:
        """Keep a label, or make the report again."""
        if asked == "labels":
            answered = msgspec.json.decode(body, type=SentLabel)
            with self._lock:
                following = self._session.answer(answered)
            return Content(_JSON, msgspec.json.encode({"next": following}))
        if asked == "report":
            with self._lock:
                return Content(_JSON, msgspec.json.encode({"told": self._finish()}))
        return None

    def _page(self) -> str:
        return render(
            "review.html.j2",
            styles=("report.css", "review.css"),
            scripts=_SCRIPTS,
            title=self._title,
            rows=self._session.rows,
            first=self._session.first_open(),
        )


def _number(digits: str) -> int | None:
    """The number that a request names; None for one that no row and no body has."""
    return int(digits) if digits.isdecimal() and len(digits) <= 9 else None


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version = "nova-judge"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self.server.get)

    def do_POST(self) -> None:
        length = _number(self.headers.get("Content-Length", ""))
        if length is None or length > _MOST_BODY:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        if not self.server.is_own(self.headers.get("Origin")):
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        self._answer(lambda asked: self.server.post(asked, body))

    def log_message(self, *_: object) -> None:
        """Say nothing: the path holds the secret."""

    def _answer(self, respond: Callable[[str], Content | None]) -> None:
        def content() -> Content | None:
            asked = self.server.admits(self.path.partition("?")[0])
            return None if asked is None else respond(asked)

        answer(self, content, with_body=True)
