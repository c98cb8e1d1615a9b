import pytest

from nova_judge_local.judges.squad_scores import Tokens, exact_match, token_f1, tokens


@pytest.mark.parametrize(
    ("answer", "reference", "given", "wanted"),
    [
        ("The  Nile, (a river)!", "nile", ["nile", "river"], ["nile"]),
        ("An apple", "theatre", ["apple"], ["theatre"]),
        ("1,000.50", "x", ["1000.5"], ["x"]),
        ("10 000", "10,000", ["10000"], ["10000"]),
        ("1914\u20131918", "1914-1918", ["1914", "1918"], ["1914", "1918"]),
        ("It is \u22125.", "-5", ["it", "is", "-5"], ["-5"]),
        ("O\u2019Brien", "O'Brien", ["obrien"], ["obrien"]),
        ("cafe\u0301", "café", ["café"], ["café"]),
        ("首都是巴黎。", "巴黎", ["首", "都", "是", "巴", "黎"], ["巴", "黎"]),
        ("القاهرة،", "القاهرة", ["القاهرة"], ["القاهرة"]),
        ("The answer is A.", "A", ["the", "answer", "is", "a"], ["a"]),
        ("!=", "==", ["!="], ["=="]),
        ("<think>Lyon? No.</think>Paris", "Paris", ["paris"], ["paris"]),
        ("", "x", [], ["x"]),
        ("x", "", ["x"], []),
    ],
)
def test_answer_and_reference_are_taken_apart_alike(answer, reference, given, wanted):
    assert tokens(answer, reference) == Tokens(given, wanted)


def test_f1_counts_repeated_tokens_once_a_pair():
    # answer {new: 2, york: 1}, reference {new: 1, york: 1}: precision 2/3, recall 1
    assert token_f1("New New York", "new york") == pytest.approx(0.8)


def test_f1_of_nothing_shared_is_zero_and_of_equals_is_one():
    assert token_f1("Sydney", "Canberra") == 0
    assert token_f1("", "Canberra") == 0
    assert token_f1("the Canberra.", "Canberra") == 1


@pytest.mark.parametrize(
    ("right", "wrong", "reference"),
    [
        ("A", "B", "A"),
        ("(A)", "B", "A"),
        ("The", "of", "the"),
        ("==", "!=", "=="),
        ("-5", "5", "-5"),
        ("3.14", "314", "3.14"),
        ("1000", "900", "1,000"),
        ("7.0", "70", "7"),
        ("1/2", "12", "\u00bd"),
        ("12:30", "1230", "12:30."),
        ("v1.2", "v12", "v1.2"),
        ("東京です。", "京都です", "東京"),
        ("กรุงเทพ", "เชียงใหม่", "กรุงเทพ"),
    ],
)
def test_the_right_answer_is_nearer(right, wrong, reference):
    assert token_f1(right, reference) > token_f1(wrong, reference)


def test_exact_match_forgives_case_articles_and_punctuation_only():
    assert exact_match("The Indian Ocean.", "indian ocean")
    assert not exact_match("It is the Indian Ocean", "indian ocean")
    assert not exact_match("5", "-5")
    assert not exact_match("314", "3.14")
