"""Records of training data in the documented forms of TRL, Bedrock and Amazon Nova.

Every form has the same columns whatever the rows hold: what says where a record comes from stands
in a file of its own. Sources: https://huggingface.co/docs/trl/dataset_formats and
https://docs.aws.amazon.com/nova/latest/userguide/nova-dpo.html.
"""

import enum
from typing import Any, NamedTuple

BEDROCK = "bedrock-conversation-2024"


class Format(enum.StrEnum):
    """Purpose of the records."""

    DPO = "dpo"
    SFT = "sft"
    KTO = "kto"
    REWARD = "reward"
    CURRICULUM = "curriculum"
    BEDROCK_SFT = "bedrock-sft"
    NOVA_DPO = "nova-dpo"

    @property
    def turns_of_bedrock(self) -> bool:
        """True if a record has the field `system` only where its row has a system prompt."""
        return self in (Format.BEDROCK_SFT, Format.NOVA_DPO)

    @property
    def needs_both(self) -> bool:
        """True if a record holds a better and a worse answer."""
        return self not in (Format.SFT, Format.BEDROCK_SFT, Format.KTO)


class Texts(NamedTuple):
    """Texts of one record; `rejected` None where only one answer is known."""

    prompt: str
    system: str | None
    chosen: str | None
    rejected: str | None = None


def records(texts: Texts, form: Format, *, conversational: bool) -> list[dict[str, Any]]:
    """The records of one row: one, or for KTO one for each answer."""
    if form is Format.BEDROCK_SFT:
        return [_bedrock(texts, content=_blocks(texts.chosen))]
    if form is Format.NOVA_DPO:
        labelled = ((texts.chosen, "preferred"), (texts.rejected, "non-preferred"))
        candidates = [
            {"content": _blocks(text), "preferenceLabel": label} for text, label in labelled
        ]
        return [_bedrock(texts, candidates=candidates)]
    prompt, answer = _spoken(texts) if conversational else (texts.prompt, _plain)
    if form is Format.SFT:
        return [{"prompt": prompt, "completion": answer(texts.chosen)}]
    if form is Format.KTO:
        return [
            {"prompt": prompt, "completion": answer(text), "label": label}
            for text, label in ((texts.chosen, True), (texts.rejected, False))
            if text is not None
        ]
    return [{"prompt": prompt, "chosen": answer(texts.chosen), "rejected": answer(texts.rejected)}]


def _plain(text: str | None) -> Any:  # noqa: ANN401 - a JSON value
    return text or ""


def _spoken(texts: Texts) -> tuple[Any, Any]:
    """The prompt as turns, and how an answer becomes one."""
    turns = [{"role": "user", "content": texts.prompt}]
    if texts.system:
        turns.insert(0, {"role": "system", "content": texts.system})
    return turns, lambda text: [{"role": "assistant", "content": text or ""}]


def _bedrock(texts: Texts, **answer: object) -> dict[str, Any]:
    system = {"system": _blocks(texts.system)} if texts.system else {}
    user = {"role": "user", "content": _blocks(texts.prompt)}
    messages = [user, {"role": "assistant", **answer}]
    return {"schemaVersion": BEDROCK, **system, "messages": messages}


def _blocks(text: str | None) -> list[dict[str, str]]:
    return [{"text": text or ""}]
