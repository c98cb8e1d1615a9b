"""Read the verdicts of the forward and the backward pass on one row of the details.

The one place for what AWS does not document of the two passes, each marked [?]:

* two texts in the column `predictions` are the judge's raw outputs, the forward pass's first;
* a label that stands alone in the metrics' own `predictions` is the forward pass's, in the order
  shown;
* where two stand there, the second is the backward pass's; it is turned unless only the unturned
  reading agrees with the counts;
* `a_scores`, `b_scores`, `ties` and the errors count both passes in terms of the candidates, each
  from 0 to 2; the rubric judge's rows may leave out ties and errors.

Labels are evidence, counts are the job's own reading of them. Where both stand, the labels are used
and a difference is noted; where the counts contradict the only label, nothing is scored. Two things
the counts know better: an error that the job counted outranks a label in a text that stops in the
middle of a sentence, and a verdict that it counted outranks a text with no label or with two.
"""

from collections import Counter
from typing import NamedTuple

from nova_judge.records import JudgedAs, Unscored, Verdict
from nova_judge.verdict_labels import (
    CONFLICT,
    NO_LABEL,
    NO_OUTPUT,
    ends_early,
    parse_verdict,
    turned,
)

BAD_COUNTS = Unscored("the row's counts of wins, ties and errors are not 0, 1 or 2")
CONTRADICTION = Unscored("the row's counts contradict its verdict label")
WHICH_PASS = Unscored("the row's counts do not say which pass gave which verdict")
INFERENCE_ERROR = Unscored("the judge job counted an inference error")
CUT_OFF_TEXT = Unscored("the judge's output was cut off, and the job counted an inference error")
OTHER_PASS = Unscored("the details do not say whether the other pass was a tie or an error")
NO_COUNTS = Unscored("the row has neither a verdict label nor counts")
COUNTS_DIFFER = "the job's counts differ from the labels in its own output; the labels are used"
UNCLEAR_LABEL = "no single label in the judge's output; the job's counts are used"
LABEL_UNREADABLE = "the verdict label cannot be read; the job's counts are used"

_PASSES = 2


class PassCounts(NamedTuple):
    """Verdicts of both passes of one row, about the candidates; None where the row says nothing."""

    a: int
    b: int
    ties: int | None
    errors: int | None


class Passes(NamedTuple):
    """Both verdicts about the candidates, and a note where the row disagrees with itself."""

    forward: JudgedAs
    backward: JudgedAs
    note: str | None = None


def from_outputs(forward: str | None, backward: str | None, counts: PassCounts | None) -> Passes:
    """Verdicts from the judge's raw outputs; counts stand in for outputs that are not there."""
    if not forward and not backward:
        return from_labels((), counts)
    first, second = parse_verdict(forward), turned(parse_verdict(backward))
    if counts is None or _agrees(first, second, counts):
        return Passes(first, second)
    if not _possible(counts):
        return Passes(first, second, COUNTS_DIFFER)
    errors = _with_errors((first, forward), (second, backward), counts)
    if errors != (first, second):
        return Passes(*errors, None if _agrees(*errors, counts) else COUNTS_DIFFER)
    filled = _from_unclear(first, second, counts)
    return filled or Passes(first, second, COUNTS_DIFFER)


def _with_errors(
    first: tuple[JudgedAs, str | None], second: tuple[JudgedAs, str | None], counts: PassCounts
) -> tuple[JudgedAs, JudgedAs]:
    """The verdicts, but for those in broken texts where the job counted as many errors."""
    texts = (first, second)
    unread = sum(isinstance(judged, Unscored) for judged, _ in texts)
    broken = [isinstance(judged, Verdict) and ends_early(text or "") for judged, text in texts]
    if not 0 < sum(broken) <= (counts.errors or 0) - unread:
        return first[0], second[0]
    forward, backward = (
        CUT_OFF_TEXT if cut else judged for cut, (judged, _) in zip(broken, texts, strict=True)
    )
    return forward, backward


