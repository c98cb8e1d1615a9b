"""No row is lost, none is asked twice, and what is left over is said."""

import itertools
import random
import threading
import time

import pytest

from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import Answer, FailedAnswer
from nova_judge.answers.generate import RESERVE_S, generate
from nova_judge.answers.lane import MOST_THREADS, AnswerSource
from nova_judge.answers.retries import (
    CONNECTION_BROKEN,
    CUT_SHORT,
    TIMED_OUT,
    UNREACHED,
    CallFailed,
    RetryPolicy,
    by_status,
)
from nova_judge.errors import GenerationFailedError
from tests.made.folder_objects import FolderObjects

PROMPTS = [f"question {n}" for n in range(200)]
QUICK = RetryPolicy(most_tries=300, patience_s=60, backoff_first_s=0.0005, backoff_most_s=0.002)
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
        self.cost = {}
        self.flushed = 0

    def find(self, prompts):
        return {p: self.known[p] for p in prompts if p in self.known}

    def setbacks(self, prompts):
        return {p: self.cost[p] for p in prompts if p in self.cost}

    def set_back(self, setbacks):
        self.cost |= setbacks

    def add(self, prompt, answer):
        self.known[prompt] = answer

    def flush(self):
        self.flushed += 1


def run(models, prompts=PROMPTS, journals=None, policy=QUICK, timeout=1.0, threads=64, **how):
    journals = journals or {c: Kept() for c in models}
    sources = {
        c: AnswerSource(model, journals[c], policy, timeout, threads) for c, model in models.items()
    }
    return generate(dict.fromkeys(sources, prompts), sources, **how)


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


def test_a_row_is_given_up_when_it_has_cost_too_much():
    policy = QUICK._replace(patience_s=0.05)
    (row,) = run({"A": Model(1.0, [TIMED_OUT])}, prompts=["one"], policy=policy).outcomes["A"]
    assert row.reason == "timed out"
    assert 1 < row.tries < 300


def test_a_candidate_that_is_shut_ends_the_run_after_a_few_calls():
    model = Model(1.0, [by_status(403, "AccessDeniedException", "not authorized")])
    with pytest.raises(GenerationFailedError, match=r"candidate A.*403 AccessDenied.*role"):
        run({"A": model})
    assert len(model.asked) < len(PROMPTS)


DAILY = "Too many tokens per day, please wait before trying again."
DEPRECATED = "`temperature` is deprecated for this model"


def test_a_spent_quota_of_the_day_ends_the_shard_at_once_and_keeps_what_was_answered():
    class Spending(Model):
        def ask(self, prompt):
            if len(self.asked) >= 100:
                self.asked.append(prompt)
                raise CallFailed(by_status(429, "ThrottlingException", DAILY))
            return super().ask(prompt)

    kept, model = Kept(), Spending()
    with pytest.raises(
        GenerationFailedError, match=r"quota of the day is used up: .*tokens per day”"
    ):
        run({"A": model}, journals={"A": kept})
    assert len(model.asked) < 100 + 20 + MOST_THREADS
    assert kept.flushed == 1
    assert run({"A": Model()}, journals={"A": kept}).left == 0


def test_a_server_that_is_gone_ends_the_shard_at_once_and_keeps_what_was_answered():
    class Dying(Model):
        def ask(self, prompt):
            if len(self.asked) >= 100:
                raise CallFailed(UNREACHED)
            return super().ask(prompt)

    kept = Kept()
    with pytest.raises(GenerationFailedError, match=r"nobody takes connections.*Is the server up"):
        run({"A": Dying()}, journals={"A": kept})
    assert kept.flushed == 1
    assert run({"A": Model()}, journals={"A": kept}).left == 0


def test_a_refusal_that_every_row_gets_ends_the_shard_with_the_services_words():
    model = Model(1.0, [by_status(400, "ValidationException", DEPRECATED)])
    with pytest.raises(
        GenerationFailedError, match=r"candidate A: 20 calls .*`temperature` is dep"
    ):
        run({"A": model})
    assert len(model.asked) < 20 + MOST_THREADS


@pytest.mark.parametrize("detail", ["Input is too long for requested model.", "", "safety policy"])
def test_a_refusal_that_speaks_of_one_prompt_costs_that_row_alone(detail):
    model = Model(1.0, [by_status(400, "ValidationException", detail)])
    rows = run({"A": model}).outcomes["A"]
    assert len(model.asked) == len(rows)
    assert {row.detail for row in rows} == {detail}


def test_refusals_in_the_same_words_are_no_reason_to_stop_once_a_row_was_answered():
    class Picky(Model):
        def ask(self, prompt):
            if len(self.asked) >= 100:
                self.asked.append(prompt)
                raise CallFailed(by_status(400, "ValidationException", "Operation not allowed"))
            return super().ask(prompt)

    outcomes = run({"A": Picky()}).outcomes["A"]
    assert len(outcomes) == len(PROMPTS)
    assert sum(isinstance(row, FailedAnswer) for row in outcomes) == len(PROMPTS) - 100


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


class Hopeless(Model):
    """Never answers some prompts, which costs a time-out each time."""

    def __init__(self, never):
        super().__init__()
        self.never, self.seconds = never, 0.02

    def ask(self, prompt):
        answer = super().ask(prompt)
        if prompt in self.never:
            time.sleep(self.seconds)
            raise CallFailed(TIMED_OUT)
        return answer


