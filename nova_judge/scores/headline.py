"""What a scoring run says in one sentence: which candidate is higher on what, or how high it is."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from nova_judge.scores.text_metrics import ROW_METRICS

Figure = Mapping[str, Any]
_MOST_NAMED = 4
_TELLING = ("f1_score_quasi", "rougeL", "qem")


class ScoreHeadline(msgspec.Struct, frozen=True):
    """The result in a few words, and the evidence for it."""

    words: str
    evidence: str


def score_headline(
    scores: Sequence[Figure], differences: Sequence[Figure], names: Mapping[str, str]
) -> ScoreHeadline:
    """The headline from the entries of metrics.json; `names` says what a subject is called.

    A difference counts when it is shown with all metrics together (see `shown_together`).
    """
    if differences:
        return _comparison(differences, names)
    known = [figure for figure in scores if figure["estimate"] is not None]
    if not known:
        return ScoreHeadline("No score", "No metric has a score that an interval can be given for.")
    shown = _leading(known)[:_MOST_NAMED]
    words = ", ".join(f"{figure['metric']} {_value(figure, 'estimate')}" for figure in shown)
    return ScoreHeadline(words, ". ".join(_told(figure, names) for figure in shown) + ".")


def _leading(figures: Sequence[Figure]) -> list[Figure]:
    """What a scorer of your own says goes first; of the usual text metrics, the forgiving ones."""
    own = [figure for figure in figures if figure["metric"] not in ROW_METRICS]
    usual = {figure["metric"]: figure for figure in figures}
    return own or [usual[name] for name in _TELLING if name in usual] or list(figures)


def _comparison(differences: Sequence[Figure], names: Mapping[str, str]) -> ScoreHeadline:
    first, second = differences[0]["first"], differences[0]["second"]
    better = [d["metric"] for d in differences if favours(d) == second]
    worse = [d["metric"] for d in differences if favours(d) == first]
    undecided = [d["metric"] for d in differences if favours(d) is None]
    parts = [
        f"{second} better on {_listed(better)}" if better else "",
        f"{first} better on {_listed(worse)}" if worse else "",
        f"no difference shown on {_listed(undecided)}" if undecided else "",
    ]
    words = "; ".join(part for part in parts if part)
    told = [_told_difference(d) for d in differences[:_MOST_NAMED]]
    called = f"{first} is {names.get(first, first)}, {second} is {names.get(second, second)}"
    return ScoreHeadline(words[:1].upper() + words[1:], f"{'. '.join(told)}. {called}.")


def favours(difference: Figure) -> str | None:
    """Which subject a difference favours; None where the difference is not shown."""
    if not difference["shown"]:
        return None
    second_higher = difference["estimate"] > 0
    second_better = second_higher == (difference["better"] == "higher")
    return str(difference["second"] if second_better else difference["first"])


def _listed(metrics: Sequence[str]) -> str:
    named = ", ".join(metrics[:_MOST_NAMED])
    left = len(metrics) - _MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named


def _told(figure: Figure, names: Mapping[str, str]) -> str:
    level = f"{figure['level'] * 100:g} % interval"
    ends = f"{_value(figure, 'low')} to {_value(figure, 'high')}"
    return (
        f"{figure['metric']} of {names.get(figure['subject'], figure['subject'])} "
        f"{_value(figure, 'estimate')} "
        f"({level} {ends}, {figure['rows']:,} rows)"
    )


def _told_difference(difference: Figure) -> str:
    if difference["estimate"] is None:
        return f"{difference['metric']}: {difference['method']}"
    level = f"{difference['level'] * 100:g} % interval"
    return (
        f"{difference['metric']}: {difference['second']} less {difference['first']} "
        f"{difference['estimate']:+.3f} ({level} {difference['low']:+.3f} to "
        f"{difference['high']:+.3f}, {difference['rows']:,} rows)"
    )


def _value(figure: Figure, key: str) -> str:
    return f"{figure[key]:.3f}"
