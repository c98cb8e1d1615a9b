"""No row is lost, none is asked twice, and what is left over is said."""

import itertools
import random
import threading
import time

import pytest

from nova_judge.adapters.answer_objects import FolderObjects
from nova_judge.errors import GenerationFailedError
from nova_judge.generation.answer_store import AnswerJournal, Place
from nova_judge.generation.answers import Answer, FailedAnswer
from nova_judge.generation.generate import Source, generate, reasons
from nova_judge.generation.retries import (
    CONNECTION_BROKEN,
    CUT_SHORT,
    TIMED_OUT,
    CallFailed,
    RetryPolicy,
    by_status,
)

PROMPTS = [f"question {n}" for n in range(200)]
QUICK = RetryPolicy(most_tries=300, deadline_s=60, backoff_first_s=0.0005, backoff_most_s=0.002)
FAILURES = {
    "429": by_status(429),
    "424": by_status(424),
    "503": by_status(503),
    "530": by_status(530),
    "timeout": TIMED_OUT,
    "broken": CONNECTION_BROKEN,
    "cut": CUT_SHORT,
}


class Model:
    """A port that fails a share of its calls, and remembers what it was asked."""

    def __init__(self, failing=0.0, failures=(), mark="", latency=0.0):
        self.failing, self.failures, self.mark, self.latency = failing, failures, mark, latency
        self.asked = []
        self.chance = random.Random(7)  # noqa: S311

    def ask(self, prompt):
        self.asked.append(prompt)
        if self.latency:
            time.sleep(self.latency)
        if self.chance.random() < self.failing:
            raise CallFailed(self.chance.choice(self.failures))
        return Answer(f"{prompt}{self.mark}!")


class Kept:
    """A journal in memory."""

    def __init__(self, known=None):
        self.known = dict(known or {})
        self.flushed = 0

    def find(self, prompts):
        return {p: self.known[p] for p in prompts if p in self.known}

    def add(self, prompt, answer):
        self.known[prompt] = answer

    def flush(self):
        self.flushed += 1


def run(models, prompts=PROMPTS, journals=None, policy=QUICK, timeout=1.0, threads=64, **how):
    journals = journals or {c: Kept() for c in models}
    sources = {
        c: Source(model, journals[c], policy, timeout, threads) for c, model in models.items()
    }
    return generate(prompts, sources, **how)


def texts(outcomes):
    return [row.text if isinstance(row, Answer) else row for row in outcomes]


def test_both_candidates_answer_in_the_order_of_the_prompts():
    generated = run({"A": Model(mark="a"), "B": Model(mark="b")})
    assert texts(generated.outcomes["A"]) == [f"{p}a!" for p in PROMPTS]
    assert texts(generated.outcomes["B"]) == [f"{p}b!" for p in PROMPTS]
    assert generated.left == 0


def test_both_candidates_are_served_at_once():
    seen, met = threading.Barrier(2, timeout=5), []

    class Meeting(Model):
        def ask(self, prompt):
            met.append(seen.wait())
            return Answer(prompt)

    run({"A": Meeting(), "B": Meeting()}, prompts=["one"])
    assert sorted(met) == [0, 1]


@pytest.mark.parametrize("failing", [0.0, 0.3, 0.9])
@pytest.mark.parametrize("way", [*FAILURES, "all"])
def test_no_row_is_lost_however_many_calls_fail(way, failing):
    failures = list(FAILURES.values()) if way == "all" else [FAILURES[way]]
    generated = run({"A": Model(failing, failures)}, prompts=PROMPTS[:60])
    assert texts(generated.outcomes["A"]) == [f"{p}!" for p in PROMPTS[:60]]


def test_an_answer_says_how_many_tries_it_took():
    first = iter([CallFailed(by_status(503)), CallFailed(CUT_SHORT), None])

    class Third(Model):
        def ask(self, prompt):
            if failure := next(first):
                raise failure
            return Answer("at last")

    (answer,) = run({"A": Third()}, prompts=["one"]).outcomes["A"]
    assert (answer.text, answer.tries) == ("at last", 3)
    assert answer.latency_s >= 0


def test_a_row_that_cannot_succeed_is_asked_once_and_carries_its_reason():
    model = Model(1.0, [by_status(400, "ValidationError", "too long")])
    (row,) = run({"A": model}, prompts=["one"]).outcomes["A"]
    assert row == FailedAnswer("400 ValidationError", 1, "too long")
    assert model.asked == ["one"]


def test_a_row_is_given_up_after_the_most_tries():
    policy = QUICK._replace(most_tries=5)
    (row,) = run({"A": Model(1.0, [CUT_SHORT])}, prompts=["one"], policy=policy).outcomes["A"]
    assert row == FailedAnswer("answer cut short", 5)


def test_a_row_is_given_up_at_its_deadline():
    policy = QUICK._replace(deadline_s=0.05)
    (row,) = run({"A": Model(1.0, [TIMED_OUT])}, prompts=["one"], policy=policy).outcomes["A"]
    assert row.reason == "timed out"
    assert 1 < row.tries < 300