def until(seconds, timeout=1.0):
    """The time left of a function in which calls may begin for so many seconds."""
    end = time.monotonic() + seconds + RESERVE_S + timeout
    return lambda: end - time.monotonic()


def test_a_shard_with_hopeless_rows_ends_however_short_the_calls_are():
    never = set(PROMPTS[::8])
    kept, model = Kept(), Hopeless(never)
    policy = QUICK._replace(patience_s=0.1)
    for _ in range(30):
        generated = run(
            {"A": model}, journals={"A": kept}, policy=policy, threads=8, time_left=until(0.4)
        )
        if generated.left == 0:
            break
    failed = {
        prompt
        for prompt, row in zip(PROMPTS, generated.outcomes["A"], strict=True)
        if isinstance(row, FailedAnswer)
    }
    assert failed == never
    assert all(row.tries > 1 for row in kept.cost.values() if row.failed)


def test_a_row_that_was_given_up_is_asked_again_by_a_new_execution_only(tmp_path):
    def kept(execution):
        return AnswerJournal(
            FolderObjects(tmp_path), "model", ShardPlace("run", 0), execution=execution
        )

    refused, whole = Model(1.0, [by_status(400)]), Model()
    (first,) = run({"A": refused}, ["one"], {"A": kept("first")}).outcomes["A"]
    (again,) = run({"A": whole}, ["one"], {"A": kept("first")}).outcomes["A"]
    assert again == first == FailedAnswer("400", 1)
    assert texts(run({"A": whole}, ["one"], {"A": kept("second")}).outcomes["A"]) == ["one!"]


def test_rows_that_fail_keep_no_other_row_waiting():
    kept = Kept()
    generated = run(
        {"A": Hopeless(set(PROMPTS[:50]))},
        journals={"A": kept},
        threads=4,
        policy=QUICK._replace(patience_s=1.5),
        time_left=until(1.2),
    )
    assert set(PROMPTS[50:]) <= set(kept.known)
    assert 0 < generated.left <= 50


def test_a_row_keeps_its_tries_however_long_others_are_asked_in_between():
    class Once(Model):
        """Fails every first call, and takes longer for all rows than one row may cost."""

        def ask(self, prompt):
            time.sleep(0.005)
            if self.asked.count(prompt) < 1:
                self.asked.append(prompt)
                raise CallFailed(by_status(500))
            return super().ask(prompt)

    generated = run({"A": Once()}, PROMPTS[:100], policy=QUICK._replace(patience_s=0.3), threads=1)
    assert all(isinstance(row, Answer) for row in generated.outcomes["A"])


def test_a_call_that_brings_nothing_ends_the_run_instead_of_another_call():
    kept, stuck = Kept(), Hopeless(set(PROMPTS))
    stuck.seconds = 0.2
    with pytest.raises(GenerationFailedError, match=r"candidate B: 200 rows are left.*timed out"):
        run({"A": Model(), "B": stuck}, journals={"A": Kept(), "B": kept}, time_left=until(0.5))
    assert kept.cost == {}


def test_hopeless_rows_that_are_all_that_is_left_are_given_up_in_the_end():
    kept, left, rows = Kept(), set(PROMPTS[:12]), []
    while None in rows or not rows:
        rows = run(
            {"A": Hopeless(left)},
            prompts=PROMPTS[:12],
            journals={"A": kept},
            policy=QUICK._replace(patience_s=0.5),
            threads=4,
            time_left=until(0.3),
        ).outcomes["A"]
    assert {row.reason for row in rows} == {"timed out"}


def test_a_model_that_always_takes_long_is_asked_as_much_at_once_as_a_quick_one():
    policy = QUICK._replace(slow_s=0.1)
    generated = run({"A": Model(latency=0.2)}, policy=policy, prompts=PROMPTS[:120], threads=32)
    assert generated.in_flight == {"A": 32}


class Answering(Hopeless):
    """Takes its time for the other prompts too."""

    def ask(self, prompt):
        time.sleep(0.05)
        return super().ask(prompt)


def test_time_outs_of_rows_that_others_overtake_are_no_push_back():
    model = Answering(set(PROMPTS[5:100:10]))
    model.seconds = 0.3
    policy = QUICK._replace(most_tries=3)
    generated = run({"A": model}, policy=policy, prompts=PROMPTS, threads=16)
    failed = [row for row in generated.outcomes["A"] if isinstance(row, FailedAnswer)]
    assert len({row.reason for row in failed}) == 1
    assert generated.in_flight == {"A": 16}


def test_time_outs_that_nobody_overtakes_are_push_back():
    model = Hopeless(set(PROMPTS))
    policy = QUICK._replace(most_tries=2)
    generated = run({"A": model}, policy=policy, threads=64)
    assert generated.in_flight == {"A": 4}


def test_without_time_for_a_single_call_the_run_ends_instead_of_spinning():
    model = Model()
    with pytest.raises(GenerationFailedError, match=r"lower generation\.call_timeout_s"):
        run({"A": model}, time_left=lambda: 70.0, timeout=60.0)
    assert model.asked == []


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
        return AnswerJournal(FolderObjects(tmp_path), "model", ShardPlace(run_id, 0), **how)

    first, again, fresh = Model(), Model(), Model()
    run({"A": first}, journals={"A": journal("run-1")})
    generated = run({"A": again}, journals={"A": journal("run-2")})
    assert again.asked == []
    assert {row.cached for row in generated.outcomes["A"]} == {True}
    run({"A": fresh}, journals={"A": journal("run-3", reuse=False)})
    assert sorted(fresh.asked) == sorted(PROMPTS)
