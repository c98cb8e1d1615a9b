"""A jail for code that nobody has read: Linux namespaces and Landlock, as far as the kernel allows.

Entered by a fresh child process before it loads the code, so that only the standard library may be
imported here. Namespaces (user, mount, PID, network, IPC) leave the code a file system that is
read-only but for its folder, no network, and no process to signal but its own, all of which end
with it. Landlock takes away the reading of files elsewhere; without namespaces it also keeps in
writes, TCP and signals. Each of the two is tried by itself, and what holds is named.

Sources: unshare(2), mount_setattr(2), user_namespaces(7), landlock(7).
"""

import ctypes
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

NO_JAIL = "process limits only"
NAMESPACES = "user, mount, PID, network and IPC namespaces"
LANDLOCK = "Landlock"
SIGNALLED = 128  # an exit code beyond it names a signal, as shells have it

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_HERE, _RECURSIVE, _READ_ONLY = -100, 0x8000, 0x1
_SET_PDEATHSIG, _SET_NO_NEW_PRIVS, _DROP_FROM_BOUNDING_SET = 1, 38, 24
_CAPABILITIES_VERSION = 0x20080522
_MOUNT_SETATTR, _CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 442, 444, 445, 446
_FILE_RIGHTS = (13, 14, 15, 15, 16)  # how many there are, by Landlock's version
_RUN_READ, _LIST, _WRITE = 0b101, 0b1000, 0b10
_NET, _SCOPES = 0b11, 0b11  # bind and connect TCP; abstract sockets and signals
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom")


class Rooms(NamedTuple):
    """Folders that the code may reach: folders to read, and the one folder to write to."""

    readable: Iterable[str]
    folder: str


def enter(rooms: Rooms) -> str:
    """Put this process into the jail and say what holds.

    Where namespaces hold, the caller goes on as a child whose exit code its parent passes on.
    """
    if not sys.platform.startswith("linux"):
        return f"{NO_JAIL}: {sys.platform} has neither namespaces nor Landlock"
    libc = ctypes.CDLL(None, use_errno=True)
    held, refused = [], []
    for name, part in ((NAMESPACES, _unshare), (LANDLOCK, _landlock)):
        if fault := _fault(libc, rooms, part):
            refused.append(f"{name}: {os.strerror(fault)}")
        else:
            part(libc, rooms)
            held.append(name)
    return " and ".join(held) or f"{NO_JAIL}: the kernel refuses {'; '.join(refused)}"


def _fault(libc: ctypes.CDLL, rooms: Rooms, part: Callable[[ctypes.CDLL, Rooms], None]) -> int:
    """The error number with which the kernel refuses a part; 0 where it allows it.

    Tried in a child first: some kernels refuse half-way, which would leave this process half in.
    """
    if trying := os.fork():
        return _exit_code(trying)
    code = 0
    try:
        part(libc, rooms)
    except OSError as error:
        code = error.errno or 1
    finally:
        os._exit(code)


def _unshare(libc: ctypes.CDLL, rooms: Rooms) -> None:
    user, group = os.getuid(), os.getgid()
    _done(libc.unshare(_NEWUSER | _NEWNS | _NEWPID | _NEWNET | _NEWIPC))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    folder = rooms.folder.encode()
    _done(libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))
    _done(libc.mount(folder, folder, None, _MS_BIND, None))
    _set_attributes(libc, b"/", _RECURSIVE, struct.pack("QQQQ", _READ_ONLY, 0, 0, 0))
    _set_attributes(libc, folder, 0, struct.pack("QQQQ", 0, _READ_ONLY, 0, 0))
    os.chdir(rooms.folder)  # the mount, not what lies beneath it
    _go_on_in_the_new_processes(libc)
    _drop_capabilities(libc)


def _set_attributes(libc: ctypes.CDLL, path: bytes, flags: int, attributes: bytes) -> None:
    _done(libc.syscall(_MOUNT_SETATTR, _HERE, path, flags, attributes, len(attributes)))


def _go_on_in_the_new_processes(libc: ctypes.CDLL) -> None:
    """Return in the second process of the PID namespace; the first one ends with it, and all."""
    if first := os.fork():
        os._exit(_exit_code(first))
    libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if second := os.fork():
        os._exit(_exit_code(second))


def _exit_code(child: int) -> int:
    while True:
        ended, status = os.wait()
        if ended == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else SIGNALLED - code


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Give up what the new user namespace grants, so that mounts stay as they are."""
    capability = 0
    while libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0) == 0:
        capability += 1
    _done(libc.capset(struct.pack("Ii", _CAPABILITIES_VERSION, 0), bytes(24)))


def _landlock(libc: ctypes.CDLL, rooms: Rooms) -> None:
    version = _done(libc.syscall(_CREATE_RULESET, None, 0, 1))
    rights = (1 << _FILE_RIGHTS[min(version, len(_FILE_RIGHTS)) - 1]) - 1
    handled = [rights, _NET if version >= 4 else 0, _SCOPES if version >= 6 else 0]
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _done(libc.syscall(_CREATE_RULESET, struct.pack("QQQ", *handled), size, 0))
    for path in (*_SYSTEM, *rooms.readable):
        _allow(libc, ruleset, path, _RUN_READ | _LIST)
    _allow(libc, ruleset, os.devnull, _RUN_READ | _WRITE)
    _allow(libc, ruleset, rooms.folder, rights)
    _done(libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _done(libc.syscall(_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        of_files = rights if os.path.isdir(path) else rights & ~_LIST  # noqa: PTH112
        rule = struct.pack("=Qi", of_files, place)
        _done(libc.syscall(_ADD_RULE, ruleset, 1, rule, 0))
    finally:
        os.close(place)


def _done(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
