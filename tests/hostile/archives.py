"""Judge archives that attack their reader: each is made in memory, named for what it tries."""

import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator

RESULTS = "run/eval_results/results_1.json"
DETAILS = "run/eval_results/details/model/details_a.parquet"
BLOCK = 512
END = b"\0" * 2 * BLOCK


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    """One header block as GNU tar writes it; `size` may be anything that 12 bytes hold."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))[-BLOCK:]
    if not 0 <= size < 8**11:
        block[124:136] = size.to_bytes(12, "big", signed=True)
        block[124] |= 0x80
    else:
        block[124:136] = b"%011o\0" % size
    return _summed(block)


def member(name: str, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """A header and its content, padded to whole blocks."""
    return header(name, len(content), kind) + _padded(content)


def pax(payload: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    """An extended header."""
    return member("pax", payload, kind)


def pax_record(key: str, value: str) -> bytes:
    """One `length key=value` line of an extended header."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length += 1
    return str(length).encode() + rest


def attacks() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name, and what makes the archive's bytes."""
    good = member(RESULTS, b"{}")
    for size in (-1, -BLOCK, -(1 << 62), 1 << 62, 5 << 30):
        yield f"size {size} of a result", lambda size=size: packed(header(RESULTS, size) + good)
        yield f"size {size} of a stranger", lambda size=size: packed(header("x", size) + good)
    for size in ("-1", "-512", str(1 << 62), "1e9", "99" * 200):
        for name, kind in (("pax", tarfile.XHDTYPE), ("global pax", tarfile.XGLTYPE)):
            record = pax_record("size", size)
            yield (
                f"{name} size {size[:12]}",
                lambda record=record, kind=kind: packed(pax(record, kind) + good),
            )
    for kind in (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, b"K", b"S"):
        for size in (-1, 64 << 20, 1 << 50):
            yield (
                f"type {kind!r} of size {size}",
                lambda kind=kind, size=size: packed(header("x", size, kind) + b"1" * (1 << 20)),
            )
    yield "digits without end", lambda: packed(pax(b"1" * 16_000) + good)
    yield "many sets of digits", lambda: packed(pax(b"1" * 16_000) * 200 + good)
    yield "keywords in keywords", lambda: packed(pax(b"2 " * 8_000 + b"a=") + good)
    yield "a chain of extended headers", lambda: packed(pax(pax_record("a", "b")) * 50_000 + good)
    yield "a chain of long names", lambda: packed(member("x", b"y" * 90, b"L") * 50_000 + good)
    yield (
        "global headers that pile up",
        lambda: packed(
            b"".join(
                pax(pax_record(f"k{n}", "v" * 9_000), b"g") + member("x", b"") for n in range(900)
            )
        ),
    )
    yield "a sparse map without end", lambda: packed(_sparse(100_000))
    yield (
        "a sparse map in the content",
        lambda: packed(
            pax(pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0"))
            + member(RESULTS, b"9" * 400 + b"\n" + b"1\n" * 500_000)
        ),
    )
    yield (
        "a sparse map in a header",
        lambda: packed(pax(pax_record("GNU.sparse.map", "0,1," * 4_000 + "0,1")) + good),
    )
    yield "the same result twice", lambda: packed(good + good)
    for kind in (b"1", b"2", b"3", b"4", b"5", b"6"):
        yield (
            f"type {kind!r} in place of a result",
            lambda kind=kind: packed(header(RESULTS, 0, kind, "/etc/passwd") + good),
        )
    for name in ("/eval_results/results_1.json", "a/../../eval_results/results_1.json"):
        yield f"the name {name}", lambda name=name: packed(member(name, b"evil"))
    shown = "\x1b[2Jx\n/eval_results/results_1.json"
    yield "controls in a name", lambda: packed(member(shown, b"{}"))
    yield "a name of 300 kB", lambda: packed(member("x", b"n" * 300_000, b"L") + good)
    yield "many members", lambda: packed(header("x") * 100_000)
    yield "a bomb of zeros", lambda: packed(header(RESULTS, 3 << 30) + b"\0" * (80 << 20))
    yield "a bomb in a bomb", lambda: gzip.compress(packed(member("x", b"\0" * (64 << 20))))
    yield "empty streams", lambda: gzip.compress(b"") * 100_000
    yield "a gzip name without end", lambda: b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"n" * 3_000_000
    yield "gzip extra fields", lambda: b"\x1f\x8b\x08\x04" + b"\0" * 6 + b"\xff" * 70_000
    yield "zeros alone", lambda: packed(b"\0" * (8 << 20))
    yield "a member after the end", lambda: packed(good + END + good)
    yield "garbage after the stream", lambda: packed(good) + b"garbage"
    yield "cut in the middle", lambda: packed(good + member("x", bytes(range(256)) * 40))[:-90]
    yield "a wrong checksum", lambda: packed(good)[:-8] + b"\0" * 8
    yield "a zip archive", _zip
    yield "xz", lambda: lzma.compress(good + END)
    yield "plain tar", lambda: good + END
    yield "nothing", lambda: b""


def mutated(chance: random.Random) -> bytes:
    """A right archive with some bytes changed, cut, doubled or moved, mostly inside the tar."""
    whole = bytearray(
        pax(pax_record("comment", "x" * 30))
        + member(RESULTS, b'{"results": {}}')
        + member(DETAILS, chance.randbytes(600))
        + member("run/" + "n" * 90, b"")
        + END
    )
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(whole))
        part = whole[place : place + chance.choice((1, 12, BLOCK))]
        match chance.randrange(5):
            case 0:
                whole[place] = chance.randrange(256)
            case 1:
                whole[place : place + 12] = chance.choice((b"\xff" * 12, b"\x80" + b"\0" * 11))
            case 2:
                del whole[place : place + len(part)]
            case 3:
                whole[place:place] = part
            case _:
                start = chance.randrange(len(whole))
                whole[start : start + len(part)] = part
        if not whole:
            break
    if chance.random() < 0.7:
        _sum_headers(whole)
    raw = bytearray(gzip.compress(bytes(whole), mtime=0))
    if chance.random() < 0.2:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return bytes(raw)


def packed(tar: bytes) -> bytes:
    """The archive of these blocks."""
    return gzip.compress(tar + END, mtime=0)


def _sum_headers(blocks: bytearray) -> None:
    """Give every block that looks like a header the checksum that it needs to be read."""
    for start in range(0, len(blocks) - BLOCK + 1, BLOCK):
        if blocks[start + 257 : start + 262] == b"ustar":
            blocks[start : start + BLOCK] = _summed(blocks[start : start + BLOCK])


def _summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % BLOCK)


def _sparse(blocks: int) -> bytes:
    """An old GNU sparse file whose map goes on for so many blocks."""
    first = bytearray(header(RESULTS, 1 << 30, tarfile.GNUTYPE_SPARSE))
    first[482] = 1
    entry = b"%011o\0%011o\0" % (1, 1)
    more = entry * 21 + struct.pack("B7x", 1)
    return _summed(first) + more * blocks


def _zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr(RESULTS, "{}")
    return written.getvalue()
