"""A judged row as text, in the order in which AWS's notebook shows it.

Texts of judges and models are untrusted: control characters, which could drive a terminal, and
characters that turn the direction of writing are taken out.
"""

from collections.abc import Collection, Iterator

from nova_judge.findings.rubric_findings import differs_from_report
from nova_judge.pairs.criteria import CriterionGroups
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Criterion, JudgedAs, JudgedRow, Rubric, Unscored
from nova_judge.text import visible
from nova_judge.verdict_labels import LABELS

_RULE = "=" * 80
_OUTPUT_LIMIT = 20_000  # characters of a raw output


def row_text(
    index: int, judged: JudgedRow, groups: CriterionGroups, criteria: Collection[str] = ()
) -> str:
    """One row; `index` counts from 0 as in the details. With `criteria`, only these groups."""
    return "\n".join([_RULE, f"Row {index}:", *_lines(judged, groups, criteria)])


def criteria_of(judged: JudgedRow, groups: CriterionGroups) -> set[str]:
    """The groups of the criteria that the row's rubric has; none where it has no rubric."""
    rubric = judged.judgment.rubric
    criteria = rubric.criteria if isinstance(rubric, Rubric) else ()
    return {groups.group(criterion.name) for criterion in criteria}


def _lines(judged: JudgedRow, groups: CriterionGroups, criteria: Collection[str]) -> Iterator[str]:
    row, judgment = judged.row, judged.judgment
    yield f"  Id: {visible(row.id)}, line {row.line}" + (
        f", category {visible(row.category)}" if row.category else ""
    )
    yield f"  Prompt: {_indented(visible(row.prompt), 4)}"
    yield f"  Forward: {_verdict(judgment.forward)}"
    yield f"  Backward: {_verdict(judgment.backward)} (said of the candidates)"
    wins = [judgment.forward, judgment.backward]
    yield f"  A wins: {wins.count('A')}"  # type: ignore[arg-type]
    yield f"  B wins: {wins.count('B')}"  # type: ignore[arg-type]
    if isinstance(judgment.rubric, Rubric):
        yield from _rubric(judged, judgment.rubric, groups, criteria)
        return
    if isinstance(judgment.rubric, Unscored):
        yield f"  Rubric: {visible(judgment.rubric.reason)}"
    for name, output in (
        ("Forward", judgment.forward_output),
        ("Backward", judgment.backward_output),
    ):
        if output:
            yield f"\n  {name} output:\n    {_indented(visible(output, _OUTPUT_LIMIT), 4)}"


def _rubric(
    judged: JudgedRow, rubric: Rubric, groups: CriterionGroups, criteria: Collection[str]
) -> Iterator[str]:
    scores = recomputed_scores(judged.judgment)
    if scores is not None:
        names = ("Weighted A", "Weighted B", "Margin")
        reported = (rubric.reported_score_A, rubric.reported_score_B, rubric.reported_margin)
        differs = differs_from_report(judged.judgment)
        for name, ours, theirs in zip(names, scores, reported, strict=True):
            printed = f" (the job printed {theirs:.3f})" if differs and theirs is not None else ""
            yield f"  {name}: {ours:.3f}{printed}"
    if rubric.overall_justification:
        yield "\n  Overall Justification:"
        yield f"    {_indented(visible(rubric.overall_justification), 4)}"
    shown = [one for one in rubric.criteria if not criteria or groups.group(one.name) in criteria]
    if shown:
        yield "\n  Criteria:"
    for criterion in shown:
        yield from _criterion(criterion)


def _criterion(criterion: Criterion) -> Iterator[str]:
    yield f"\n    {visible(criterion.name)}:"
    yield f"      Score A: {_score(criterion, 'A')}, Score B: {_score(criterion, 'B')}"
    yield f"      Weight: {criterion.weight:g}, Type: {criterion.type}"
    for name, text in (
        ("Description", criterion.description),
        ("Justification A", criterion.justification_A),
        ("Justification B", criterion.justification_B),
    ):
        if text:
            yield f"      {name}: {_indented(visible(text), 8)}"


def _score(criterion: Criterion, side: str) -> str:
    score = criterion.score_A if side == "A" else criterion.score_B
    return str(bool(score)) if criterion.type == "binary" else f"{score:g}"


def _verdict(judged: JudgedAs) -> str:
    if isinstance(judged, Unscored):
        return f"no verdict: {visible(judged.reason)}"
    return LABELS[judged].strip("[]")


def _indented(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)
