"""Prompts as templates, and texts that try to be more than values."""

import resource
import time

import pytest

from nova_judge.template_sandbox import (
    ROW_FAULTS,
    MissingFieldError,
    rendered,
    template_problems,
)

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


DOUBLED = "{% set n = namespace(t='x') %}{% for i in range(60) %}"
LOOPS = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


@pytest.mark.parametrize(
    "template",
    [
        DOUBLED + "{% set n.t = n.t ~ n.t %}{% endfor %}",
        DOUBLED + "{% set n.t = n.t + n.t %}{% endfor %}",
        DOUBLED + "{% set n.t = [n.t, n.t]|join %}{% endfor %}",
        DOUBLED + "{% set x %}{{ n.t }}{{ n.t }}{% endset %}{% set n.t = x %}{% endfor %}",
        DOUBLED + "{% set n.t = n.t|list + n.t|list %}{% endfor %}",
        "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 60,
        "{% set a = [1] %}" + "{% set a = a + a %}" * 60,
        "{% set a = 9 %}" + "{% set a = a * a %}" * 60,
        "{% macro m(t) %}{{ t }}{{ t }}{% endmacro %}{% set a = 'x' %}" + "{% set a = m(a) %}" * 60,
        "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{% set a = m(0) %}",
        "{% macro m(n) %}{% if n < 60 %}{% set a = m(n + 1) %}{% set b = m(n + 1) %}{% endif %}"
        "{% endmacro %}{% set a = m(0) %}",
        "{% for i in [1] recursive %}{% set a = loop([1, 1]) %}{% set b = loop([1]) %}{% endfor %}",
        LOOPS,
        "{% for i in range(99999) %}{% set a = prompt|upper %}{% endfor %}" * 30,
        "{% set a = prompt|join(prompt) %}" * 3,
        "{% set a = prompt.join(prompt) %}",
        "{% set a = prompt.translate({112: prompt}) %}",
        "{% set a = prompt|wordwrap(1, true, prompt) %}",
        "{% set a = range(99999)|map('string')|join(prompt) %}",
    ],
)
def test_a_template_that_prints_nothing_is_bounded_too(template):
    """Without bounds each of these takes gigabytes or hours."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises((*ROW_FAULTS, MissingFieldError)):
        rendered(template, {"prompt": "p<&" * 10_000})
    assert time.process_time() - began < 5
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # KiB


def test_what_templates_are_written_for_still_works():
    text = (
        "{% macro shown(t) %}[{{ t }}]{% endmacro %}"
        "{% for line in prompt.splitlines() %}{{ loop.index }}/{{ loop.length }}: "
        "{{ line|trim|upper }}{{ ' and' if not loop.last }}\n{% else %}nothing{% endfor %}"
        "{{ shown('a' ~ 1 + 2 ~ first) }}{{ ['x', 2, first]|join(', ') }}"
        "{% set n = namespace(count=0) %}{% for c in first %}{% set n.count = n.count + 1 %}"
        "{% endfor %} {{ n.count * 2 }}{{ [1] + [2] }}{{ {'a': 1}|dictsort }}"
        "{% for k, v in {'a': 1}.items() if v %}{{ k }}{% endfor %}"
    )
    made = rendered(text, {"prompt": "one\n two ", "first": "yes"})
    assert made == "1/2: ONE and\n2/2: TWO\n[a12yes]x, 2, yes 6[1, 2][('a', 1)]a"
