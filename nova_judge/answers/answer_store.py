"""Answers, each stored once under a name made of prompt, model, settings and seed.

    answers/<model name>/<run id>/chunks/<shard>/<token>.jsonl   a chunk: some hundred answers
    answers/<model name>/<run id>/names/<shard>-<worker>         16 bytes for each answer in them
    answers/<model name>/<run id>/setbacks/<shard>/<execution>/<worker>.jsonl   rows that failed

Chunks are only ever added, whole and under a fresh token: what a killed worker leaves is a shard
with fewer chunks, and two workers on one shard overwrite nothing. A chunk costs two PUTs, so that
10 million answers cost some 50,000. `names` tells other runs what a shard knows without reading its
texts; they look first where the same place of the file lies, and stop when they have all they need.
Setbacks hold for one execution: whoever starts another wants failed rows asked again.
"""

import hashlib
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from operator import attrgetter
from typing import NamedTuple, Protocol

import msgspec

from nova_judge.answers.answers import Answer, Setback
from nova_judge.answers.prompts import NAME_BYTES, prompt_name
from nova_judge.layout import ANSWERS

CHUNK_ANSWERS = 500
CHUNK_SECONDS = 15.0
READERS = 16


class Objects(Protocol):
    """A flat store of named bytes: a bucket, or a folder."""

    def keys(self, prefix: str) -> Iterable[str]:
        """All keys that begin with `prefix`, sorted."""

    def folders(self, prefix: str) -> Iterable[str]:
        """The next part, up to its `/`, of all keys that begin with `prefix`, sorted."""

    def read(self, key: str) -> bytes:
        """The bytes under `key`."""

    def write(self, key: str, body: bytes) -> None:
        """Put `body` under `key`, whole or not at all; when this returns it is durable."""


class ShardPlace(NamedTuple):
    """Part of a run in which answers are asked for."""

    run_id: str
    shard: int


class _Entry(msgspec.Struct, frozen=True):
    name: bytes
    answer: Answer


class _FailedEntry(msgspec.Struct, frozen=True):
    name: bytes
    setback: Setback


class _Line(NamedTuple):
    """An entry as it will stand in its chunk."""

    name: bytes
    text: bytes


_decoder = msgspec.json.Decoder(_Entry)
_failed_decoder = msgspec.json.Decoder(_FailedEntry)
_encoder = msgspec.json.Encoder()


def names_folder(model_name: str, run_id: str) -> str:
    """The folder of a run's names of answers: `NAME_BYTES` for each answer that it has stored."""
    return f"{ANSWERS}{model_name}/{run_id}/names/"


