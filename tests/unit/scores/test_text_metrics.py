"""gen_qa metrics against the libraries that define them, and by hand."""

import random

import pytest

from nova_judge.records import Unscored
from nova_judge.scores.text_metrics import (
    NO_BLEU_COUNTS,
    NO_LATIN,
    ROW_METRICS,
    bleu,
    bleu_counts,
    container_metrics,
    corpus_bleu,
    normalized,
    reads_words,
    row_metrics,
)

WORDS = [
    "the",
    "a",
    "Paris",
    "paris.",
    "capital,",
    "of",
    "France",
    "is",
    "3.14",
    "3,14",
    "7",
    "7.0",
    "well-known",
    "1969-07",
    "it's",
    "don't",
    '"quoted"',
    "&amp;",
    "&lt;b&gt;",
    "50%",
    "naïve",
    "東京",
    "U.S.",
    "e.g.",
    "-",
    "--",
    "(yes)",
    "x_y",
    "a/b",
    "end",
]
WORDS.append("\n")


def texts(seed: int, longest: int = 14) -> tuple[str, str]:
    draw = random.Random(seed)  # noqa: S311 - test data
    reference = " ".join(draw.choices(WORDS, k=draw.randrange(longest)))
    if draw.random() < 0.3:
        return reference, reference
    return " ".join(draw.choices(WORDS, k=draw.randrange(longest))), reference


@pytest.mark.parametrize("name", ["rouge1", "rouge2", "rougeL"])
def test_rouge_equals_the_rouge_score_library(name: str) -> None:
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer([name])
    for seed in range(500):
        answer, reference = texts(seed)
        expected = scorer.score(reference, answer)[name].fmeasure
        assert container_metrics(answer, reference)[name] == pytest.approx(expected, abs=1e-12)


def test_bleu_equals_the_sacrebleu_library() -> None:
    import sacrebleu

    for seed in range(150):
        pairs = [texts(1000 * seed + row, longest=9 + seed) for row in range(1 + seed % 7)]
        answers, references = [list(side) for side in zip(*pairs, strict=True)]
        expected = sacrebleu.metrics.BLEU().corpus_score(answers, [references]).score
        assert corpus_bleu(pairs) == pytest.approx(expected, abs=1e-9)


def test_bleu_counts_of_parts_add_up_to_those_of_the_file() -> None:
    pairs = [texts(seed, longest=30) for seed in range(60)]
    parts = [pairs[start : start + 7] for start in range(0, 60, 7)]
    merged = NO_BLEU_COUNTS
    for part in parts:
        counts = NO_BLEU_COUNTS
        for answer, reference in part:
            counts = counts.plus(bleu_counts(answer, reference))
        merged = merged.plus(counts)
    assert bleu(merged) == corpus_bleu(pairs)


def test_bleu_of_nothing_is_zero() -> None:
    assert bleu(NO_BLEU_COUNTS) == 0.0
    assert corpus_bleu([("", "a reference")]) == 0.0


def test_an_equal_answer_scores_one_and_a_foreign_one_zero() -> None:
    assert set(row_metrics("Mount Everest", "Mount Everest").values()) == {1.0}
    assert set(row_metrics("yes", "Mount Everest").values()) == {0.0}


def test_an_empty_answer_scores_zero_even_against_an_empty_reference() -> None:
    assert set(row_metrics("", "").values()) == {0.0}


def test_every_row_metric_is_there_under_the_container_s_name() -> None:
    assert tuple(row_metrics("a", "b")) == ROW_METRICS


@pytest.mark.parametrize(
    ("answer", "reference", "em", "qem"),
    [
        (" Canberra\n", "Canberra", 1.0, 1.0),
        ("canberra.", "Canberra", 0.0, 1.0),
        ("The Seine", "seine", 0.0, 1.0),
        ("7", "7.0", 0.0, 0.0),
        ("Sydney", "Canberra", 0.0, 0.0),
    ],
)
def test_exact_and_quasi_exact_match(answer: str, reference: str, em: float, qem: float) -> None:
    metrics = container_metrics(answer, reference)
    assert (metrics["em"], metrics["qem"]) == (em, qem)


def test_f1_counts_a_repeated_word_once() -> None:
    assert row_metrics("no no no", "no way")["f1"] == pytest.approx(2 / 3)


def test_normalisation_follows_helm() -> None:
    assert normalized("The well-known  U.S. Answer: 42!") == "well known us answer 42.0"
    assert normalized("1,000") == "1000.0"


@pytest.mark.parametrize(
    ("reference", "readable"),
    [
        ("Mount Everest", True),
        ("Zürich", True),
        ("42", True),
        ("", True),
        ("!!", True),
        ("巴黎", False),
        ("القاهرة", False),
        ("Москва", False),
        ("答案是42", False),
        ("กรุงเทพ", False),
    ],
)
def test_rouge_is_unscored_where_rouge_score_reads_too_little(reference, readable):
    metrics = row_metrics(reference, reference)
    for name in ("rouge1", "rouge2", "rougeL"):
        assert (metrics[name] != NO_LATIN) is readable
    assert not isinstance(metrics["em"], Unscored)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Paris", True),
        ("Москва река", True),
        ("القاهرة", True),
        ("巴黎", False),
        ("東京です", False),
        ("กรุงเทพ", False),
    ],
)
def test_bleu_reads_scripts_that_write_blanks(text, words):
    assert reads_words(text) is words
