"""A queue is told apart from a slow model and from a long answer."""

from nova_judge.answers.limiter import Pace


def slow(*answers, slow_s=30.0):
    pace = Pace(slow_s)
    return [pace.is_slow(*answer) for answer in answers]


def test_a_model_that_always_takes_long_is_not_slow():
    assert slow((35.0, None), (36.0, None), (45.0, None)) == [False] * 3


def test_an_answer_that_takes_over_twice_the_least_is_slow():
    assert slow((16.0, None), (31.0, None), (33.0, None)) == [False, False, True]


def test_quick_answers_are_never_slow():
    assert slow((0.1, None), (29.0, None)) == [False, False]


def test_a_long_answer_is_not_slow_and_a_short_one_that_took_as_long_is():
    assert slow((2.0, 50), (45.0, 1500), (45.0, 50)) == [False, False, True]
