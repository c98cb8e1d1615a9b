"""The rubric of the stand-in judge `reference`, and how it writes its verdict."""

from typing import Literal, NamedTuple

import ryaml

from nova_judge_local.judges.squad_scores import exact_match, token_f1, tokens

_TIE = 1e-9


class Quality(NamedTuple):
    """Nearness of one answer to the reference: F1 in [0, 1], and tokens beyond the reference's."""

    f1: float
    exact: bool
    surplus: int


def reference_output(
    first: str, second: str, reference: str, form: Literal["pairwise", "rubric"]
) -> str:
    """Write what the judge would: the nearer answer wins by token F1, equal ones tie."""
    a, b = _quality(first, reference), _quality(second, reference)
    label = "[[A=B]]" if abs(a.f1 - b.f1) < _TIE else "[[A>B]]" if a.f1 > b.f1 else "[[B>A]]"
    reason = (
        f"Token F1 against the reference: A {a.f1:.3f}, B {b.f1:.3f}."
        f" Exact match: A {_yes(a.exact)}, B {_yes(b.exact)}."
    )
    if form == "pairwise":
        return f"{reason}\n\n{label}"
    document = {
        "criteria": _criteria(a, b),
        "overall_justification": reason,
        "preference": label,
    }
    return ryaml.dumps(document)


def _quality(answer: str, reference: str) -> Quality:
    both = tokens(answer, reference)
    surplus = len(both.given) - len(both.wanted)
    return Quality(token_f1(answer, reference), exact_match(answer, reference), max(surplus, 0))


def _criteria(a: Quality, b: Quality) -> dict[str, dict[str, object]]:
    return {
        "accuracy": {
            "description": "Token F1 against the reference, from 0 on the scale's 1 to 1 on its 5.",
            "type": "scale",
            "weight": 0.5,
            "score_A": round(1 + 4 * a.f1),
            "score_B": round(1 + 4 * b.f1),
            "justification_A": f"Token F1 is {a.f1:.3f}.",
            "justification_B": f"Token F1 is {b.f1:.3f}.",
        },
        "exactness": {
            "description": "Whether both are equal but for case, articles, punctuation.",
            "type": "binary",
            "weight": 0.3,
            "score_A": a.exact,
            "score_B": b.exact,
            "justification_A": f"Exact match: {_yes(a.exact)}.",
            "justification_B": f"Exact match: {_yes(b.exact)}.",
        },
        "conciseness": {
            "description": "5 at the reference's length, one less for every 4 words more.",
            "type": "scale",
            "weight": 0.2,
            "score_A": _conciseness(a),
            "score_B": _conciseness(b),
            "justification_A": f"{a.surplus} words beyond the reference's length.",
            "justification_B": f"{b.surplus} words beyond the reference's length.",
        },
    }


def _conciseness(quality: Quality) -> int:
    return max(1, 5 - (quality.surplus + 3) // 4)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
