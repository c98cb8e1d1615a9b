"""What was stored is found again, whoever asks, and nothing else is."""

import pytest

from nova_judge.answers.answer_store import CHUNK_ANSWERS, CHUNK_SECONDS, AnswerJournal, ShardPlace
from nova_judge.answers.answers import Answer, FailedAnswer, Setback, model_name
from nova_judge.answers.prompts import prompt_name
from nova_judge.recipe.recipe import Generation
from tests.made.folder_objects import FolderObjects

ANSWER = Answer("x", tries=3, input_tokens=5, output_tokens=7, finish_reason="stop", latency_s=0.5)


class Counting(FolderObjects):
    """A folder that counts what it is asked."""

    def __init__(self, folder):
        super().__init__(folder)
        self.written, self.was_read = [], []

    def write(self, key, body):
        self.written.append(key)
        super().write(key, body)

    def read(self, key):
        self.was_read.append(key)
        return super().read(key)


@pytest.fixture
def objects(tmp_path):
    return Counting(tmp_path)


def journal(objects, run_id="run", shard=0, **how):
    return AnswerJournal(objects, "model", ShardPlace(run_id, shard), **how)


def test_what_was_flushed_is_found_with_all_it_carries(objects):
    kept = journal(objects)
    kept.add("one", ANSWER)
    kept.flush()
    assert journal(objects).find(["one", "two"]) == {"one": ANSWER}


def test_what_was_not_flushed_is_not_there(objects):
    journal(objects).add("one", ANSWER)
    assert journal(objects).find(["one"]) == {}
    assert objects.written == []


def test_a_full_chunk_is_stored_at_once(objects):
    kept = journal(objects)
    for n in range(CHUNK_ANSWERS):
        kept.add(f"question {n}", Answer(str(n)))
    found = journal(objects).find([f"question {n}" for n in range(CHUNK_ANSWERS)])
    assert len(found) == CHUNK_ANSWERS


def test_an_old_chunk_is_stored_though_it_is_not_full(objects):
    seconds = [0.0]
    kept = journal(objects, now=lambda: seconds[0])
    kept.add("one", ANSWER)
    seconds[0] = CHUNK_SECONDS
    kept.add("two", ANSWER)
    assert set(journal(objects).find(["one", "two"])) == {"one", "two"}


def test_a_shard_of_5000_answers_costs_twenty_writes(objects):
    kept = journal(objects)
    for n in range(5000):
        kept.add(str(n), Answer("x"))
    kept.flush()
    assert len(objects.written) == 20


def test_what_failed_rows_cost_is_known_to_the_next_call_of_the_same_execution_only(objects):
    gone = Setback(7, 600.0, FailedAnswer("timed out", 7))
    first, second = (journal(objects, execution="first") for _ in range(2))
    first.set_back({"one": Setback(1, 60.0), "two": Setback(2, 9.0)})
    second.set_back({"one": gone})
    known = journal(objects, execution="first").setbacks(["one", "two", "three"])
    assert known == {"one": gone, "two": Setback(2, 9.0)}
    assert journal(objects, execution="second").setbacks(["one", "two"]) == {}
    assert journal(objects, execution="first", shard=1).setbacks(["one"]) == {}


def test_failed_rows_are_no_answers(objects):
    kept = journal(objects)
    kept.set_back({"one": Setback(1, 60.0)})
    kept.set_back({})
    assert len(objects.written) == 1
    assert journal(objects).find(["one"]) == {}
    assert journal(objects, run_id="other").find(["one"]) == {}


class Refusing(FolderObjects):
    """A folder that takes nothing for a while."""

    refuses = True

    def write(self, key, body):
        if self.refuses:
            raise OSError("slow down")
        super().write(key, body)


def test_what_the_store_did_not_take_is_kept_for_the_next_try(tmp_path):
    objects = Refusing(tmp_path)
    kept = journal(objects)
    kept.add("one", ANSWER)
    with pytest.raises(OSError, match="slow down"):
        kept.flush()
    objects.refuses = False
    kept.add("two", ANSWER)
    kept.flush()
    assert set(journal(objects).find(["one", "two"])) == {"one", "two"}


