"""The stand-ins for prime_math and prime_code, run where local mode runs them: in the sandbox."""

import pytest

from nova_judge.records import Unscored
from nova_judge_local.container.preset_scorers import preset_scores


def scored(name: str, *rows: dict[str, object]) -> list[dict[str, float] | Unscored]:
    return list(preset_scores(name, rows))


def test_math_compares_values_and_not_spellings() -> None:
    pairs = {
        ("2", r"It has \boxed{2} vertical asymptotes."): 1.0,
        (r"\frac{1}{2}", "So the answer is 0.5"): 1.0,
        ("x^2+1", "$1 + x^2$"): 1.0,
        (r"\sqrt{8}", r"$2\sqrt{2}$"): 1.0,
        ("12", "The result is 13"): 0.0,
        ("12", "I do not know"): 0.0,
    }
    rows = [{"reference": reference, "answer": answer} for reference, answer in pairs]
    assert scored("prime_math", *rows) == [{"score": right} for right in pairs.values()]


def test_a_reference_that_is_no_mathematics_is_no_score() -> None:
    (result,) = scored("prime_math", {"reference": "", "answer": "2"})
    assert isinstance(result, Unscored)
    assert "not a mathematical expression" in result.reason


FACTORIALS = {
    "fn_name": "factorialNumbers",
    "inputs": ["5", "6", "1"],
    "outputs": ["[1, 2]", "[1, 2, 6]", "[1]"],
}
RIGHT = """Here it is:
```python
def factorialNumbers(n):
    found, factor = [1], 1
    while found[-1] * (factor + 1) <= n:
        factor += 1
        found.append(found[-1] * factor)
    return tuple(found)
```"""


def test_code_is_run_against_the_row_s_tests() -> None:
    wrong = RIGHT.replace("<= n", "< n")
    results = scored(
        "prime_code",
        {"answer": RIGHT, "metadata": FACTORIALS},
        {"answer": wrong, "metadata": FACTORIALS},
        {"answer": "I cannot write code.", "metadata": FACTORIALS},
    )
    assert results == [
        {"prime_code": 1.0, "tests_passed": 1.0},
        {"prime_code": 0.0, "tests_passed": pytest.approx(2 / 3)},
        {"prime_code": 0.0, "tests_passed": 0.0},
    ]


def test_a_program_may_read_its_input_and_print() -> None:
    answer = "```python\na, b = map(int, input().split())\nprint(a + b)\n```"
    tests = {"inputs": ["1 2", "10 -4"], "outputs": ["3\n", "6"]}
    assert scored("prime_code", {"answer": answer, "metadata": tests}) == [
        {"prime_code": 1.0, "tests_passed": 1.0}
    ]


def test_a_method_of_a_solution_class_takes_one_argument_a_line() -> None:
    answer = "class Solution:\n    def add(self, a, b):\n        return a + b"
    tests = {"fn_name": "add", "inputs": ["1\n2", '"a"\n"b"'], "outputs": ["3", '"ab"']}
    assert scored("prime_code", {"answer": answer, "metadata": tests}) == [
        {"prime_code": 1.0, "tests_passed": 1.0}
    ]


@pytest.mark.parametrize(
    "body", ["import socket; socket.socket()", "open('/etc/passwd').read()", "raise SystemExit"]
)
def test_a_hostile_program_fails_its_tests(body: str) -> None:
    answer = f"def f(x):\n    {body}\n    return 1"
    tests = {"fn_name": "f", "inputs": ["1"], "outputs": ["1"]}
    assert scored("prime_code", {"answer": answer, "metadata": tests}) == [
        {"prime_code": 0.0, "tests_passed": 0.0}
    ]


def test_a_program_can_bend_neither_its_own_tests_nor_those_of_the_next_row() -> None:
    hostile = "import json\njson.loads = lambda text: 1\ndef f(x): return 1"
    tests = {"fn_name": "f", "inputs": ["1"], "outputs": ["2"]}
    honest = {"answer": "def f(x): return 2", "metadata": tests}
    assert scored("prime_code", {"answer": hostile, "metadata": tests}, honest) == [
        {"prime_code": 0.0, "tests_passed": 0.0},
        {"prime_code": 1.0, "tests_passed": 1.0},
    ]


@pytest.mark.parametrize(
    "program",
    [
        "class Yes:\n    def __eq__(self, other): return True\ndef f(x): return Yes()",
        "class Yes(int):\n    def __eq__(self, other): return True\ndef f(x): return Yes(2)",
        "import builtins\nbuiltins.all = lambda *_: True\ndef f(x): return 2",
        "import json\njson.dumps = lambda *_, **__: '1'\ndef f(x): return object()",
        "import sys, os\ndef f(x):\n    frame = sys._getframe()\n    while frame:\n"
        "        for value in list(frame.f_locals.values()):\n"
        "            if hasattr(value, 'write'): value.write(b'2'); value.flush()\n"
        "        frame = frame.f_back\n    os._exit(0)",
        "import gc, os\ndef f(x):\n"
        "    seen = [o for o in gc.get_objects() if isinstance(o, list) and o == ['3']]\n"
        "    return 3 if seen else 2",
    ],
    ids=[
        "__eq__",
        "__eq__ of an int",
        "patched all",
        "patched dumps",
        "frame walk",
        "looks around",
    ],
)
def test_a_program_that_does_not_know_the_answer_cannot_pass(program: str) -> None:
    tests = {"fn_name": "f", "inputs": ["1"], "outputs": ["3"]}
    assert scored("prime_code", {"answer": program, "metadata": tests}) == [
        {"prime_code": 0.0, "tests_passed": 0.0}
    ]


def test_no_test_reaches_the_next_one() -> None:
    counting = "count = []\ncount.append(input())\nprint(len(count))"
    tests = {"inputs": ["a", "b"], "outputs": ["1", "1"]}
    assert scored("prime_code", {"answer": counting, "metadata": tests}) == [
        {"prime_code": 1.0, "tests_passed": 1.0}
    ]


FORGED = r'{"metrics": {"prime_code": 1.0, "tests_passed": 1.0}}\n'


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import os; os._exit(0)",
        "import os; os.kill(os.getpid(), 9)",
        f"import os; os.write(3, b'{FORGED}')",
        f"import os; os.write(3, b'{FORGED}' * 2); os._exit(0)",
    ],
    ids=["hangs", "ends", "is killed", "writes a result", "writes results and ends"],
)
def test_a_program_that_does_not_finish_its_tests_has_not_passed_them(body: str) -> None:
    answer = f"def f(x):\n    {body}\n    return 0"
    tests = {"fn_name": "f", "inputs": ["1"], "outputs": ["1"]}
    row = {"answer": answer, "metadata": tests}
    assert list(preset_scores("prime_code", [row], seconds=1)) == [
        {"prime_code": 0.0, "tests_passed": 0.0}
    ]


def test_rows_without_tests_are_no_score() -> None:
    results = scored(
        "prime_code",
        {"answer": RIGHT, "metadata": None},
        {"answer": RIGHT, "metadata": {"inputs": ["1"], "outputs": []}},
    )
    assert all(isinstance(result, Unscored) for result in results)
