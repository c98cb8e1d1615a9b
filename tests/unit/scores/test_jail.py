"""What the jail keeps in, tried by the code that it is for; skipped where the kernel refuses it."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nova_judge.records import Unscored
from nova_judge.scores import jail
from nova_judge.scores.jailed_process import limits_that_hold, run_jailed
from nova_judge.scores.scorer_sandbox import score_rows

needs_namespaces = pytest.mark.skipif(
    jail.NAMESPACES not in limits_that_hold(), reason=limits_that_hold()
)
TRY = """
import os, sys
sys.path.insert(0, {root!r})
from nova_judge.scores import jail
held = jail.enter(jail.Rooms((sys.prefix, sys.base_prefix, *sys.path), os.getcwd()))
def tried(name, act):
    try:
        act()
    except OSError as error:
        print(name, type(error).__name__)
    else:
        print(name, "went")
{body}
"""


def tried(tmp_path: Path, body: str, seconds: float = 20) -> dict[str, str]:
    child = tmp_path / "child.py"
    child.write_text(TRY.format(root=str(Path.cwd()), body=body), "utf-8")
    lines = run_jailed(child, [], b"", seconds).output.decode().splitlines()
    return dict(line.split(" ", 1) for line in lines)


@needs_namespaces
def test_no_file_outside_changes_in_any_way(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("as it was", "utf-8")
    before = victim.stat()
    body = f"""
victim = {str(victim)!r}
tried("write", lambda: open(victim, "w"))
tried("append", lambda: open(victim, "a"))
tried("chmod", lambda: os.chmod(victim, 0o777))
tried("utime", lambda: os.utime(victim, (1, 1)))
tried("unlink", lambda: os.unlink(victim))
tried("rename", lambda: os.rename(victim, victim + "2"))
tried("create", lambda: open(victim + "3", "w"))
tried("own", lambda: open("own", "w"))
"""
    found = tried(tmp_path, body)
    assert found.pop("own") == "went"
    assert len(found) == 7
    assert "went" not in found.values()
    assert victim.read_text("utf-8") == "as it was"
    assert (victim.stat().st_mode, victim.stat().st_mtime) == (before.st_mode, before.st_mtime)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["child.py", "victim"]


@needs_namespaces
def test_mounts_cannot_be_undone(tmp_path):
    body = """
import ctypes, struct
libc = ctypes.CDLL(None, use_errno=True)
attributes = struct.pack("QQQQ", 0, 1, 0, 0)
print("remount", libc.syscall(442, -100, b"/", 0x8000, attributes, len(attributes)))
libc.unshare(0x10000000 | 0x20000)
print("nested", libc.syscall(442, -100, b"/", 0x8000, attributes, len(attributes)))
"""
    assert tried(tmp_path, body) == {"remount": "-1", "nested": "-1"}


@needs_namespaces
def test_no_process_outside_gets_a_signal_and_none_inside_survives(tmp_path):
    marker = f"marker-{os.getpid()}-{time.monotonic_ns()}"
    body = f"""
tried("parent", lambda: os.kill({os.getpid()}, 0))
tried("everybody", lambda: os.kill(-1, 0))
if not os.fork():
    os.setsid()
    if not os.fork():
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", {marker!r}])
"""
    found = tried(tmp_path, body)
    assert found["parent"] in ("ProcessLookupError", "PermissionError")
    alive = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert marker not in alive


@needs_namespaces
def test_there_is_no_network(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        body = f"""
import socket
tried("connect", lambda: socket.create_connection(("127.0.0.1", {port}), 2))
"""
        assert tried(tmp_path, body)["connect"] != "went"


@pytest.mark.skipif(jail.LANDLOCK not in limits_that_hold(), reason=limits_that_hold())
def test_no_file_is_read_but_pythons_own(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x", "utf-8")
    body = f"""
tried("secret", lambda: open({str(secret)!r}).read())
tried("passwd", lambda: open("/etc/passwd").read())
tried("home", lambda: os.listdir(os.path.expanduser("~root")))
"""
    assert set(tried(tmp_path, body).values()) == {"PermissionError"}


@needs_namespaces
def test_the_exit_code_and_the_signal_of_the_code_are_passed_on(tmp_path):
    for body, ended in (("os._exit(7)", "exit code 7"), ("os.abort()", "signal 6")):
        child = tmp_path / "child.py"
        child.write_text(TRY.format(root=str(Path.cwd()), body=body), "utf-8")
        assert run_jailed(child, [], b"", 20).ended == ended


def test_a_child_that_takes_too_long_is_killed_with_all_that_it_started(tmp_path):
    child = tmp_path / "child.py"
    child.write_text("import time; print('begun', flush=True); time.sleep(60)", "utf-8")
    begun = time.monotonic()
    finished = run_jailed(child, [], b"", 1)
    assert time.monotonic() - begun < 20
    assert finished == (b"begun\n", "no result within 1 s")


def test_what_a_child_writes_is_bounded(tmp_path):
    scorer = tmp_path / "loud.py"
    scorer.write_text(
        "import os, sys\ndef score():\n    for fd in range(3, 12):\n        try:\n"
        "            while True: os.write(fd, b'x' * 2**20)\n        except OSError: pass\n"
        "    return 1",
        "utf-8",
    )
    (result,) = score_rows(scorer, [{}])
    assert isinstance(result, Unscored | dict)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("10**400", "the scorer returned 1000000"),
        ("10**5000", "an int that cannot be shown"),
        ("{'score': 10**400}", "the scorer returned {'score': 1000000"),
        ("float('inf')", "the scorer returned inf"),
    ],
)
def test_a_number_that_is_too_large_is_a_message(tmp_path, returned, said):
    scorer = tmp_path / "large.py"
    scorer.write_text(f"def score():\n    return {returned}", "utf-8")
    (result,) = score_rows(scorer, [{}])
    assert isinstance(result, Unscored)
    assert said in result.reason


def test_a_refused_jail_is_named(monkeypatch):
    def refuse(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(jail, "_unshare", refuse)
    monkeypatch.setattr(jail, "_landlock", refuse)
    said = jail.enter(jail.Rooms((), "."))
    assert said.startswith("process limits only")
    if sys.platform == "linux":
        assert "Operation not permitted" in said


@needs_namespaces
def test_a_kernel_that_refuses_half_way_leaves_the_process_as_it_was(tmp_path):
    body = """
print("held", held)
for turn in "12":
    if child := os.fork():
        print(turn, os.waitpid(child, 0)[1])
    else:
        os._exit(0)
"""
    refusing = TRY.replace("held =", "jail._set_attributes = lambda *_: jail._done(-1)\nheld =")
    child = tmp_path / "child.py"
    child.write_text(refusing.format(root=str(Path.cwd()), body=body), "utf-8")
    lines = run_jailed(child, [], b"", 20).output.decode().splitlines()
    assert [line for line in lines if not line.startswith("held")] == ["1 0", "2 0"]
    assert not any(jail.NAMESPACES in line for line in lines)