class AnswerJournal:
    """One model's answers, as one worker on one shard reads and adds to them.

    `reuse=False` leaves other runs' answers aside (`--no-cache`); what this shard itself stored
    before it was interrupted is found in any case. `execution` is the one whose setbacks count.
    """

    def __init__(
        self,
        objects: Objects,
        model_name: str,
        place: ShardPlace,
        *,
        execution: str = "",
        reuse: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._objects = objects
        self._root = f"{ANSWERS}{model_name}/"
        self._place = place
        self._execution = hashlib.sha256(execution.encode()).hexdigest()[:16]
        self._reuse = reuse
        self._now = now
        self._worker = uuid.uuid4().hex
        self._lock = threading.Lock()
        self._storing = threading.Lock()
        self._waiting: list[_Line] = []
        self._oldest = now()
        self._stored: set[bytes] = set()

    def find(self, prompts: Sequence[str]) -> Mapping[str, Answer]:
        """The stored answers among those to `prompts`: this shard's own first, then other runs'."""
        wanted = {prompt_name(prompt): prompt for prompt in prompts}
        answers: dict[str, Answer] = {}
        for entry in self._entries(self._place):
            self._stored.add(entry.name)
            if entry.name in wanted:
                answers[wanted.pop(entry.name)] = entry.answer
        if self._reuse:
            for entry in self._from_other_runs(wanted):
                answer = msgspec.structs.replace(entry.answer, cached=True)
                answers[wanted.pop(entry.name)] = answer
        return answers

    def setbacks(self, prompts: Sequence[str]) -> Mapping[str, Setback]:
        """Costs of those `prompts` that failed before, in the same execution."""
        keys = list(self._objects.keys(self._setbacks()))
        # Naming reads every prompt in full: only where one failed before.
        wanted = {prompt_name(prompt): prompt for prompt in prompts} if keys else {}
        latest: dict[str, Setback] = {}
        for key in keys:
            for entry in _failed_decoder.decode_lines(self._objects.read(key)):
                prompt = wanted.get(entry.name)
                if prompt is not None:
                    known = latest.get(prompt, entry.setback)
                    latest[prompt] = max(known, entry.setback, key=attrgetter("tries"))
        return latest

    def set_back(self, setbacks: Mapping[str, Setback]) -> None:
        """Store what prompts cost, for the next call of this execution."""
        if not setbacks:
            return
        entries = [_FailedEntry(prompt_name(p), setback) for p, setback in setbacks.items()]
        key = f"{self._setbacks()}{self._worker}.jsonl"
        self._objects.write(key, _encoder.encode_lines(entries))

    def add(self, prompt: str, answer: Answer) -> None:
        """Take one answer; the one that fills a chunk, or finds it old, stores it."""
        name = prompt_name(prompt)
        # Encoded here, so that one that cannot be takes no other down with it.
        line = _Line(name, _encoder.encode(_Entry(name, answer)))
        with self._lock:
            if not self._waiting:
                self._oldest = self._now()
            self._waiting.append(line)
            full = len(self._waiting) >= CHUNK_ANSWERS
            if not (full or self._now() - self._oldest >= CHUNK_SECONDS):
                return
        self.flush()

    def flush(self) -> None:
        """Store all that was added; when this returns, it will be found again.

        Raises what the store raises; what it did not take is kept for the next try.
        """
        with self._storing:
            with self._lock:
                chunk, self._waiting = self._waiting, []
            if not chunk:
                return
            try:
                self._store(chunk)
            except BaseException:
                with self._lock:
                    self._waiting = chunk + self._waiting
                raise

    def _store(self, chunk: Sequence[_Line]) -> None:
        run_id, shard = self._place
        key = f"{self._chunks(self._place)}{uuid.uuid4().hex}.jsonl"
        self._objects.write(key, b"".join(line.text + b"\n" for line in chunk))
        self._stored.update(line.name for line in chunk)
        names = f"{self._root}{run_id}/names/{shard:05d}-{self._worker}"
        self._objects.write(names, b"".join(sorted(self._stored)))

    def _chunks(self, place: ShardPlace) -> str:
        return f"{self._root}{place.run_id}/chunks/{place.shard:05d}/"

    def _setbacks(self) -> str:
        run_id, shard = self._place
        return f"{self._root}{run_id}/setbacks/{shard:05d}/{self._execution}/"

    def _entries(self, place: ShardPlace) -> Iterator[_Entry]:
        for key in self._objects.keys(self._chunks(place)):
            yield from _decoder.decode_lines(self._objects.read(key))

    def _from_other_runs(self, wanted: Mapping[bytes, str]) -> Iterator[_Entry]:
        """Entries whose names are in `wanted`, from which the caller takes what it gets."""
        for run_id in self._objects.folders(self._root):
            if run_id == self._place.run_id:
                continue
            for place in self._shards_with(wanted, run_id):
                for entry in self._entries(place):
                    if entry.name in wanted:
                        yield entry

    def _shards_with(self, wanted: Mapping[bytes, str], run_id: str) -> Iterator[ShardPlace]:
        """The shards of another run that know something of `wanted`, nearest first."""
        keys = sorted(self._objects.keys(f"{self._root}{run_id}/names/"), key=self._distance)
        with ThreadPoolExecutor(READERS) as readers:
            for first in range(0, len(keys), READERS):
                if not wanted:
                    return
                some = keys[first : first + READERS]
                for key, names in zip(some, readers.map(self._objects.read, some), strict=True):
                    if any(name in wanted for name in _split(names)):
                        yield ShardPlace(run_id, _shard_of(key))

    def _distance(self, names_key: str) -> tuple[int, str]:
        return abs(_shard_of(names_key) - self._place.shard), names_key


def _shard_of(names_key: str) -> int:
    return int(names_key.rsplit("/", 1)[1].split("-", 1)[0])


def _split(names: bytes) -> Iterator[bytes]:
    return (names[i : i + NAME_BYTES] for i in range(0, len(names), NAME_BYTES))