def _from_unclear(first: JudgedAs, second: JudgedAs, counts: PassCounts) -> Passes | None:
    """Read clear counts where a text holds no label, or two; None where they say nothing."""
    unclear = [judged in (CONFLICT, NO_LABEL) for judged in (first, second)]
    if all(unclear):
        counted = _from_counts(counts, UNCLEAR_LABEL)
        return None if isinstance(counted.forward, Unscored) else counted
    if not any(unclear) or not isinstance(clear := second if unclear[0] else first, Verdict):
        return None
    completed = _completed(clear, counts)
    if isinstance(completed.backward, Unscored):
        return None
    if unclear[0]:
        return Passes(completed.backward, clear, UNCLEAR_LABEL)
    return completed._replace(note=UNCLEAR_LABEL)


def from_labels(labels: tuple[str, ...], counts: PassCounts | None) -> Passes:
    """Verdicts from the labels a row lists, in pass order, completed by its counts."""
    if len(labels) > _PASSES:
        return Passes(CONTRADICTION, CONTRADICTION)
    if len(labels) == _PASSES:
        return _from_two(parse_verdict(labels[0]), parse_verdict(labels[1]), counts)
    if counts is None:
        first = parse_verdict(labels[0]) if labels else NO_COUNTS
        return Passes(first, NO_OUTPUT if labels else NO_COUNTS)
    if not _possible(counts):
        return Passes(BAD_COUNTS, BAD_COUNTS)
    first = parse_verdict(labels[0]) if labels else NO_OUTPUT
    if isinstance(first, Unscored):
        return _from_counts(counts, LABEL_UNREADABLE if labels else None)
    return _completed(first, counts)


def _from_two(first: JudgedAs, second: JudgedAs, counts: PassCounts | None) -> Passes:
    if counts is None or _agrees(first, turned(second), counts):
        return Passes(first, turned(second))
    if _agrees(first, second, counts):
        return Passes(first, second)
    return Passes(first, turned(second), COUNTS_DIFFER)


def _completed(first: Verdict, counts: PassCounts) -> Passes:
    """The backward verdict is what the counts hold beyond the forward label."""
    left = _without(counts, first)
    if min(left.a, left.b, left.ties or 0) < 0 or left.a + left.b > 1:
        return Passes(CONTRADICTION, CONTRADICTION)
    if left.a or left.b:
        return Passes(first, Verdict.A if left.a else Verdict.B)
    if left.ties:
        return Passes(first, Verdict.TIE)
    all_counted = left.ties is not None and left.errors is not None
    return Passes(
        first, INFERENCE_ERROR if left.errors else NO_OUTPUT if all_counted else OTHER_PASS
    )


def _from_counts(counts: PassCounts, note: str | None) -> Passes:
    """Without a label, counts tell the passes apart only where both said the same."""
    for verdict, count in (
        (Verdict.A, counts.a),
        (Verdict.B, counts.b),
        (Verdict.TIE, counts.ties),
    ):
        if count == _PASSES:
            return Passes(verdict, verdict, note)
    reason = INFERENCE_ERROR if counts.errors == _PASSES else WHICH_PASS
    return Passes(reason, reason, note)


def _without(counts: PassCounts, verdict: Verdict) -> PassCounts:
    if verdict is Verdict.A:
        return counts._replace(a=counts.a - 1)
    if verdict is Verdict.B:
        return counts._replace(b=counts.b - 1)
    return counts._replace(ties=None if counts.ties is None else counts.ties - 1)


def _possible(counts: PassCounts) -> bool:
    stated = [count for count in counts if count is not None]
    return min(stated) >= 0 and sum(stated) <= _PASSES


def _agrees(forward: JudgedAs, backward: JudgedAs, counts: PassCounts) -> bool:
    labels = Counter("error" if isinstance(one, Unscored) else one for one in (forward, backward))
    ties = labels[Verdict.TIE] + labels[Verdict.BOTH_BAD]
    return (
        (counts.a, counts.b) == (labels[Verdict.A], labels[Verdict.B])
        and counts.ties in (None, ties)
        and counts.errors in (None, labels["error"])
    )
