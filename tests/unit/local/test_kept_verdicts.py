from nova_judge_local.judges.pair_judges import KEPT_VERDICTS, KeptVerdicts, NoOutputError, Shown

SHOWN = Shown("2 + 2?", "4", "5", "forward", None)


class Counting:
    name = "counting"

    def __init__(self, fails=False):
        self.asked = 0
        self.fails = fails

    def output(self, shown, form):
        self.asked += 1
        if self.fails:
            raise NoOutputError("cut off", "[[A")
        return f"{shown.first} {form} [[A>B]]"


def test_a_second_run_asks_only_for_what_is_missing(tmp_path):
    first = Counting()
    assert KeptVerdicts(first, tmp_path).output(SHOWN, "pairwise") == "4 pairwise [[A>B]]"
    second = Counting()
    judge = KeptVerdicts(second, tmp_path)
    assert judge.output(SHOWN, "pairwise") == "4 pairwise [[A>B]]"
    assert (first.asked, second.asked) == (1, 0)
    judge.output(SHOWN, "rubric")
    judge.output(SHOWN._replace(first="5", second="4"), "pairwise")
    KeptVerdicts(second, tmp_path, "other settings").output(SHOWN, "pairwise")
    assert second.asked == 3


def test_an_unfinished_output_is_asked_for_again(tmp_path):
    failing = Counting(fails=True)
    for _ in range(2):
        try:
            KeptVerdicts(failing, tmp_path).output(SHOWN, "pairwise")
        except NoOutputError as error:
            assert error.text == "[[A"
    assert failing.asked == 2


def test_a_line_that_was_cut_off_costs_itself_only(tmp_path):
    KeptVerdicts(Counting(), tmp_path).output(SHOWN, "pairwise")
    with (tmp_path / KEPT_VERDICTS).open("ab") as file:
        file.write(b'{"key": "half')
    judge = Counting()
    KeptVerdicts(judge, tmp_path).output(SHOWN, "rubric")
    kept = KeptVerdicts(judge, tmp_path)
    assert kept.output(SHOWN, "pairwise") == "4 pairwise [[A>B]]"
    assert kept.output(SHOWN, "rubric") == "4 rubric [[A>B]]"
    assert judge.asked == 1
