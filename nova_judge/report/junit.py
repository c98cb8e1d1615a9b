"""`junit.xml`: the run as test cases, for the test panel of a continuous integration service."""

import re
from xml.etree import ElementTree as ET

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.sentences import headline, rows
from nova_judge.statistics.decision import Word

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(metrics: Metrics) -> bytes:
    """Two cases: the run completed, and B is not worse than A (skipped when that is undecided)."""
    suite = ET.Element("testsuite", name=_clean(f"nova-judge {metrics.recipe.name}"))
    suite.set("timestamp", _clean(metrics.created)[:19])
    _run_case(suite, metrics)
    if metrics.verdict is not None:
        _verdict_case(suite, metrics, metrics.verdict.word)
    for kind in ("failure", "error", "skipped"):
        plural = {"failure": "failures", "error": "errors"}.get(kind, kind)
        suite.set(plural, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("testcase"))))
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def _run_case(suite: ET.Element, metrics: Metrics) -> None:
    case = _case(suite, metrics, "the run completed and every row is accounted for")
    if not metrics.completed:
        ET.SubElement(case, "error", message=_clean(str(headline(metrics))))
    ET.SubElement(case, "system-out").text = _clean(rows(metrics))


def _verdict_case(suite: ET.Element, metrics: Metrics, word: Word) -> None:
    case = _case(suite, metrics, "B is not worse than A")
    result = _clean(str(headline(metrics)))
    if word is Word.A_BETTER:
        ET.SubElement(case, "failure", message=result)
    elif word is Word.INCONCLUSIVE:
        ET.SubElement(case, "skipped", message=result)
    ET.SubElement(case, "system-out").text = result


def _case(suite: ET.Element, metrics: Metrics, name: str) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_clean(metrics.run_id), name=name)


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)
