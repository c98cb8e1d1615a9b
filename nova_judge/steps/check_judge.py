"""A judge asked about labelled pairs, controls and again about some of them, from this machine."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from nova_judge.answers.answers import Answer, AnswerOutcome, FailedAnswer, Port, model_name
from nova_judge.answers.generate import generate
from nova_judge.answers.kept_texts import KeptAnswers
from nova_judge.answers.lane import AnswerSource
from nova_judge.answers.retries import TIMED_OUT, CallFailed, RetryPolicy
from nova_judge.errors import GenerationFailedError, InputFileError, JudgeJobError
from nova_judge.findings.judge_reliability import (
    PER_ROWS,
    CheckedJudge,
    CheckedRows,
    JudgeCost,
    check_judge,
)
from nova_judge.inputs.input_file import RecordedVerdicts
from nova_judge.kinds.asked_pairs import asked_model
from nova_judge.pairs.controls import Control, control_rows
from nova_judge.pairs.judge_asking import AskedPair, asked_pair, judge_generation
from nova_judge.pairs.judge_reply import read_answer
from nova_judge.preflight.pricing import bill
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow, JudgedAs, JudgedRow, Judgment, Unscored
from nova_judge.runs.usage import Usage, tokens_of
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.openai_server import CURES
from nova_judge.sources.schema_if_taken import port_by_schema
from nova_judge.sources.source import Ways
from nova_judge.text import count_of
from nova_judge.verdict_labels import parse_verdict, turned

CONTROL_PAIRS = 30
AGAIN_PAIRS = 30
PATIENCE_S = 120.0
_JUDGE, _AGAIN = "the judge", "the judge, asked again"
_BEDROCK = "May these credentials call this model in AWS_REGION, and is that its id?"
_SERVER = "Is the server up, and is that its address?"

NO_COST = JudgeCost(0, 0, None)


class JudgeAsking(NamedTuple):
    """How a judge is asked: ways to models, the file of kept replies, calls at once.

    `answered` is called with each reply, `planned` with how many there will be.
    """

    ways: Ways
    kept: Path
    concurrency: int
    planned: Callable[[int], None]
    answered: Callable[[], None]


def ask_and_check(recipe: Recipe, rows: Sequence[InputRow], asking: JudgeAsking) -> CheckedJudge:
    """Ask the judge of a recipe, and say how far it can be trusted.

    Raises GenerationFailedError where it cannot be asked, JudgeJobError where it gives no verdict.
    """
    judge, model = recipe.judge, asked_model(recipe, 0)
    seed = recipe.statistics.seed
    controls = {
        control: control_rows(rows, control, CONTROL_PAIRS, seed)
        for control in (Control.SAME_ANSWER, Control.PADDED)
    }
    every = [*rows, *controls[Control.SAME_ANSWER], *controls[Control.PADDED]]
    pairs = [asked_pair(row, judge) for row in every]
    once = list(_prompts(pairs))
    again = list(_prompts(pairs[: min(AGAIN_PAIRS, len(rows))]))
    asking.planned(len(dict.fromkeys(once)) + len(dict.fromkeys(again)))
    port = port_by_schema(model, judge_generation(recipe.judge), asking.ways)
    _first_word(port, model)
    generated = generate(
        {_JUDGE: once, _AGAIN: again},
        {name: _source(recipe, port, asking, name) for name in (_JUDGE, _AGAIN)},
    )
    replies = dict(zip(once, generated.outcomes[_JUDGE], strict=True))
    replies_again = dict(zip(again, generated.outcomes[_AGAIN], strict=True))
    judged = [
        JudgedRow(row=row, judgment=_judgment(pair, replies, recipe))
        for row, pair in zip(every, pairs, strict=True)
    ]
    labelled, drawn = judged[: len(rows)], judged[len(rows) :]
    same = drawn[: len(controls[Control.SAME_ANSWER])]
    padded = drawn[len(same) :]
    checked = check_judge(
        source_of(model).title(model),
        str(judge.words),
        CheckedRows(
            labelled,
            ((Control.SAME_ANSWER, same), (Control.PADDED, padded)),
            list(_twice(pairs, replies, replies_again, recipe)),
        ),
        _cost(model, pairs[: len(rows)], replies),
        recipe.statistics.level,
    )
    if not checked.judged:
        why = checked.failures[0].reason if checked.failures else "no row"
        raise JudgeJobError(
            f"{checked.name} gave no verdict on any of {count_of(len(rows), 'row')}: {why}"
        )
    return checked


def check_recorded(file: Path, rows: Sequence[InputRow], level: float = 0.95) -> CheckedJudge:
    """The figures of verdicts that were given elsewhere: without controls, repeats and cost.

    Raises InputFileError where a row has none.
    """
    verdicts, seen = RecordedVerdicts(file, InputFileError), Counter[str]()
    judged = []
    for row in rows:
        line = verdicts.of(row.id, seen[row.id], row.shown)
        seen[row.id] += 1
        forward, backward = map(_recorded, (line.forward, line.backward))
        judged.append(
            JudgedRow(row=row, judgment=Judgment(forward=forward, backward=turned(backward)))
        )
    checked = CheckedRows(judged, (), ())
    return check_judge(f"recorded ({file.name})", "recorded", checked, NO_COST, level)


def _recorded(label: str | None) -> JudgedAs:
    return (
        Unscored("the record holds no verdict") if label is None else parse_verdict(f"[[{label}]]")
    )


def _prompts(pairs: Sequence[AskedPair]) -> Iterator[str]:
    return (prompt for p in pairs if not p.missing for prompt in (p.forward, p.backward))


def _first_word(port: Port, model: AskedModel) -> None:
    """One request before all others, whose failure says what to change."""
    try:
        port.ask('Answer with the JSON object {"reasons": "", "verdict": "A=B"}.')
    except CallFailed as error:
        failure = error.failure
        if failure == TIMED_OUT or failure.reason.startswith(("429", "5")):
            return
        cure = _BEDROCK if model.bedrock else CURES.get(failure.reason[:3], _SERVER)
        said = f"{failure.reason} {failure.detail}".strip()
        name = source_of(model).title(model)
        raise GenerationFailedError(f"{name} cannot be asked: {said}. {cure}") from error


def _source(recipe: Recipe, port: Port, asking: JudgeAsking, name: str) -> AnswerSource:
    model, how = asked_model(recipe, 0), judge_generation(recipe.judge)
    asked = f"{model_name(source_of(model).kept_as(model), how)} {name}"
    return AnswerSource(
        port=port,
        journal=KeptAnswers(asking.kept, asked, asking.answered),
        policy=RetryPolicy(how.tries, PATIENCE_S, slow_s=how.call_timeout_s / 2),
        call_timeout_s=how.call_timeout_s,
        threads=asking.concurrency,
    )


def _judgment(
    pair: AskedPair, replies: dict[str, AnswerOutcome | None], recipe: Recipe
) -> Judgment:
    if pair.missing:
        return Judgment(forward=Unscored(pair.missing), backward=Unscored(pair.missing))
    forward = _verdict(replies[pair.forward], recipe)
    return Judgment(forward=forward, backward=turned(_verdict(replies[pair.backward], recipe)))


def _verdict(outcome: AnswerOutcome | None, recipe: Recipe) -> JudgedAs:
    """The verdict of one reply, in the order shown."""
    if isinstance(outcome, FailedAnswer):
        return Unscored(f"the judge gave no reply: {outcome.reason}")
    if outcome is None:
        return Unscored("the judge was not asked")
    read = read_answer(outcome, recipe.judge.rubric)
    return Unscored(read.error) if read.error else parse_verdict(read.text)


def _twice(
    pairs: Sequence[AskedPair],
    replies: dict[str, AnswerOutcome | None],
    again: dict[str, AnswerOutcome | None],
    recipe: Recipe,
) -> Iterator[tuple[JudgedAs, JudgedAs]]:
    for pair in pairs:
        for prompt in (pair.forward, pair.backward):
            if prompt in again:
                yield _verdict(replies[prompt], recipe), _verdict(again[prompt], recipe)


def _cost(
    model: AskedModel, pairs: Sequence[AskedPair], replies: dict[str, AnswerOutcome | None]
) -> JudgeCost:
    """The cost of a row, by the tokens that the model counted."""
    given = [replies.get(prompt) for prompt in _prompts(pairs)]
    answers = [answer for answer in given if isinstance(answer, Answer)]
    orders = 2 / max(1, len(answers))
    read = sum(answer.input_tokens or 0 for answer in answers) * orders
    written = sum(answer.output_tokens or 0 for answer in answers) * orders
    tokens = tokens_of(model, PER_ROWS * read, PER_ROWS * written)
    if tokens is None:
        return JudgeCost(read, written, None)
    billed = bill(Usage(bedrock=(tokens,)))
    return JudgeCost(read, written, None if billed.unpriced else billed.usd)