def test_failures_are_grouped_by_reason():
    rows = [FailedAnswer("timed out", 3), FailedAnswer("timed out", 9), Answer("x"), None]
    assert reasons(rows) == {"timed out": 2}


def test_a_candidate_that_is_shut_ends_the_run_after_a_few_calls():
    model = Model(1.0, [by_status(403, "AccessDeniedException", "not authorized")])
    with pytest.raises(GenerationFailedError, match=r"candidate A.*403 AccessDenied.*role"):
        run({"A": model})
    assert len(model.asked) < len(PROMPTS)


def test_an_endpoint_that_goes_away_midway_costs_no_row_and_ends_the_shard():
    class Leaving(Model):
        def ask(self, prompt):
            if len(self.asked) >= 100:
                raise CallFailed(by_status(404, "ValidationError"))
            return super().ask(prompt)

    kept = Kept()
    with pytest.raises(GenerationFailedError, match="20 calls in a row"):
        run({"A": Leaving()}, journals={"A": kept})
    assert 100 <= len(kept.known) < len(PROMPTS)
    assert kept.flushed == 1
    assert run({"A": Model()}, journals={"A": kept}).left == 0


def test_answers_slower_than_half_the_timeout_count_as_push_back():
    most = 0

    class Queueing(Model):
        """Serves four at once; every further call waits in line."""

        waiting = 0

        def ask(self, prompt):
            nonlocal most
            self.waiting += 1
            time.sleep(0.005 * max(1, self.waiting / 4))
            self.waiting -= 1
            most = max(most, self.waiting) if len(self.asked) > 150 else 0
            return super().ask(prompt)

    policy = QUICK._replace(slow_s=0.015)
    generated = run({"A": Queueing()}, policy=policy)
    assert generated.left == 0
    assert {row.tries for row in generated.outcomes["A"]} == {1}
    assert most < 32


def test_equal_prompts_are_asked_once_and_all_get_the_answer():
    model = Model()
    generated = run({"A": model}, prompts=["one", "two", "one"])
    assert texts(generated.outcomes["A"]) == ["one!", "two!", "one!"]
    assert sorted(model.asked) == ["one", "two"]


def test_stored_answers_are_not_asked_for():
    model, kept = Model(), Kept({p: Answer("stored") for p in PROMPTS[:150]})
    generated = run({"A": model}, journals={"A": kept})
    assert sorted(model.asked) == sorted(PROMPTS[150:])
    assert texts(generated.outcomes["A"])[:150] == ["stored"] * 150


def test_when_the_time_is_nearly_up_the_rest_is_handed_over_and_finished_later():
    clock = itertools.count(100, -1)
    kept, model = Kept(), Model()
    first = run({"A": model}, journals={"A": kept}, time_left=lambda: next(clock), threads=1)
    assert 0 < first.left < len(PROMPTS)
    assert kept.flushed == 1
    assert sum(row is None for row in first.outcomes["A"]) == first.left
    second = run({"A": model}, journals={"A": kept})
    assert second.left == 0
    assert sorted(model.asked) == sorted(PROMPTS)


def test_no_call_begins_that_could_outlast_the_caller():
    model = Model()
    generated = run({"A": model}, time_left=lambda: 70.0, timeout=60.0)
    assert (model.asked, generated.left) == ([], len(PROMPTS))


def test_a_journal_that_cannot_store_stops_both_lanes_and_is_not_hushed_up():
    class Full(Kept):
        def add(self, prompt, answer):
            raise OSError("no space left")

    model = Model(latency=0.05)
    with pytest.raises(OSError, match="no space left"):
        run({"A": model, "B": Model()}, journals={"A": Kept(), "B": Full()}, threads=2)
    assert len(model.asked) < len(PROMPTS)


def test_a_journal_that_cannot_store_costs_the_other_candidate_nothing():
    class Shut(Kept):
        def flush(self):
            raise OSError("slow down")

    for journals in ({"A": Shut(), "B": Kept()}, {"A": Kept(), "B": Shut()}):
        with pytest.raises(OSError, match="slow down"):
            run({"A": Model(), "B": Model()}, journals=journals)
        assert max(journal.flushed for journal in journals.values()) == 1


def test_without_prompts_nothing_happens():
    assert run({"A": Model()}, prompts=[]).outcomes == {"A": []}


def test_a_repeated_run_reads_what_another_run_stored_and_says_so(tmp_path):
    def journal(run_id, **how):
        return AnswerJournal(FolderObjects(tmp_path), "model", Place(run_id, 0), **how)

    first, again, fresh = Model(), Model(), Model()
    run({"A": first}, journals={"A": journal("run-1")})
    generated = run({"A": again}, journals={"A": journal("run-2")})
    assert again.asked == []
    assert {row.cached for row in generated.outcomes["A"]} == {True}
    run({"A": fresh}, journals={"A": journal("run-3", reuse=False)})
    assert sorted(fresh.asked) == sorted(PROMPTS)
