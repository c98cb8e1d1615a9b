"""Compare an answer with its reference by the metrics of AWS's container for own data.

The container is built on LightEval, and so are the definitions: exact match and quasi exact match,
F1 over sets of words, ROUGE as Google's `rouge-score` computes it (without stemming), and BLEU over
the whole file as `sacrebleu` computes it. All lie in [0, 1] but BLEU, which lies in [0, 100].
"""

import contextlib
import functools
import math
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nova_judge.records import Unscored

__all__ = ["corpus_bleu", "normalized", "row_metrics"]

ROW_METRICS = ("rouge1", "rouge2", "rougeL", "em", "qem", "f1", "f1_score_quasi")

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_NOT_ROUGE = re.compile(r"[^a-z0-9]+")
_MAX_ORDER = 4
_MASKS_KEPT = 1_000
_WITHOUT_BLANKS = re.compile(  # Thai, Lao, Myanmar, Khmer, kana and Han
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    r"\U00020000-\U0003ffff]"
)
NO_LATIN = Unscored("rouge-score reads Latin letters and digits, of which the reference has few")
NO_BLANKS = Unscored("BLEU counts words between blanks, which the references' scripts do not write")


def row_metrics(answer: str, reference: str) -> dict[str, float | Unscored]:
    """The per-row metrics of one answer; ROUGE is unscored where `rouge-score` reads too little.

    >>> scores = row_metrics("It is Paris.", "Paris")
    >>> scores["rouge1"], scores["em"], scores["f1_score_quasi"]
    (0.5, 0.0, 0.5)
    """
    metrics: dict[str, float | Unscored] = {**container_metrics(answer, reference)}
    if not _reads_latin(reference):
        metrics |= dict.fromkeys(("rouge1", "rouge2", "rougeL"), NO_LATIN)
    return metrics


def reads_words(text: str) -> bool:
    """True if BLEU's tokens, which lie between blanks, are words of the text's script."""
    return not _WITHOUT_BLANKS.search(text)


def _reads_latin(text: str) -> bool:
    """True if at least half of the letters and digits are those that `rouge-score` keeps."""
    signs = [sign for sign in text.lower() if sign.isalnum()]
    return not signs or 2 * sum(sign.isascii() for sign in signs) >= len(signs)


def container_metrics(answer: str, reference: str) -> dict[str, float]:
    """The per-row metrics as the container gives them, named as it names them."""
    quasi_answer, quasi_reference = normalized(answer), normalized(reference)
    answer_words, reference_words = _rouge_words(answer), _rouge_words(reference)
    return {
        "rouge1": _ngram_f1(answer_words, reference_words, 1),
        "rouge2": _ngram_f1(answer_words, reference_words, 2),
        "rougeL": _longest_common_f1(answer_words, reference_words),
        "em": float(bool(answer) and answer.strip() == reference.strip()),
        "qem": float(bool(answer) and quasi_answer == quasi_reference),
        "f1": _word_set_f1(answer, reference),
        "f1_score_quasi": _word_set_f1(quasi_answer, quasi_reference),
    }


def normalized(text: str) -> str:
    """`text` in lower case without punctuation and English articles; numbers in one spelling.

    The normalisation of HELM and LightEval, which goes back to the QuAC script. Punctuation goes
    before numbers are read, so `1,000` and `1000` are equal, but `7.0` is seventy.

    >>> normalized("The Answer, Paris!")
    'answer paris'
    """
    words = (_normalized_word(word) for word in re.split(r" |-", text))
    return " ".join(word for word in words if word)


def _normalized_word(word: str) -> str:
    bare = word.lower().translate(_PUNCTUATION)
    with contextlib.suppress(ValueError):
        bare = str(float(bare))
    return " ".join(_ARTICLES.sub(" ", bare).split())


def _f1(matches: int, answer_size: int, reference_size: int) -> float:
    return 2 * matches / (answer_size + reference_size) if matches else 0.0


def _word_set_f1(answer: str, reference: str) -> float:
    answer_words, reference_words = set(answer.split()), set(reference.split())
    return _f1(len(answer_words & reference_words), len(answer_words), len(reference_words))


def _rouge_words(text: str) -> list[str]:
    return _NOT_ROUGE.sub(" ", text.lower()).split()


def _ngrams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[start:] for start in range(order)), strict=False))


def _ngram_f1(answer: Sequence[str], reference: Sequence[str], order: int) -> float:
    answer_ngrams, reference_ngrams = _ngrams(answer, order), _ngrams(reference, order)
    matches = (answer_ngrams & reference_ngrams).total()
    return _f1(matches, answer_ngrams.total(), reference_ngrams.total())


