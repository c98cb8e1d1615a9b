"""Prompts as templates, and texts that try to be more than values."""

import pytest

from nova_judge.prompt_template import MissingFieldError, rendered, template_problems

FIELDS = ("prompt", "first", "second", "context")


def test_texts_of_a_row_stay_texts():
    hostile = "{{ 7 * 7 }} {% for x in range(9) %}x{% endfor %} {{ prompt }}"
    text = rendered("Q: {{ prompt }}\nA: {{ first }}", {"prompt": "2 + 2?", "first": hostile})
    assert text == f"Q: 2 + 2?\nA: {hostile}"


def test_a_field_that_a_row_lacks_is_an_error_unless_the_template_asks_for_it():
    assert rendered("{% if context is defined %}{{ context }}{% endif %}x", {}) == "x"
    with pytest.raises(MissingFieldError, match="'context' is undefined"):
        rendered("{{ context }}", {})


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ prompt }} {{ first }} {{ second", "line 1: "),
        ("{{ prompt }} {{ first }} {{ answer }}", "it uses {{ answer }}; there are {{ prompt }}"),
        ("{{ prompt }} {{ first }}", "it never uses {{ second }}"),
        ("{{ first.__class__.__mro__ }}{{ second }}", "it cannot be rendered: SecurityError"),
        ("{{ first }}{{ second }}{% include 'x' %}", "it cannot be rendered: TypeError"),
        ("{{ first }}{{ second }}{{ 1 / 0 }}", "it cannot be rendered: ZeroDivisionError"),
        ("{{ first }}{{ second }}{{ 10 ** 9 }}", "it cannot be rendered: SecurityError"),
        ("x" * 100_001, "it has 100,001 characters; at most 100,000 are read"),
    ],
)
def test_a_template_that_cannot_be_asked_with_says_why(template, says):
    problems = list(template_problems(template, FIELDS, ("first", "second")))
    assert any(problem.startswith(says) for problem in problems), problems


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ 'x'|center(300000000) }}", "line 1: No filter named 'center'"),
        ("{{ '%200000000d'|format(1) }}", "line 1: No filter named 'format'"),
        ("{{ prompt|replace('p', 'x') }}", "line 1: No filter named 'replace'"),
        ("{{ prompt|indent(300000000, true) }}", "line 1: No filter named 'indent'"),
        ("{{ [1]|batch(300000000, 2)|list }}", "line 1: No filter named 'batch'"),
        ("{{ [1]|slice(300000000)|list }}", "line 1: No filter named 'slice'"),
        ("{{ [1]|tojson(300000000) }}", "line 1: No filter named 'tojson'"),
        ("{{ 1|round(300000000, 'ceil') }}", "line 1: No filter named 'round'"),
        ("{{ lipsum(300000) }}", "it uses {{ lipsum }}"),
        ("{{ 'x'.ljust(300000000) }}", "it cannot be rendered: SecurityError"),
        ("{{ '{:300000000}'.format(1) }}", "it cannot be rendered: SecurityError"),
        ("{{ prompt.replace('p', 'x') }}", "it cannot be rendered: SecurityError"),
        (
            "{% for n in range(99999) %}{{ prompt }}{{ prompt }}{% endfor %}",
            "it cannot be rendered: TooLongError: the prompt has over 1,000,000 characters",
        ),
    ],
)
def test_a_template_that_makes_much_of_little_is_refused(template, says):
    problems = list(template_problems(template, FIELDS, ()))
    assert any(problem.startswith(says) for problem in problems), problems


def test_a_good_template_has_no_problem():
    text = "{% if context is defined %}{{ context }}{% endif %}{{ prompt }}{{ first }}{{ second }}"
    assert list(template_problems(text, FIELDS, ("first", "second"))) == []
