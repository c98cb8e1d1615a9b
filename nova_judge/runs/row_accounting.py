"""A run's rows, from its shards to its jobs: every line of the input ends in exactly one place."""

import collections
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from nova_judge.answers.answers import Answer, FailedAnswer
from nova_judge.errors import GenerationFailedError, InputFileError, RowSumError
from nova_judge.inputs.dataset import ShardRows
from nova_judge.records import FailedRow, Failure, InputRow, Rejected
from nova_judge.text import count_of


class Response(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of `responses/<candidate>/<shard>.jsonl`: exactly one of the two is set."""

    answer: Answer | None = None
    failed: FailedAnswer | None = None


class ReasonCount(msgspec.Struct, frozen=True):
    """The number of rows or lines that share a reason."""

    reason: str
    count: int


class TokenCount(msgspec.Struct, frozen=True):
    """Tokens that a candidate read and wrote for this run, as its model counted them."""

    input: int
    output: int


class CutOff(msgspec.Struct, frozen=True):
    """Of a candidate's `answers`, those that ended at a limit of length and not by themselves."""

    cut: int
    answers: int


class DatasetSummary(msgspec.Struct, frozen=True, kw_only=True):
    """`dataset.json`: where the lines of the input went. `rows` counts what was sent to the judge.

    `input = rejected + generation_failed + rows`; blank lines do not count. Jobs are numbered from
    0; those that judge the `controls` follow the `jobs` that judge the rows. `failed_example` is
    what the service said to a row that failed for the commonest reason. `lost` counts the rows on
    which an optional field could not be read, by field.
    """

    input: int
    rejected: int
    generation_failed: int
    rows: int
    jobs: int
    cached: int
    rejected_reasons: tuple[ReasonCount, ...]
    failed_reasons: tuple[ReasonCount, ...]
    failed_example: str = ""
    tokens: dict[str, TokenCount] = {}
    cut_off: dict[str, CutOff] = {}
    lost: dict[str, int] = {}
    controls: tuple[str, ...] = ()

    @property
    def all_jobs(self) -> int:
        """The judge jobs of the rows and of the controls."""
        return self.jobs + len(self.controls)


JudgeLine: TypeAlias = InputRow | FailedRow | Rejected
Responses: TypeAlias = Mapping[str, Iterable[Response]]

CUT_OFF = frozenset({"length", "max_tokens", "model_context_window_exceeded"})
"""Why an answer ended, in the words of OpenAI's API, of Converse, and of both model servers."""
_response_decoder = msgspec.json.Decoder(Response)


def decode_responses(lines: Iterable[bytes]) -> Iterator[Response]:
    """The lines of one responses file, one at a time."""
    return map(_response_decoder.decode, lines)


def merged(shard: ShardRows, responses: Responses, lines_before: int) -> Iterator[JudgeLine]:
    """A shard's lines with their place in the whole file and the generated answers filled in.

    `responses` holds one entry per row for every candidate that was asked; raises RowSumError else.
    """
    for rejected in shard.rejected:
        yield msgspec.structs.replace(rejected, line=rejected.line + lines_before)
    for failed in shard.failed:
        line = failed.line + lines_before
        yield msgspec.structs.replace(failed, line=line, id=failed.id or f"line-{line}")
    given = {candidate: iter(those) for candidate, those in responses.items()}
    for row in shard.rows:
        line = row.line + lines_before
        placed = msgspec.structs.replace(row, line=line, id=row.id or f"line-{line}")
        yield _answered(placed, {c: _answer_to(line, c, those) for c, those in given.items()})
    for candidate, those in given.items():
        if next(those, None) is not None:
            raise RowSumError(
                f"candidate {candidate} has more answers than the "
                f"{count_of(len(shard.rows), 'row')} of a shard that begins after line "
                f"{lines_before}"
            )


def _answer_to(line: int, candidate: str, those: Iterator[Response]) -> Response:
    for response in those:
        return response
    raise RowSumError(f"candidate {candidate} has no answer to line {line}, and no reason why")


def _answered(row: InputRow, given: Mapping[str, Response]) -> InputRow | FailedRow:
    failures = tuple(
        Failure(candidate, response.failed.reason, response.failed.tries, response.failed.detail)
        for candidate, response in given.items()
        if response.failed is not None
    )
    if failures:
        return FailedRow(row.line, row.id, failures, row.category)
    texts = {c: r.answer.text for c, r in given.items() if r.answer is not None}
    if not texts.keys() <= {"A", "B"}:
        return msgspec.structs.replace(row, answers=texts)
    return msgspec.structs.replace(row, **{f"response_{c}": text for c, text in texts.items()})


class DatasetCounter:
    """Counts where lines went, so that the sum can be checked."""

    def __init__(self) -> None:
        self.rows = 0
        self.cached = 0
        self._rejected: collections.Counter[str] = collections.Counter()
        self._failed: collections.Counter[str] = collections.Counter()
        self._details: dict[str, str] = {}
        self._lost: collections.Counter[str] = collections.Counter()
        self._answers: collections.Counter[str] = collections.Counter()
        self._cut: collections.Counter[str] = collections.Counter()
        self._read: collections.Counter[str] = collections.Counter()
        self._written: collections.Counter[str] = collections.Counter()

    def count(self, line: JudgeLine) -> None:
        if isinstance(line, Rejected):
            self._rejected[line.reason] += 1
        elif isinstance(line, FailedRow):
            self._failed[_summary(line)] += 1
            detail = next((failure.detail for failure in line.failures if failure.detail), "")
            self._details.setdefault(_summary(line), detail)
        else:
            self.rows += 1
            if isinstance(line, InputRow):
                self._lost.update(line.lost)

    def counted(self, candidate: str, responses: Iterable[Response]) -> Iterator[Response]:
        """The same responses, counted on their way: what they cost and whether they were whole."""
        for response in responses:
            if response.answer is not None:
                self._count_answer(candidate, response.answer)
            yield response

    def _count_answer(self, candidate: str, answer: Answer) -> None:
        self._answers[candidate] += 1
        self._cut[candidate] += answer.finish_reason in CUT_OFF
        self.cached += answer.cached
        if not answer.cached:
            self._read[candidate] += answer.input_tokens or 0
            self._written[candidate] += answer.output_tokens or 0

    def summary(self, jobs: int = 0) -> DatasetSummary:
        rejected, failed = self._rejected.total(), self._failed.total()
        failures = _most_common(self._failed)
        return DatasetSummary(
            input=rejected + failed + self.rows,
            rejected=rejected,
            generation_failed=failed,
            rows=self.rows,
            jobs=jobs,
            cached=self.cached,
            rejected_reasons=_most_common(self._rejected),
            failed_reasons=failures,
            failed_example=self._details[failures[0].reason] if failures else "",
            tokens={c: TokenCount(self._read[c], self._written[c]) for c in sorted(self._answers)},
            lost=dict(sorted(self._lost.items())),
            cut_off={c: CutOff(self._cut[c], self._answers[c]) for c in sorted(self._answers)},
        )


def _summary(row: FailedRow) -> str:
    return "; ".join(f"{failure.candidate}: {failure.reason}" for failure in row.failures)


def _most_common(counter: collections.Counter[str]) -> tuple[ReasonCount, ...]:
    ordered = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ReasonCount(reason, count) for reason, count in ordered[:50])


