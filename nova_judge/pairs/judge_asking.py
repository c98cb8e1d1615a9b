"""Prompts and settings of a judge that is asked by calls, in both orders of each row."""

import msgspec

from nova_judge.pairs.judge_reply import criteria_shown, reply_form, reply_schema
from nova_judge.recipe.recipe import Generation, Judge
from nova_judge.records import InputRow
from nova_judge.template_sandbox import ROW_FAULTS, MissingFieldError, rendered

_VERDICT_TOKENS = 1024
_RUBRIC_TOKENS = 4096


class AskedPair(msgspec.Struct, frozen=True, omit_defaults=True):
    """The prompts of one row's two orders; `missing`: why it cannot be asked.

    `shown` is the row's own prompt, where the judge's words leave a part of it out.
    """

    forward: str = ""
    backward: str = ""
    missing: str = ""
    shown: str = ""


def asked_pair(row: InputRow, judge: Judge) -> AskedPair:
    """What the judge is asked of a row: its words, and the form that the reply must have."""
    fields = {
        "prompt": row.shown,
        "question": row.prompt,
        "context": row.context,
        "reference": row.reference,
        "system": row.system,
        "criteria": criteria_shown(judge.rubric) if isinstance(judge.rubric, dict) else None,
    }
    own = {name: text for name, text in fields.items() if text is not None}
    a, b = row.response_A or "", row.response_B or ""
    try:
        forward, backward = (
            rendered(judge.words.text, {**own, "first": first, "second": second})
            for first, second in ((a, b), (b, a))
        )
    except MissingFieldError as error:
        reason = f"the judge's prompt shows a field that the row does not have ({error})"
        return AskedPair(missing=reason, shown=row.shown)
    except ROW_FAULTS as error:
        reason = f"the judge's prompt cannot be rendered ({error})"
        return AskedPair(missing=reason, shown=row.shown)
    form = reply_form(judge.rubric)
    return AskedPair(
        forward=f"{forward}\n\n{form}",
        backward=f"{backward}\n\n{form}",
        shown="" if row.shown in forward else row.shown,
    )


def judge_generation(judge: Judge) -> Generation:
    """The settings of a judge's replies, as those of any model that is asked."""
    calls = judge.calls
    return Generation(
        max_tokens=calls.max_tokens or (_RUBRIC_TOKENS if judge.rubric else _VERDICT_TOKENS),
        temperature=calls.temperature,
        call_timeout_s=calls.call_timeout_s,
        tries=calls.tries,
        batch_from=calls.batch_from,
        json_schema=reply_schema(judge.rubric) if calls.structured else None,
    )