def test_an_answer_that_cannot_be_stored_takes_no_other_down_with_it(objects):
    kept = journal(objects)
    kept.add("one", ANSWER)
    with pytest.raises(UnicodeEncodeError):
        kept.add("two", Answer("half a character: \ud83d"))
    kept.flush()
    assert set(journal(objects).find(["one", "two"])) == {"one"}


def test_a_resumed_shard_adds_to_what_it_has(objects):
    for n in range(3):
        kept = journal(objects)
        assert len(kept.find([str(m) for m in range(10)])) == n
        kept.add(str(n), Answer("x"))
        kept.flush()
    other = journal(objects, run_id="other").find(["0", "1", "2"])
    assert len(other) == 3


def test_two_workers_on_one_shard_overwrite_nothing(objects):
    one, two = journal(objects), journal(objects)
    one.add("one", Answer("1"))
    two.add("two", Answer("2"))
    two.flush()
    one.flush()
    assert len(journal(objects).find(["one", "two"])) == 2
    assert len(journal(objects, run_id="other").find(["one", "two"])) == 2


def test_another_runs_answers_say_that_they_are_cached(objects):
    kept = journal(objects)
    kept.add("one", ANSWER)
    kept.flush()
    found = journal(objects, run_id="other").find(["one"])["one"]
    assert found.cached
    assert found.text == "x"
    assert journal(objects, run_id="other", reuse=False).find(["one"]) == {}


def test_a_new_row_in_a_file_costs_one_call_wherever_it_stands(objects):
    for shard in range(5):
        kept = journal(objects, shard=shard)
        for n in range(100):
            kept.add(f"{shard} {n}", Answer("x"))
        kept.flush()
    shifted = ["new", *(f"0 {n}" for n in range(90, 100)), *(f"1 {n}" for n in range(89))]
    found = journal(objects, run_id="other", shard=1).find(shifted)
    assert set(shifted) - set(found) == {"new"}


def test_the_same_place_of_the_file_is_looked_at_first_and_then_no_further(objects):
    for shard in range(100):
        kept = journal(objects, shard=shard)
        kept.add(f"shard {shard}", Answer("x"))
        kept.flush()
    objects.was_read.clear()
    journal(objects, run_id="other", shard=50).find(["shard 50"])
    assert len(objects.was_read) <= 20
    assert next(key for key in objects.was_read if "/chunks/" in key).startswith(
        "answers/model/run/chunks/00050/"
    )


def test_another_model_has_other_answers(tmp_path):
    objects = FolderObjects(tmp_path)
    kept = AnswerJournal(objects, "model-1", ShardPlace("run", 0))
    kept.add("one", ANSWER)
    kept.flush()
    assert AnswerJournal(objects, "model-2", ShardPlace("other", 0)).find(["one"]) == {}


@pytest.mark.parametrize(
    "other",
    [
        {"max_tokens": 2},
        {"temperature": 0.1},
        {"top_p": 0.5},
        {"stop": ("x",)},
        {"system": "Be brief."},
        {"seed": 9},
    ],
)
def test_what_changes_the_answer_changes_the_name(other):
    assert model_name("m", Generation(**other)) != model_name("m", Generation())
    assert model_name("n", Generation()) != model_name("m", Generation())


def test_what_only_changes_the_asking_keeps_the_name():
    asked_otherwise = Generation(tries=3, call_timeout_s=5, max_failed=0.5, batch_from=9)
    assert model_name("m", asked_otherwise) == model_name("m", Generation())


def test_names_are_the_same_in_every_process():
    assert prompt_name("one").hex() == "7692c3ad3540bb803c020b3aee66cd88"


def test_a_folder_never_shows_half_an_object(tmp_path):
    objects = FolderObjects(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.part").write_bytes(b"half")
    objects.write("a/b", b"whole")
    assert list(objects.keys("a/")) == ["a/b"]
    assert list(objects.folders("")) == ["a"]
