"""The documents stay easy to read, by figures that `python tools/readability.py` prints."""

import pytest

from tools.readability import pages, prose_of, readability_of


def test_the_figures_of_a_known_text():
    page = "# Title\n\nThe cat sat. It `purrs` a lot!\n\n```\nleft out\n```\n| a | table |\n"

    found = readability_of(prose_of(page))

    assert found.words == 7  # a piece of code counts as a word
    assert found.per_sentence == 3.5
    assert found.ease == pytest.approx(206.835 - 1.015 * 3.5 - 84.6)


def test_sentences_are_short_and_words_plain():
    found = readability_of("\n\n".join(pages().values()))

    assert found.words > 10_000
    assert found.per_sentence < 18
    assert found.ease > 70