def _longest_common_f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the longest common subsequence, one bit per word of the reference.

    Hyyro's form of the bit-vector algorithm ("Bit-parallel LCS-length computation revisited",
    2004): in the end each bit that is 0 is one word of the subsequence.
    """
    places: dict[str, list[int]] = {}
    for place, word in enumerate(reference):
        places.setdefault(word, []).append(place)

    @functools.lru_cache(maxsize=_MASKS_KEPT)
    def mask(word: str) -> int:
        bits = bytearray(len(reference) // 8 + 1)
        for place in places.get(word, ()):
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")

    every = (1 << len(reference)) - 1
    row = every
    for word in answer:
        met = row & mask(word)
        row = (row + met | row - met) & every
    return _f1(len(reference) - row.bit_count(), len(answer), len(reference))


class BleuCounts(NamedTuple):
    """Counts for BLEU over a set of rows; counts of parts of a file add up to those of the file."""

    answer_words: int
    reference_words: int
    matches: tuple[int, ...]
    totals: tuple[int, ...]

    def plus(self, other: "BleuCounts") -> "BleuCounts":
        """The counts of both sets of rows together."""
        return BleuCounts(
            self.answer_words + other.answer_words,
            self.reference_words + other.reference_words,
            tuple(map(sum, zip(self.matches, other.matches, strict=True))),
            tuple(map(sum, zip(self.totals, other.totals, strict=True))),
        )


NO_BLEU_COUNTS = BleuCounts(0, 0, (0,) * _MAX_ORDER, (0,) * _MAX_ORDER)


def bleu_counts(answer: str, reference: str) -> BleuCounts:
    """The BLEU counts of one row."""
    answer_words, reference_words = _bleu_words(answer), _bleu_words(reference)
    orders = range(1, _MAX_ORDER + 1)
    return BleuCounts(
        len(answer_words),
        len(reference_words),
        tuple(
            (_ngrams(answer_words, order) & _ngrams(reference_words, order)).total()
            for order in orders
        ),
        tuple(max(len(answer_words) - order + 1, 0) for order in orders),
    )


def bleu(counts: BleuCounts) -> float:
    """Corpus BLEU in [0, 100]: four orders, exponential smoothing of empty ones, brevity penalty.

    Papineni et al. 2002, with the smoothing of NIST's mteval-v13a, as `sacrebleu` has it.
    """
    precisions: list[float] = []
    smoothing = 1.0
    for matches, total in zip(counts.matches, counts.totals, strict=True):
        if total == 0 or not any(counts.matches):
            return 0.0
        if matches == 0:
            smoothing *= 2
        precisions.append(matches / total if matches else 1 / (smoothing * total))
    short = counts.answer_words < counts.reference_words
    penalty = math.exp(1 - counts.reference_words / counts.answer_words) if short else 1.0
    return 100 * penalty * math.exp(sum(map(math.log, precisions)) / _MAX_ORDER)


def corpus_bleu(pairs: Iterable[tuple[str, str]]) -> float:
    """BLEU of (answer, reference) pairs as one corpus.

    >>> round(corpus_bleu([("the cat sat on the mat", "the cat sat on a mat")]), 1)
    53.7
    """
    counts = NO_BLEU_COUNTS
    for answer, reference in pairs:
        counts = counts.plus(bleu_counts(answer, reference))
    return bleu(counts)


_ENTITIES = {"&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">"}
_SYMBOL = re.compile("([" + re.escape("".join(set(string.punctuation) - set("'.,-"))) + "])")
_POINT_AFTER_NO_DIGIT = re.compile(r"(\D)([.,])", re.ASCII)
_POINT_BEFORE_NO_DIGIT = re.compile(r"([.,])(\D)", re.ASCII)
_DASH_AFTER_DIGIT = re.compile(r"(\d)(-)", re.ASCII)


def _bleu_words(text: str) -> list[str]:
    """The tokens of NIST's mteval-v13a script, the common ground of published BLEU scores.

    Symbols stand alone; so does a point or comma that is not between digits, and a dash behind one.
    """
    text = text.strip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    text = _SYMBOL.sub(r" \1 ", f" {text} ")
    text = _POINT_AFTER_NO_DIGIT.sub(r"\1 \2 ", text)
    text = _POINT_BEFORE_NO_DIGIT.sub(r" \1 \2", text)
    return _DASH_AFTER_DIGIT.sub(r"\1 \2 ", text).split()
