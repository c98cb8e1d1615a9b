"""The verdict labels that a judge writes, and what they say of the candidates.

A label speaks of the order in which the responses were shown: `[[A>B]]` says that the first won.
In the backward pass the first one shown is candidate B, so a backward verdict is `turned`.

What counts as a label:

* `[[A>B]]`, `[[B>A]]`, `[[A=B]]`, `[[A=B (bothbad)]]`, in either case and with spaces inside;
* the strong forms `[[A>>B]]` and `[[B>>A]]` of Arena-Hard prompts, and `<` for `>`;
* one closing bracket missing, as AWS itself prints `[[A=B (bothbad)]`;
* without brackets only where nothing else can be meant: the whole text (in quotes, list brackets or
  a code fence), or the value of a key such as `preference: A>B`.

Repeating one label is fine. Two different labels, strong and weak forms included, are no verdict:
choosing the last one would be a guess. JudgeBench applies the same rule, and its published counts
of errors come out (https://github.com/ScalerLab/JudgeBench).
"""

import re
from typing import Final

from nova_judge.records import JudgedAs, Unscored, Verdict

LABELS: Final[dict[Verdict, str]] = {
    Verdict.A: "[[A>B]]",
    Verdict.B: "[[B>A]]",
    Verdict.TIE: "[[A=B]]",
    Verdict.BOTH_BAD: "[[A=B (bothbad)]]",
}
"""How the judge spells each verdict, in the order shown."""

NO_OUTPUT = Unscored("the judge wrote nothing")
NO_LABEL = Unscored("no verdict label in the judge's output")
CUT_OFF = Unscored("the judge's output ends inside the verdict label")
CONFLICT = Unscored("the judge's output names different verdicts")

_RELATION = r"(?:>{1,2}|<{1,2}|=|(?:&gt;){1,2}|(?:&lt;){1,2})"
_LABEL = rf"[AB]\s*{_RELATION}\s*[AB](?:\s*\(\s*both[\s_-]*bad\s*\))?"
_BRACKETED = re.compile(rf"\[\[\s*[\"']?\s*({_LABEL})\s*[\"']?\s*\]", re.IGNORECASE)
_KEYED = re.compile(
    r"^[ \t]*[\w \t*-]{0,40}(?:verdict|preference|decision|judg\w*|label|winner|prediction)"
    rf"[\w \t*]{{0,20}}:[ \t*]*[\[\"']*({_LABEL})[\]\"'*.]*[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_WHOLE = re.compile(rf"(?:```\w*\s*)?[\[\"'\s]*({_LABEL})[\]\"'\s.]*(?:```)?", re.IGNORECASE)
_WHOLE_LIMIT = 200  # characters: a longer text is prose, not a label
_OPEN_END = re.compile(r"\[\[[^\[\]\n]{0,24}\Z")
_TURN: Final = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}


def parse_verdict(text: str | None) -> JudgedAs:
    """The verdict that a judge's output states, in the order shown: `Verdict.A` is the first one.

    An output with no label, with a label cut off, or with differing labels is `Unscored`.
    """
    if text is None or not text.strip():
        return NO_OUTPUT
    labels = {_normal(label) for label in _labels_in(text)}
    if not labels:
        return CUT_OFF if _OPEN_END.search(text.rstrip()[-40:]) else NO_LABEL
    if len(labels) > 1:
        return CONFLICT
    return _meaning(labels.pop())


def turned(judged: JudgedAs) -> JudgedAs:
    """A verdict given with the responses swapped, said of the candidates: first shown was B."""
    if isinstance(judged, Unscored):
        return judged
    return _TURN.get(judged, judged)


def _labels_in(text: str) -> list[str]:
    if bracketed := _BRACKETED.findall(text):
        return bracketed
    if len(text) <= _WHOLE_LIMIT and (whole := _WHOLE.fullmatch(text.strip())):
        return [whole[1]]
    return _KEYED.findall(text)


def _normal(label: str) -> str:
    """One spelling for each label: upper case, no spaces, `>` and `=` only, A before B in ties."""
    text = "".join(label.upper().replace("&GT;", ">").replace("&LT;", "<").split())
    relation, _, bad = text.partition("(")
    left, right = relation[0], relation[-1]
    sign = relation[1:-1]
    if sign.startswith("<"):
        left, right, sign = right, left, sign.replace("<", ">")
    if sign == "=":
        left, right = sorted((left, right))
    return f"{left}{sign}{right}{'(BOTHBAD)' if bad else ''}"


def _meaning(label: str) -> JudgedAs:
    relation, _, bad = label.partition("(")
    left, sign, right = relation[0], relation[1:-1], relation[-1]
    if left == right or (bad and sign != "="):
        return NO_LABEL
    if sign == "=":
        return Verdict.BOTH_BAD if bad else Verdict.TIE
    return Verdict(left)
