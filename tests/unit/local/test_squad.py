import pytest

from nova_judge_local.judges.squad import exact_match, normalize, token_f1


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Nile, (a river)!", "nile river"),
        ("An apple", "apple"),
        ("theatre", "theatre"),
        ("1,000.5", "10005"),
        ("…", "…"),  # string.punctuation is ASCII only, as in SQuAD's own script
        ("", ""),
    ],
)
def test_text_is_normalised_as_squad_does(text, normal):
    assert normalize(text) == normal


def test_f1_counts_repeated_tokens_once_a_pair():
    # answer {new: 2, york: 1}, reference {new: 1, york: 1}: precision 2/3, recall 1
    assert token_f1("New New York", "new york") == pytest.approx(0.8)


def test_f1_of_nothing_shared_is_zero_and_of_equals_is_one():
    assert token_f1("Sydney", "Canberra") == 0
    assert token_f1("", "Canberra") == 0
    assert token_f1("the Canberra.", "Canberra") == 1


def test_exact_match_forgives_case_articles_and_punctuation_only():
    assert exact_match("The Indian Ocean.", "indian ocean")
    assert not exact_match("It is the Indian Ocean", "indian ocean")
