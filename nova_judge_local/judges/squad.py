"""Exact match and token F1 as SQuAD's evaluation script defines them.

P. Rajpurkar et al., "SQuAD: 100,000+ Questions for Machine Comprehension of Text", 2016, and its
`evaluate-v1.1.py`: lower case, no punctuation, no English articles, single blanks; F1 over the bag
of tokens.
"""

import re
import string
from collections import Counter

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize(text: str) -> str:
    """The form in which SQuAD compares answers."""
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, reference: str) -> bool:
    """Whether both are the same after normalisation."""
    return normalize(answer) == normalize(reference)


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of token precision and recall, in [0, 1]."""
    given, wanted = normalize(answer).split(), normalize(reference).split()
    shared = (Counter(given) & Counter(wanted)).total()
    return 2 * shared / (len(given) + len(wanted)) if shared else 0.0