def check_summary(
    summary: DatasetSummary, place: str, max_failed: float, *, local: bool = False
) -> None:
    """Refuse to pay a judge for a data set that says too little; `place` names the input.

    `local`: the emulated account is gone once its user reads this.

    Raises GenerationFailedError when more than the share `max_failed` of the usable rows got no
    answer, InputFileError when no row is left.
    """
    usable = summary.rows + summary.generation_failed
    if usable == 0:
        raise InputFileError(
            f"{place}: none of {count_of(summary.rejected, 'line')} can be used: "
            f"{_listed(summary.rejected_reasons)}"
        )
    if summary.generation_failed > max_failed * usable or summary.rows == 0:
        raise GenerationFailedError(
            f"{summary.generation_failed} of {count_of(usable, 'row')} got no answer, more than "
            f"generation.max_failed = {max_failed:.1%} allows: {_listed(summary.failed_reasons)}"
            f"{_words(summary.failed_example)}. {_again(place, local=local)}: only what is missing "
            "is asked"
        )


def _again(place: str, *, local: bool) -> str:
    if local:
        return "Mend what the reasons name, and run the same command again"
    return f'Start it again with {{"input": "{place}", "recipe": …}}'


def _words(example: str) -> str:
    return f" (such as: {example})" if example else ""


def _listed(reasons: Sequence[ReasonCount]) -> str:
    listed = "; ".join(f"{reason.count} of “{reason.reason}”" for reason in reasons[:5])
    return listed + ("; …" if len(reasons) > 5 else "")
