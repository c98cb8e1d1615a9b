"""A worker that is killed at any moment costs at most the answers it had not stored."""

import multiprocessing
import os
import random
import signal
import time

import msgspec

from nova_judge.answers import answer_store
from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import Answer, lasting
from nova_judge.answers.generate import generate
from nova_judge.answers.lane import AnswerSource
from nova_judge.answers.retries import CUT_SHORT, CallFailed, RetryPolicy
from tests.hostile.bounds import rounds
from tests.made.folder_objects import FolderObjects

PROMPTS = [f"question {n}" for n in range(240)]
CHUNK = 20
THREADS = 8
FORK = multiprocessing.get_context("fork")


class Model:
    """A model in another process: every call is noted in a file, and one in five fails."""

    def __init__(self, candidate, log):
        self.candidate, self.log = candidate, log
        self.chance = random.Random()  # noqa: S311

    def ask(self, prompt):
        time.sleep(0.002)
        if self.chance.random() < 0.2:
            raise CallFailed(CUT_SHORT)
        os.write(self.log, f"{self.candidate} {prompt}\n".encode())
        return Answer(f"{self.candidate} says {prompt}", output_tokens=len(prompt))


def work(folder):
    """What the function does with one shard, to the file it writes at the end."""
    log = os.open(folder / "asked", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    objects = FolderObjects(folder)
    policy = RetryPolicy(backoff_first_s=0.001, backoff_most_s=0.002)
    sources = {
        c: AnswerSource(
            Model(c, log), AnswerJournal(objects, c, ShardPlace("run", 0)), policy, threads=THREADS
        )
        for c in ("A", "B")
    }
    generated = generate(dict.fromkeys(sources, PROMPTS), sources)
    for candidate, outcomes in generated.outcomes.items():
        lines = msgspec.json.Encoder().encode_lines([lasting(row) for row in outcomes])
        objects.write(f"responses/{candidate}", lines)


def run(folder, kill_after=None):
    """Run `work` in a process of its own, killed after so many seconds; how long it took."""
    worker = FORK.Process(target=work, args=(folder,))
    started = time.monotonic()
    worker.start()
    worker.join(kill_after)
    if worker.is_alive():
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    return time.monotonic() - started


def responses(folder):
    return [(folder / "responses" / candidate).read_bytes() for candidate in "AB"]


def asked(folder):
    return (folder / "asked").read_text().splitlines() if (folder / "asked").exists() else []


def stored(folder):
    """What a resumed worker will find."""
    objects = FolderObjects(folder)
    return {
        f"{c} {prompt}"
        for c in "AB"
        for prompt in AnswerJournal(objects, c, ShardPlace("run", 0)).find(PROMPTS)
    }


def test_killed_at_any_moment_and_resumed_it_writes_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(answer_store, "CHUNK_ANSWERS", CHUNK)
    whole = tmp_path / "undisturbed"
    whole.mkdir()
    seconds = run(whole)
    chance = random.Random(50)  # noqa: S311
    interrupted = 0
    for moment in range(rounds(12, 200)):
        folder = tmp_path / str(moment)
        folder.mkdir()
        run(folder, kill_after=chance.uniform(0, seconds))
        kept, before = stored(folder), asked(folder)
        interrupted += len(before) < 2 * len(PROMPTS)
        assert kept <= set(before)
        # Of each candidate: the chunk on its way to the store and the one that fills meanwhile.
        assert len(before) - len(kept) <= 2 * 2 * (CHUNK + THREADS)
        run(folder)
        assert not kept & set(asked(folder)[len(before) :])
        assert responses(folder) == responses(whole)
    assert interrupted
