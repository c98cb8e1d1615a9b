"""The task family of benchmarks: a few questions of our own in place of the published sets."""

import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.pairs.container_details import Detail
from nova_judge.recipe.benchmarks import benchmarks, split_subtasks
from nova_judge.records import Unscored
from nova_judge.text import count_of
from nova_judge_local.container.mounted_job import (
    STAND_IN,
    ContainerJob,
    averaged,
    with_standard_errors,
    write_details,
    write_results,
)
from nova_judge_local.container.preset_scorers import preset_scores
from nova_judge_local.emulator_settings import answering

QUESTIONS = Path(__file__).with_name("benchmarks")
LETTERS = "ABCD"
_CHOICE = re.compile(r"the correct answer is[\s:(*]*([A-D])\b", re.IGNORECASE)


class Question(msgspec.Struct):
    """One question; without choices the answer is a mathematical expression."""

    subtask: str
    question: str
    answer: str
    choices: list[str] = []

    @property
    def prompt(self) -> str:
        """Prompt of the model."""
        if not self.choices:
            return (
                f"{self.question}\n\nReason step by step and put the final answer in \\boxed{{}}."
            )
        listed = "\n".join(
            f"({letter}) {choice}" for letter, choice in zip(LETTERS, self.choices, strict=False)
        )
        return (
            f"{self.question}\n\n{listed}\n\nReason step by step. End with: "
            '"The correct answer is (X)."'
        )


def run(job: ContainerJob) -> None:
    """Ask every question of the sub-tasks wanted, and write details and results a sub-task."""
    task, metric = job.task, job.recipe["evaluation"]["metric"]
    questions = _questions(job)
    answers = job.outside.model.answers(job.model, [(q.question, q.prompt) for q in questions])
    texts = ["" if isinstance(answer, Unscored) else answer for answer in answers]
    strategy = benchmarks()[task].strategy
    scored = [
        (question, text, {} if isinstance(answer, Unscored) else {metric: score})
        for question, text, answer, score in zip(
            questions, texts, answers, _SCORED[task](questions, texts), strict=True
        )
    ]
    results: dict[str, dict[str, float]] = {}
    for subtask, group in groupby(scored, key=lambda row: row[0].subtask):
        held = list(group)
        key = f"custom|{task}_{strategy}:{subtask}|0"
        details = (Detail(asked.prompt, row, [text], asked.answer) for asked, text, row in held)
        write_details(job, key, details)
        results[key] = with_standard_errors([row for _, _, row in held])
    write_results(job, results, averaged(results.values()), _stand_in(job, questions))


def _stand_in(job: ContainerJob, questions: list[Question]) -> str:
    description = answering(job.outside.model.server)
    return f"{STAND_IN} ({description} to {count_of(len(questions), 'question')} of its own)"


def _questions(job: ContainerJob) -> list[Question]:
    file = QUESTIONS / f"{job.task}.jsonl"
    if not file.is_file():
        offered = ", ".join(sorted(path.stem for path in QUESTIONS.glob("*.jsonl")))
        raise LocalModeError(
            f"Local mode has no questions for the benchmark {job.task!r}; it has {offered}."
        )
    decoder = msgspec.json.Decoder(Question)
    questions = [decoder.decode(line) for line in file.read_bytes().splitlines()]
    wanted = split_subtasks(job.recipe["evaluation"].get("subtask") or "")
    chosen = [question for question in questions if not wanted or question.subtask in wanted]
    if not chosen:
        offered = ", ".join(dict.fromkeys(question.subtask for question in questions))
        raise LocalModeError(
            f"Local mode has no questions for {', '.join(wanted)} of {job.task}; it has {offered}."
        )
    return sorted(chosen, key=lambda question: question.subtask)


def _choices(questions: list[Question], texts: list[str]) -> list[float]:
    """1 where the last letter that the answer names is the right one."""
    return [
        float(bool(letters) and letters[-1].upper() == question.answer)
        for question, letters in zip(questions, map(_CHOICE.findall, texts), strict=True)
    ]


def _expressions(questions: list[Question], texts: list[str]) -> list[float]:
    """1 where the answer's final expression equals the right one."""
    pairs = zip(questions, texts, strict=True)
    rows = [{"answer": text, "reference": question.answer} for question, text in pairs]
    scored = preset_scores("prime_math", rows)
    return [0.0 if isinstance(score, Unscored) else score["score"] for score in scored]


_SCORED: dict[str, Callable[[list[Question], list[str]], list[float]]] = {
    "mmlu": _choices,
    "math": _expressions,
}
