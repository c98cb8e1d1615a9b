"""The verdict labels that a judge writes, and what they say of the candidates.

A label speaks of the order in which the responses were shown: `[[A>B]]` says that the first won.
In the backward pass the first one shown is candidate B, so a backward verdict is `turned`.

What counts as a label, after a reasoning model's thoughts are taken off:

* `[[A>B]]`, `[[B>A]]`, `[[A=B]]`, `[[A=B (bothbad)]]`, in either case and with spaces inside;
* the strong forms `[[A>>B]]` and `[[B>>A]]` of Arena-Hard prompts, and `<` for `>`;
* `[[A]]`, `[[B]]` and `[[C]]` (a tie) of MT-bench prompts, and the words of other tools in their
  place: `model_a`, `Response B`, `tie`, `tie (bothbad)`;
* one closing bracket missing, as AWS itself prints `[[A=B (bothbad)]`;
* any of these escaped (`\\[\\[A>B\\]\\]`, `&gt;`, `\\u003e`), full-width, in curly quotes, in bold;
* without brackets only where nothing else can be meant: the whole text (in quotes, list brackets or
  a code fence), the value of a key (`preference: A>B`, `{"verdict": "A"}`, `<verdict>A</verdict>`)
  that was written to its end, the end of a sentence such as "The verdict is A>B.", and `A>B` alone
  on the last line.

Repeating one label is fine. Two different labels, strong and weak forms included, are not a
verdict: choosing the last one would be a guess. JudgeBench applies the same rule, and its published
counts of errors come out (https://github.com/ScalerLab/JudgeBench).
"""

import functools
import re
import unicodedata
from typing import Final

from nova_judge.records import JudgedAs, Unscored, Verdict
from nova_judge.thoughts import without_thoughts

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
CUT_OFF_THOUGHT = Unscored("the judge's output was cut off inside its thought")
ONLY_A_THOUGHT = Unscored("the judge's output is a thought and nothing else")
CONFLICT = Unscored("the judge's output names different verdicts")

_PREFIX = r"(?:(?:the )?(?:response|answer|assistant|model|candidate|option|output|system)[ _-]?)?"
_SIDE = rf"{_PREFIX}[ab]"
_RELATION = r"(?:>{1,3}|<{1,3}|={1,2})"
_BAD = r"both[ _-]?(?:are[ _-]?)?bad"
_TIED = r"(?:a )?(?:tie|draw)|tied|equal|equally good|both[ _-]?good"
_NOTE = rf"\( {{0,4}}(?:{_BAD}|{_TIED}|both are (?:equally )?good) {{0,4}}\)"
_COMPARED = rf"{_SIDE} {{0,4}}{_RELATION} {{0,4}}{_SIDE}(?: {{0,4}}{_NOTE})?"
_WINS = r"(?: (?:wins|won|is (?:the )?better(?: one)?|is preferred))?"
_WORDS = rf"{_SIDE}{_WINS}|(?:(?:a )?tie )?{_NOTE}|{_BAD}|{_TIED}"
_LABEL = rf"(?:{_COMPARED}|{_WORDS})"
_OPEN, _CLOSE = r"[\[\"' ]{0,6}", r"[\]\"' ]{0,6}"
_KEY = (
    r"(?:verdict|preference|preferred|decision|judge?ment|label|winner|prediction|"
    r"better (?:response|answer|one))"
)
_BRACKETED = re.compile(rf"\[\[[\"' ]{{0,4}}(?=[a-z(])({_LABEL}|c)[\"' ]{{0,4}}\]")
_BOXED = re.compile(rf"boxed\{{ {{0,4}}({_LABEL}) {{0,4}}\}}")
_IN_DATA = re.compile(
    rf"(?:([\"'])|<)([\w -]{{0,30}}{_KEY})([\w -]{{0,30}})(?(1)[\"'] {{0,4}}:|>)\s{{0,9}}"
    rf"({_OPEN})({_LABEL})({_CLOSE})(?=[,}}\n]|\s{{0,9}}</|$)"
)
_KEYED = re.compile(
    rf"^(?:#{{1,6}}|\d{{1,2}}[.)])?([\w \t-]{{0,40}}{_KEY})\b[\w \t]{{0,20}}?(?::|--?>| is:?)"
    rf"[ \t]{{0,4}}{_OPEN}({_LABEL}){_CLOSE}(?=[.!;。)]|[ \t]*$|,? (?:because|since|as) )",
    re.MULTILINE,
)
_DENIED = re.compile(
    r"(?:(?<![a-z])(?:(?:not|never)(?:[ \t_-](?:the|an?|my|our))?|non|least|less)"
    rf"[ \t_-]{{0,4}}{_KEY}|(?:un|dis)-?preferred)$"
)
_VERDICT_KEY = re.compile(r"(?:(?:final|overall|my)[ _-]?)?verdict")
_WHOLE = re.compile(rf"(?:(?!{_LABEL}\n)\w{{1,10}}\n)?{_OPEN}({_LABEL})[\]\"' .!]{{0,6}}")
_ALONE = re.compile(rf"^{_OPEN}({_COMPARED})[\]\"' .!]{{0,6}}$", re.MULTILINE)
_PIECE = 64
_WHOLE_LIMIT = 200  # characters: a longer text is prose, not a label
_OPEN_END = re.compile(r"\[\[[^\[\]\n]{0,24}\Z")
_COMPARED_PARTS = re.compile(rf"{_PREFIX}([ab])({_RELATION}){_PREFIX}([ab])")
_ONE_SIDE = re.compile(rf"{_PREFIX}([ab]){_WINS}")
_TURN: Final = {Verdict.A: Verdict.B, Verdict.B: Verdict.A}

