"""`junit.xml`: the run as test cases, for the test panel of a continuous integration service."""

import enum
import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import (
    headline,
    one_order_alone,
    p_value,
    percent,
    rows,
    short_interval,
)
from nova_judge.findings.sentences_stand_in import who_judged
from nova_judge.records import Headline
from nova_judge.scores.metric_score import MetricDifference
from nova_judge.statistics.decision import Word
from nova_judge.statistics.slices import Slice
from nova_judge.text import count_of

__all__ = ["cases", "render_junit"]

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class CaseEnd(enum.StrEnum):
    """What became of a case: the element that a report holds for it; nothing where it passed."""

    PASSED = ""
    FAILED = "failure"
    SKIPPED = "skipped"
    ERROR = "error"


_OF_WORD = {
    Word.A_BETTER: CaseEnd.FAILED,
    Word.B_BETTER: CaseEnd.PASSED,
    Word.EQUIVALENT: CaseEnd.PASSED,
}


class Case(NamedTuple):
    """One test case: its name, what became of it, and the figures behind that."""

    name: str
    outcome: CaseEnd
    evidence: str


def render_junit(metrics: Metrics) -> bytes:
    """The run, the verdict, and every control, criterion, category and difference of a metric.

    A case fails where B is worse beyond chance, and is skipped where the rows do not decide.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> b"<testsuite" in render_junit(metrics_of_job({"a_scores": 10, "b_scores": 40}))
    True
    """
    suite = ET.Element("testsuite", name=_clean(f"nova-judge {metrics.recipe.name}"))
    suite.set("timestamp", _clean(metrics.created)[:19])
    for case in cases(metrics):
        element = ET.SubElement(
            suite, "testcase", classname=_clean(metrics.run_id), name=_clean(case.name)
        )
        if case.outcome is not CaseEnd.PASSED:
            ET.SubElement(element, case.outcome.value, message=_clean(case.evidence))
        ET.SubElement(element, "system-out").text = _clean(case.evidence)
    for outcome, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{outcome}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def cases(metrics: Metrics) -> Iterator[Case]:
    """All cases of a run.

    >>> from nova_judge.findings.job_metrics import metrics_of_job
    >>> [case.name for case in cases(metrics_of_job({"a_scores": 10, "b_scores": 40}))][:2]
    ['the run completed and every row is accounted for', 'B is not worse than A']
    """
    stated = headline(metrics)
    yield _run(metrics, stated)
    if metrics.verdict is not None:
        outcome = _OF_WORD.get(metrics.verdict.word, CaseEnd.SKIPPED)
        yield Case("B is not worse than A", outcome, str(stated))
    for control in metrics.controls:
        failed = CaseEnd.FAILED if control.blocks else CaseEnd.PASSED
        counts = f"A on {control.a:,}, B on {control.b:,} of {count_of(control.rows, 'row')}"
        evidence = control.blocks or control.note or f"{counts}; {p_value(control.p_value)}"
        yield Case(f"control {control.control}: the judge prefers neither side", failed, evidence)
    yield from _criteria(metrics)
    for part in metrics.slices:
        yield _category(metrics, part)
    for difference in metrics.differences or ():
        yield _metric(difference)


def _run(metrics: Metrics, stated: Headline) -> Case:
    evidence = f"{rows(metrics)}. {who_judged(metrics)}"
    name = "the run completed and every row is accounted for"
    if metrics.completed:
        return Case(name, CaseEnd.PASSED, evidence)
    return Case(name, CaseEnd.ERROR, f"{stated}. {evidence}")


def _criteria(metrics: Metrics) -> Iterator[Case]:
    silent = one_order_alone(metrics)
    for each in metrics.rubric.criteria if metrics.rubric else ():
        name = f"criterion {each.name}: B is not worse than A"
        margin = each.margin
        if margin is None or each.p_holm is None:
            yield Case(
                name, CaseEnd.SKIPPED, f"scored in {count_of(each.n, 'row')}, too few to compare"
            )
            continue
        ends = f"[{margin.low:+.3f}, {margin.high:+.3f}]"
        evidence = (
            f"A less B {margin.mean:+.3f} {ends} on {count_of(each.n, 'row')}; "
            f"{p_value(each.p_holm)}"
        )
        outcome = CaseEnd.SKIPPED
        if each.differs and not silent:
            outcome = CaseEnd.FAILED if margin.mean > 0 else CaseEnd.PASSED
        yield Case(name, outcome, f"{evidence}. {silent}" if silent else evidence)


def _category(metrics: Metrics, part: Slice) -> Case:
    name = f"category {part.category or '(none)'}: B is not worse than A"
    if part.win_rate is None or part.p_holm is None or part.word is None:
        return Case(name, CaseEnd.SKIPPED, f"{count_of(part.rows, 'row')}, too few to compare")
    rate = f"win rate of B {short_interval(part.win_rate)} of {count_of(part.rows, 'row')}"
    outcome = CaseEnd.SKIPPED if metrics.blocked_by else _OF_WORD.get(part.word, CaseEnd.SKIPPED)
    return Case(name, outcome, f"{rate}; {p_value(part.p_holm)}")


def _metric(each: MetricDifference) -> Case:
    name = f"metric {each.metric}: {each.second} is not worse than {each.first}"
    measured = each.interval
    if measured is None:
        return Case(name, CaseEnd.SKIPPED, each.reason or "no difference was measured")
    ends = f"{percent(measured.level, 0)} interval {measured.low:+.3f} to {measured.high:+.3f}"
    evidence = f"{each.second} less {each.first} {measured.estimate:+.3f} ({ends})"
    favours = {each.first: CaseEnd.FAILED, each.second: CaseEnd.PASSED}
    return Case(name, favours.get(each.favours or "", CaseEnd.SKIPPED), evidence)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
