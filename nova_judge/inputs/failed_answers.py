"""The one rule by which a text is not an answer but the trace of a generation that failed.

An answer failed when nothing of it is left to read after its thoughts are taken off, or when all of
it is an error: in brackets as AWS's notebooks write it, a JSON object that holds an error and no
answer, or the message of an exception. An answer that only speaks of errors is an answer.
`failure_texts: judged` in a recipe switches the rule off, but for answers that are empty.
"""

import re
import unicodedata
from http import HTTPStatus

import msgspec

from nova_judge.thoughts import without_thoughts

__all__ = ["failure_of"]

NOTHING = "the answer is empty"
INVISIBLE = "the answer holds no visible character"
THOUGHT = "the answer is a thought only"
ERROR = "the answer is an error message"
ERROR_OBJECT = "the answer is an error object"

_CLIENT_ERROR = 400
_LONGEST = 4_000
"""Characters of an error; a longer text is an answer."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_AWS_ERRORS = "|".join(
    (
        r"(?:Throttling|ServiceUnavailable|InternalServer|AccessDenied|ResourceNotFound)Exception",
        r"Model(?:Error|Timeout|NotReady|StreamError)Exception|ServiceQuotaExceededException",
        r"(?:ReadTimeout|ConnectTimeout|EndpointConnection|ConnectionClosed)Error",
    )
)
"""Errors of botocore and of services that answer; other exceptions may be what was asked for."""
_PHRASES = "|".join(re.escape(status.phrase) for status in HTTPStatus if status >= _CLIENT_ERROR)
_ERRORS = re.compile(
    r"(?i:\[[^\[\]\n]{0,120}\b(?:generation|inference|request|call|invocation|response|model|"
    r"endpoint) (?:failed|error)\b.*\])"
    r"|(?i:\[(?:(?:no|empty) (?:response|answer|output|completion)|(?:content )?(?:blocked|"
    r"filtered))(?: ?[:;.(\u2013\u2014-][^\[\]\n]{0,100}| (?:by|due|because|for|from|was|"
    r"received|returned|generated|given|available)\b[^\[\]\n]{0,100})?\])"
    r"|#(?:NAME\?|REF!|VALUE!|ERROR!)"  # a spreadsheet took the answer for a formula
    r"|\{'error': (?:'[^'\n]*'|\"[^\"\n]*\"|\{.*\})\}"
    r"|\$ERROR\$"
    r"|(?:[\w.]+\.)?\w*(?:Error|Exception)(?:: |\()?An error occurred \(\w+\) when calling the .*"
    r"|An error occurred \(\w+\) when calling the \w+ operation.*"
    r"|(?:API |Request )?[Ee]rror(?: code)?: ?[45]\d\d\b.*"
    rf"|(?:HTTP(?:/\d(?:\.\d)?)?|Request failed with status code) [45]\d\d(?: (?:{_PHRASES}))?"
    r"(?:\.?|(?: ?[:(,;-])[^\n]{0,200})"
    r"|(?:openai|litellm|anthropic|httpx|requests|aiohttp|urllib3|botocore)\.[\w.]*"
    r"(?:Error|Exception|Timeout|Throttled)(?:: .*|)"
    r"|(?:<!doctype html>\s*)?<html.{0,300}?<title>\s*[45]\d\d\b.*"
    r"|\[(?:ERROR|FAILED|EXCEPTION)\b[^\[\]\n]{0,200}\][^\n]{0,200}"
    rf"|(?:[\w.]+\.)?(?:{_AWS_ERRORS})(?:: .*|)"
    r"|Traceback \(most recent call last\):\n.*"
    r"|(?:Error|Failed) (?:generating|to generate|calling|invoking|to invoke) [^\n]{0,40}"
    r"(?:response|model|endpoint|completion|answer|text)\b[^\n]{0,40}(?:: .*|)",
    re.DOTALL,
)
_TOKENS = re.compile(r"<\|\w{1,40}\|>|</?s>|<(?:bos|eos|pad|unk)>")
"""Signs for the end of a text and its like, which a server may leave in an answer."""
_REFUSALS = frozenset(status.phrase.lower() for status in HTTPStatus if status >= _CLIENT_ERROR)
_SAYS_ERROR = frozenset(
    ("error", "errors", "errormessage", "errortype", "exception", "fault", "errorcode")
)
_SAYS_ANSWER = frozenset(
    ("answer", "output", "response", "text", "content", "result", "choices", "completion")
)


def failure_of(text: str, *, texts: bool = True) -> str | None:
    """Reason why a text is not an answer, else None. Without `texts` only empty ones have one.

    >>> failure_of("Paris.") is None
    True
    >>> failure_of("<think>The capital of")
    'the answer is a thought only'
    """
    written = _TOKENS.sub("", text)
    if not _visible(written):
        return INVISIBLE if written.strip() else NOTHING
    if not texts:
        return None
    if not _visible(without_thoughts(text).text):
        return THOUGHT
    if len(text) > _LONGEST:
        return None
    stripped = text.strip()
    if _ERRORS.fullmatch(stripped):
        return ERROR
    return ERROR_OBJECT if stripped.startswith("{") and _is_error_object(stripped) else None


def _visible(text: str) -> bool:
    """True if a reader sees anything: not just blank, control, format or variation characters."""
    return any(
        unicodedata.category(sign)[0] not in "ZC"
        and sign not in _BLANK_LETTERS
        and not "\ufe00" <= sign <= "\ufe0f"
        and sign != "\u034f"
        for sign in text
    )


def _is_message(value: object) -> bool:
    """True for what an error holds; a number is a figure that somebody asked for."""
    return bool(value) and (value is True or isinstance(value, str | dict | list))


def _is_error_object(text: str) -> bool:
    try:
        fields = msgspec.json.decode(text.encode(errors="replace"), type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError):
        return False
    names = {re.sub(r"[^a-z]", "", name.lower()): value for name, value in fields.items()}
    if names.keys() & _SAYS_ANSWER and any(names.get(name) for name in _SAYS_ANSWER):
        return False
    if any(_is_message(names.get(name)) for name in _SAYS_ERROR) or names.get("errorcode"):
        return True
    if len(fields) == 1 and str(names.get("detail", names.get("message"))).lower() in _REFUSALS:
        return True
    return "message" in names and bool(names.keys() & {"type", "code", "status", "statuscode"})
