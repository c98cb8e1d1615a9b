"""A local run works in odd surroundings, and a proxy of the environment sees nothing of it."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.hostile.bounds import ROOT, rounds

ODD = {
    "a profile of no account": {"AWS_PROFILE": "nobody"},
    "a broken configuration": {"AWS_CONFIG_FILE": "/etc/passwd"},
    "no home": {"HOME": None},
    "a home that does not exist": {"HOME": "/nonexistent"},
    "latin-1": {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"},
    "no terminal": {"TERM": "dumb", "COLUMNS": "40"},
    "another endpoint": {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-south-2"},
    "a bundle that is missing": {"AWS_CA_BUNDLE": "/nonexistent", "SSL_CERT_FILE": "/nonexistent"},
    "other warnings": {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "1"},
}
EVERYTHING = {name: value for parts in ODD.values() for name, value in parts.items()}
PLACES = ["out", "ö ut/a b'c\"#%2e$(x)", "x" * 200 + "/" + "y" * 200]


class Proxy(threading.Thread):
    """Counts who comes, and answers nobody."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.start()

    def run(self) -> None:
        while True:
            connection, _ = self._server.accept()
            self.seen += 1
            connection.close()


def local_run(out: Path, odd: dict[str, str | None], umask: int = 0o022) -> tuple[int, str, int]:
    """Exit code, what was said, and how many came to the proxy."""
    proxy = Proxy()
    proxies = {f"{kind}_proxy": proxy.url for kind in ("http", "https", "all")}
    changed = {**proxies, **{name.upper(): url for name, url in proxies.items()}, **odd}
    environment = {name: value for name, value in {**os.environ, **changed}.items() if value}
    environment |= {"PYTHONPATH": str(ROOT)}
    inputs = ["examples/pairs.jsonl", "--recipe", "pairwise", "--out", str(out)]
    ran = subprocess.run(
        [sys.executable, "-m", "nova_judge.cli.main", "local", "run", *inputs],
        capture_output=True,
        cwd=ROOT,
        check=False,
        env={name: value for name, value in environment.items() if name not in _unset(odd)},
        timeout=300,
        umask=umask,
    )
    said = (ran.stdout + ran.stderr).decode("latin-1")
    return ran.returncode, said, proxy.seen


def _unset(odd: dict[str, str | None]) -> set[str]:
    return {name for name, value in odd.items() if value is None}


@pytest.mark.parametrize("place", rounds(PLACES[1:2], PLACES))
def test_a_local_run_works_where_everything_is_odd(tmp_path, place):
    code, said, seen = local_run(tmp_path / place, EVERYTHING, umask=0o077)
    assert (code, seen) == (0, 0), said
    assert (tmp_path / place / "report/report.html").is_file()
    assert (tmp_path / place / "report/report.html").stat().st_mode & 0o077 == 0


def test_a_name_that_is_not_utf_8_is_refused_with_what_helps(tmp_path):
    code, said, _ = local_run(Path(os.fsdecode(bytes(tmp_path) + b"/\xff")), {})
    assert code == 3
    assert "its name is not UTF-8" in " ".join(said.split())


@pytest.mark.parametrize("name", rounds(["a profile of no account"], list(ODD)))
def test_a_local_run_works_in_odd_surroundings(tmp_path, name):
    code, said, seen = local_run(tmp_path / "out", ODD[name])
    assert (code, seen) == (0, 0), said
