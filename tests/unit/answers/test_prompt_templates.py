"""Templates make prompts of rows, in a sandbox; what cannot be a template is refused."""

import pytest

from nova_judge.answers.prompts import Prompt, Said, prompt_maker, prompt_name, template_problems
from nova_judge.errors import GenerationFailedError
from nova_judge.recipe.asked_model import Message
from nova_judge.recipe.recipe import CandidateSpec
from nova_judge.records import InputRow

ROW = InputRow(line=7, id="q7", prompt="Why?", context="It rained.", reference="no", response_A="x")
EXAMPLES = ({"q": "1+1", "a": 2}, {"q": "2+2", "a": 4})
TURNS = (
    Message(role="user", content="Be brief."),
    Message(role="assistant", content="Yes, {{ id }}."),
    Message(role="user", content="{{ prompt }}"),
)


def made(row=ROW, **fields):
    return prompt_maker(CandidateSpec(**fields))(row)


def problems(**fields):
    return "\n".join(template_problems("candidates.A", CandidateSpec(**fields)))


def test_without_a_template_the_question_is_asked_as_it_is():
    assert made() == "It rained.\n\nWhy?"


def test_a_template_shows_fields_of_the_row_and_examples():
    template = (
        "{% for e in examples %}Q: {{ e.q }} A: {{ e.a }}\n{% endfor %}Q: {{ prompt }} ({{ id }})"
    )
    assert made(prompt=template, examples=EXAMPLES) == "Q: 1+1 A: 2\nQ: 2+2 A: 4\nQ: Why? (q7)"


def test_text_of_rows_is_no_template_and_is_not_escaped():
    row = InputRow(line=1, id="1", prompt="{{ 1 + 1 }} <b>&")
    assert made(row, prompt="{{ prompt }}!") == "{{ 1 + 1 }} <b>&!"


def test_turns_come_before_the_question():
    prompt = made(messages=TURNS)
    assert isinstance(prompt, Prompt)
    assert prompt.before == (Said("user", "Be brief."), Said("assistant", "Yes, q7."))
    assert (str(prompt), prompt.system) == ("Why?", None)


def test_an_instruction_of_the_row_stays():
    row = InputRow(line=1, id="1", prompt="Hi", system="In French.")
    assert made(row, prompt="{{ prompt }}!").system == "In French."


def test_other_turns_are_another_prompt():
    one, other = (
        Prompt("Hi", None, (Said("user", text), Said("assistant", "b"))) for text in ("a", "c")
    )
    plain = Prompt("Hi")
    assert len({prompt_name(prompt) for prompt in (one, other, plain)}) == 3
    assert prompt_name(plain) == prompt_name("Hi")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"prompt": "{{ promt }}"}, "Did you mean 'prompt'"),
        ({"prompt": "{{ reference }} {{ prompt }}"}, "found 'reference'"),
        ({"prompt": "{{ response_A }} {{ prompt }}"}, "found 'response_A'"),
        ({"prompt": "Say hello."}, "every row would be asked the same"),
        ({"prompt": "{% if prompt %}"}, "line 1"),
        ({"prompt": "{{ prompt }}", "messages": TURNS}, "found prompt and messages"),
        ({"examples": EXAMPLES}, "nothing shows them"),
        ({"messages": TURNS[:2]}, "the last turn is the assistant's"),
        ({"messages": TURNS[1:]}, "turns alternate"),
    ],
)
def test_a_template_that_cannot_be_meant_is_refused(fields, words):
    assert words in problems(**fields)


@pytest.mark.parametrize("fields", [{}, {"prompt": "{{ context }}: {{ prompt }}"}])
def test_a_right_template_has_no_problem(fields):
    assert problems(**fields) == ""


@pytest.mark.parametrize(
    "template",
    [
        "{{ prompt.__class__.__mro__ }}",
        "{{ prompt * 100000 }}",
        "{{ 9 ** 99999999 }}",
        "{{ prompt.nothing.more }}",
        "{% for a in range(99999999) %}{{ prompt }}{% endfor %}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ prompt }}{% endfor %}{% endfor %}",
    ],
)
def test_a_template_that_goes_beyond_its_row_names_the_line(template):
    with pytest.raises(GenerationFailedError, match="line 7: the prompt"):
        made(prompt=template)