_ESCAPED = re.compile(r"(?:\\u00|%)(3[ce])|&(?:amp;)?(gt|lt|#6[02]|#x3[ce]);|\\([gl]t)\b")
_BACKSLASHES = re.compile(r"\\{1,4}(?=[\[\]<>=\"'{}_])")
_AS_PLAIN = {
    **dict.fromkeys(map(ord, "\r\u200b\u200c\u200d\u2060\ufeff\u00ad*`")),
    **dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    **{ord(curly): '"' for curly in "“”„«»"},
    **{ord(curly): "'" for curly in "\u2018\u2019"},
    **{ord(bracket): "[" for bracket in "\u3010\u3014\u300c\u300e"},
    **{ord(bracket): "]" for bracket in "\u3011\u3015\u300d\u300f"},
    **{ord(sign): ">" for sign in "≻≫"},
    **{ord(sign): "<" for sign in "≺≪"},
    ord("≈"): "=",
    **{ord(letter): "a" for letter in "\u0430\u03b1"},  # Cyrillic and Greek, for judges who
    **{ord(letter): "b" for letter in "\u0432\u03b2"},  # write in them
}
_LARGER = ("3e", "gt", "#62", "#x3e")
_OTHER: Final = {"a": "b", "b": "a"}


@functools.lru_cache(maxsize=4)
def parse_verdict(text: str | None) -> JudgedAs:
    """The verdict that a judge's output states, in the order shown: `Verdict.A` is the first one.

    An output with no label, with a label cut off, or with differing labels is `Unscored`.
    """
    if text is None or not text.strip():
        return NO_OUTPUT
    answer = without_thoughts(text)
    if not answer.finished:
        return CUT_OFF_THOUGHT
    return _stated(_plain(answer.text)) if answer.text.strip() else ONLY_A_THOUGHT


def turned(judged: JudgedAs) -> JudgedAs:
    """A verdict given with the responses swapped, said of the candidates: first shown was B."""
    if isinstance(judged, Unscored):
        return judged
    return _TURN.get(judged, judged)


def ends_early(text: str) -> bool:
    """True if the text goes on after its last label and stops in the middle of a sentence."""
    plain = _plain(without_thoughts(text).text)
    end = max((label.end() for label in _BRACKETED.finditer(plain)), default=0)
    rest = plain[end:].strip(" \t\n]\"'")
    return bool(rest) and (rest[-1].isalnum() or rest[-1] in ",:;-([")


def _stated(plain: str) -> JudgedAs:
    labels = {_normal(label) for label in _BRACKETED.findall(plain)}
    if labels and "verdict" in plain:
        keyed = {_normal(label) for name, label in _in_data(plain) if _VERDICT_KEY.fullmatch(name)}
        labels |= set() if labels & keyed else keyed
    elif not labels and _OPEN_END.search(plain[-40:]):
        return CUT_OFF
    labels = labels or {_normal(label) for label in _bare_labels(plain)}
    if not labels:
        return NO_LABEL
    return CONFLICT if len(labels) > 1 else _meaning(labels.pop())


def _plain(text: str) -> str:
    """The text in one spelling of letters and signs, without emphasis: labels look alike."""
    text = _compatible(text).lower().translate(_AS_PLAIN)
    text = _ESCAPED.sub(lambda sign: ">" if _larger(sign) else "<", text)
    return _BACKSLASHES.sub("", text).strip()


def _compatible(text: str) -> str:
    """NFKC piece by piece: on a run of combining marks its time grows as the square."""
    if text.isascii():
        return text
    pieces = (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))
    return "".join(unicodedata.normalize("NFKC", piece) for piece in pieces)


def _larger(sign: re.Match[str]) -> bool:
    return (sign[1] or sign[2] or sign[3]) in _LARGER


def _bare_labels(text: str) -> list[str]:
    if stated := _BOXED.findall(text) or [label for _, label in _in_data(text)]:
        return stated
    if len(text) <= _WHOLE_LIMIT and (whole := _WHOLE.fullmatch(text)):
        return [whole[1]]
    if keyed := [label for name, label in _KEYED.findall(text) if not _DENIED.search(name)]:
        return keyed
    last = text[text.rfind("\n") + 1 :][:_WHOLE_LIMIT].strip()
    alone = _ALONE.fullmatch(last)
    return [alone[1], *_ALONE.findall(text)] if alone else []


def _in_data(text: str) -> list[tuple[str, str]]:
    """The keys and their values, but those of `not_preferred` and the like.

    One whose quote or bracket stays open is cut off, or one of several.
    """
    return [
        ((name + rest).strip(), label)
        for _, name, rest, opened, label, closed in _IN_DATA.findall(text)
        if len(opened.replace(" ", "")) == len(closed.replace(" ", "")) and not _DENIED.search(name)
    ]


def _normal(label: str) -> str:
    """One spelling for each label: `A>B`, `A>>B`, `A=B`, `A=B(BOTHBAD)`, A before B in ties.

    That both are good is no more than a tie, but beside a winner it contradicts it.
    """
    bad = "(bothbad)" if re.search(_BAD, label) else ""
    compared = _COMPARED_PARTS.match(label.replace(" ", ""))
    if compared is None:
        side = _ONE_SIDE.fullmatch(label)
        return (f"a=b{bad}" if side is None else f"{side[1]}>{_OTHER[side[1]]}").upper()
    left, sign, right = compared.groups()
    if sign.startswith("<"):
        left, sign, right = right, sign.replace("<", ">"), left
    if sign.startswith("="):
        return f"{min(left, right)}={max(left, right)}{bad}".upper()
    return f"{left}{sign}{right}{'(' * label.endswith(')')}".upper()


def _meaning(label: str) -> JudgedAs:
    relation, note, _ = label.partition("(")
    left, sign, right = relation[0], relation[1:-1], relation[-1]
    if left == right or (note and sign != "="):
        return NO_LABEL
    if sign == "=":
        return Verdict.BOTH_BAD if note else Verdict.TIE
    return Verdict(left)
