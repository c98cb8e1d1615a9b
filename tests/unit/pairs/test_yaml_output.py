import random

import pytest
import ryaml

from nova_judge.pairs.yaml_output import NO_YAML, TOO_LONG, TWO_RUBRICS, parse_rubric
from nova_judge.records import Rubric, Unscored, Verdict
from nova_judge.verdict_labels import CONFLICT, CUT_OFF_THOUGHT, LABELS, parse_verdict
from tests.made import details

ONE = """criteria:
  accuracy:
    description: Is it right?
    type: scale
    weight: 0.6
    score_A: 4
    score_B: 2
    justification_A: It is.
    justification_B: Partly.
  cites_source:
    type: binary
    weight: 0.4
    score_A: true
    score_B: no
overall_justification: A is better.
preference: "[[A>B]]"
"""


def read(text):
    return parse_rubric(text)


def scores(rubric):
    assert isinstance(rubric, Rubric), rubric
    return [(c.name, c.type, c.weight, c.score_A, c.score_B) for c in rubric.criteria]


EXPECTED = [("accuracy", "scale", 0.6, 4.0, 2.0), ("cites_source", "binary", 0.4, 1.0, 0.0)]


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"```yaml\n{ONE}```",
        f"Here is my rubric.\n\n```yml\n{ONE}\n```\nThat is all: [[A>B]]",
        f"```yaml\n{ONE}",
        f"Sure! My judgment: A.\n{ONE}",
        ONE.replace('"[[A>B]]"', "[[A>B]]"),
        ONE.replace('"[[A>B]]"', "[[A=B (bothbad)]"),
        ONE.replace('"[[A>B]]"', "A>B"),
        ONE.replace("It is.", "It is right: all of it."),
        ONE.replace("criteria:", "rubric:"),
        ONE.replace("scale", "Likert").replace("score_A: true", "score_A: yes"),
        f"```yaml\n{ONE}```\nand again\n```yaml\n{ONE}```",
        ONE.replace("weight: 0.6", 'weight: "0.6"'),
    ],
)
def test_every_form_that_occurs_reads_the_same(text):
    assert scores(read(text)) == EXPECTED


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("It is.", r'"uses \lambda and \frac{1}{2}"'),
        ("It is.", '"says "yes" twice"'),
        ("It is.", "'it's right'"),
        ("It is.", "`code` is right"),
        ("It is.", "@user is right"),
        ("It is.", "%s is used"),
        ("It is.", "**bold** claim: all of it"),
        ("It is.", "- one point\n      - another: the second"),
        ("It is.", "the answer is long and\n      it goes on: here"),
        ("It is.", "|\n      It is: right.\n\n      `Quite`: so"),
        ("It is.", "[see] the source"),
        ("    description: Is it right?", "\tdescription: Is it right?"),
        ("score_A: 4", "Score_A: 4"),
        ("score_A: 4", "score A: 4"),
        ("score_A: 4", "score_A: 4/5"),
        ("score_A: 4", "score_A: 4 out of 5"),
        ("score_A: 4", "score_A: 4 (good)"),
        ("score_A: true", "score_A: true (it does)"),
        ("weight: 0.6", "weight: 60%"),
        ("weight: 0.6", "weight: 3/5"),
        ("weight: 0.6", "weight: 0.6 (the most)"),
        ("type: scale", "type: scale (1-5)"),
        ("type: scale", "type: Likert scale, 1 to 5"),
        ("type: binary", "type: binary (yes/no)"),
    ],
)
def test_what_judges_write_into_a_rubric_costs_it_nothing(written, instead):
    assert written in ONE
    assert scores(read(ONE.replace(written, instead))) == EXPECTED


def test_a_thought_before_the_rubric_is_no_part_of_it():
    assert scores(read(f"<think>\ncriteria: accuracy first\n</think>\n{ONE}")) == EXPECTED
    assert read(f"<think>{ONE}") == CUT_OFF_THOUGHT


def test_the_text_of_a_line_by_line_rubric_is_kept():
    folded = ONE.replace("It is.", "'it's long and\n      it goes on: here")
    assert read(folded).criteria[0].justification_A == "'it's long and it goes on: here"
    assert read(folded).overall_justification == "A is better."


def test_a_list_of_criteria_and_criteria_at_the_top_are_read():
    fields = "  type: scale\n  weight: 1\n  score_A: 1\n  score_B: 5\n"
    listed = f"criteria:\n- short_name: tone\n{fields}"
    top = f"tone:\n{fields}note: fine\n"
    assert scores(read(listed)) == scores(read(top)) == [("tone", "scale", 1.0, 1.0, 5.0)]


def test_the_verdict_is_read_from_the_label():
    assert parse_verdict(ONE) is Verdict.A
    both_bad = ONE.replace('"[[A>B]]"', "[[A=B (bothbad)]")
    assert parse_verdict(both_bad) is Verdict.BOTH_BAD
    assert parse_verdict(ONE + "\n[[B>A]]") == CONFLICT
    assert parse_rubric("") == NO_YAML


def test_two_rubrics_that_differ_are_none():
    other = ONE.replace("score_A: 4", "score_A: 5")
    assert read(f"```yaml\n{ONE}```\nNo, rather:\n```yaml\n{other}```") == TWO_RUBRICS


def test_a_thousand_generated_documents_read_as_written():
    draw = random.Random(11)  # noqa: S311
    for number in range(1_000):
        row = details.rubric_metrics(draw)
        verdict = draw.choice(list(Verdict))
        document = {
            "criteria": row["criteria_breakdown"],
            "overall_justification": row["overall_justification"].replace("[[A>B]]", ""),
        }
        for fields in document["criteria"].values():
            for key in ("description", "justification_A", "justification_B"):
                fields[key] = fields[key].replace("[[A>B]]", "it")
        text = ryaml.dumps(document) + f"preference: {LABELS[verdict]}\n"
        wrapped = f"```yaml\n{text}```" if number % 3 == 0 else text
        assert parse_verdict(wrapped) is verdict
        rubric = parse_rubric(wrapped)
        assert isinstance(rubric, Rubric), rubric
        for criterion, (name, fields) in zip(
            rubric.criteria, document["criteria"].items(), strict=True
        ):
            assert criterion.name == name
            assert criterion.weight == fields["weight"]
            assert (criterion.score_A, criterion.score_B) == (fields["score_A"], fields["score_B"])
            assert criterion.justification_B == fields["justification_B"]


def alias_bomb(levels):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]")
    return "\n".join([*lines, ONE])


def nested(depth, opening, closing):
    return f"criteria: {opening * depth}{closing * depth}"


# fmt: off
HOSTILE = [
    *(alias_bomb(levels) for levels in (6, 7, 8, 9, 12, 20)),
    *(nested(depth, "[", "]") for depth in (10, 100, 127, 128, 129, 1_000, 100_000)),
    *(nested(depth, "{a: ", "}") for depth in (10, 100, 129, 1_000, 20_000)),
    *("\n".join(" " * n + "criteria:" for n in range(depth)) for depth in (50, 127, 200, 1_000)),
    *(
        ONE.replace("weight: 0.6", f"weight: {w}")
        for w in (
            "no",
            "1:30",
            "-0.6",
            ".inf",
            "-.inf",
            ".nan",
            "~",
            "",
            "true",
            "[0.6]",
            "{a: 1}",
            "0,6",
            "1e999",
            "9" * 30,
            "101",
            "60%",
            "0x1G",
            "½",
            "'0.6 of all'",
            "!!str",
            "2020-01-01",
        )
    ),
    *(
        ONE.replace("score_A: 4", f"score_A: {s}")
        for s in (
            "no",
            "1:30",
            "0",
            "6",
            "-4",
            "4/5",
            ".nan",
            "~",
            "",
            "yes",
            "four",
            "[4]",
            "{a: 4}",
            "5.01",
            "0.99",
            "1e9",
            "'4 of 5'",
            "99999999999999999999999",
            "true",
        )
    ),
    *(
        ONE.replace("score_A: true", f"score_A: {s}")
        for s in (
            "maybe",
            "2",
            "-1",
            "0.5",
            "~",
            "",
            "[true]",
            "TRUE!",
            "1:30",
        )
    ),
    *(
        ONE.replace("type: scale", f"type: {t}")
        for t in (
            "no",
            "stars",
            "1:30",
            "~",
            "",
            "[scale]",
            "scales",
            "5",
            "{scale: 1}",
        )
    ),
    ONE.replace("  cites_source:", "  accuracy:"),
    ONE.replace("    weight: 0.6\n", "    weight: 0.6\n    weight: 0.9\n"),
    ONE.replace("    score_A: 4\n", "    score_A: 4\n    score_A: 1\n"),
    ONE.replace("    weight: 0.6\n", ""),
    ONE.replace("    score_B: 2\n", ""),
    ONE.replace("    type: binary\n", ""),
    ONE.replace("0.6", "0").replace("0.4", "0.0"),
    ONE.replace("  accuracy:", "  1:").replace("  cites_source:", "  true:"),
    ONE.replace("  accuracy:", f"  {'x' * 300}:"),
    ONE.replace("  accuracy:", "  [a, b]:"),
    ONE.replace("  accuracy:", "  ~:"),
    ONE.replace("  accuracy:", '  "":'),
    ONE.replace("  accuracy:", "\taccuracy:"),
    ONE.replace("criteria:", "criteria: []\nother:"),
    ONE.replace("criteria:", "criteria: none\nother:"),
    ONE.replace("criteria:", "criteria: 3\nother:"),
    ONE.replace("criteria:", "criteria:\n- a\n- b\nother:"),
    ONE.replace("criteria:", "criteria: !!python/object/apply:os.system [id]\nother:"),
    "criteria:\n- name: a\n- name: a",
    "criteria: &c\n  a: *c",
    "criteria:\n  <<: *missing",
    ONE[:100],
    ONE[:200] + "\0" + ONE[200:],
    ONE + "---\n" + ONE.replace("4", "1"),
    "%YAML 1.1\n---\n" + ONE + "...\n" + ONE,
    "- " * 5_000,
    "? " * 5_000,
    "a: " * 5_000,
    "'" * 10_000,
    '"' + "\\" * 9_999,
    "&a " * 5_000,
    "!" * 10_000,
    "|" * 10_000,
    "{" * 5_000,
    "\t" * 10_000,
    "﻿" * 100,
    "```yaml\n" * 2_000,
    "criteria:\n" * 2_000,
    "[[" * 5_000,
    "criteria: '" + "x" * 10_000_000 + "'",
    "x" * 10_000_000,
    ONE.replace("Is it right?", "x" * 10_000_000),
    "criteria:\n  " + "a" * 3_000_000 + ": {weight: 1, type: scale, score_A: 1, score_B: 2}",
    "criteria:\n"
    + "".join(
        f"  c{n}: {{weight: 1, type: scale, score_A: 1, score_B: 2}}\n" for n in range(5_000)
    ),
    *(ONE[:cut] for cut in range(4, 220, 3)),
    *(ONE.replace("\n", separator) for separator in ("\r", "\v", "\f", " ", "\u2028", "\u0085")),
    *(chr(code) * 50 + ONE[10:] for code in (0, 1, 7, 27, 127, 0x200E, 0x202E, 0xFFFE)),
]
# fmt: on


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_documents_are_unscored_or_right(number):
    rubric = read(HOSTILE[number])
    if isinstance(rubric, Rubric):
        assert {(c.name, c.score_A, c.score_B) for c in rubric.criteria} <= {
            ("accuracy", 4.0, 2.0),
            ("cites_source", 1.0, 0.0),
        }
        assert all(c.weight in (0.6, 0.4) for c in rubric.criteria)
    else:
        assert isinstance(rubric, Unscored)


def test_at_least_two_hundred_hostile_documents_are_tried_and_most_are_refused():
    refused = [isinstance(read(text), Unscored) for text in HOSTILE if len(text) < 10_000]
    assert len(HOSTILE) >= 200
    assert sum(refused) > 0.75 * len(refused)


def test_reasons_name_what_is_wrong():
    assert read("x" * 5_000_000) == TOO_LONG
    assert read("I prefer A.") == NO_YAML
    assert "type" in read(ONE.replace("type: scale", "type: stars")).reason
    assert "weight" in read(ONE.replace("weight: 0.6", "weight: 1:30")).reason


@pytest.mark.parametrize(
    ("written", "instead", "reason"),
    [
        ("score_A: 4", "score_A: 6", "criterion 'accuracy': score_A is 6, not a score from 1 to 5"),
        ("score_B: 2", "score_B: N/A", "score_B is 'N/A', not a score from 1 to 5"),
        ("score_B: 2", "score_B: 8/10", "score_B is '8/10', not a score from 1 to 5"),
        (
            "score_B: no",
            "score_B: partly",
            "'cites_source': score_B is 'partly', not true or false",
        ),
        ("    score_B: 2\n", "", "criterion 'accuracy': score_B is missing"),
        ("type: scale", "type: scale (1-10)", "criterion 'accuracy': its type is 'scale (1-10)'"),
        ("weight: 0.6", "weight: high", "criterion 'accuracy': its weight is 'high'"),
        ("cites_source:", "accuracy:", "criterion 'accuracy' is named twice"),
        (
            "    score_A: 4\n",
            "    score_A: 4\n    score_A: 1\n",
            "'accuracy': score_A is named twice",
        ),
    ],
)
def test_the_reason_names_the_criterion_the_field_and_what_stands_there(written, instead, reason):
    assert written in ONE
    assert reason in read(ONE.replace(written, instead)).reason


def test_yaml_that_is_no_rubric_by_lines_either_says_where_it_breaks():
    assert read("criteria: {tone: {type: scale, weight: 1").reason.startswith(
        "the judge's rubric is not readable YAML ("
    )


EXACT = "  exact:\n    type: binary\n    weight: 1\n    score_A: pass\n    score_B: ✗\n"


@pytest.mark.parametrize("text", [f"Criteria:\n{EXACT.title()}", f"**criteria:**\n{EXACT}"])
def test_other_letters_emphasis_and_pass_or_fail_cost_a_rubric_nothing(text):
    (criterion,) = parse_rubric(text).criteria
    assert (criterion.name.lower(), criterion.score_A, criterion.score_B) == ("exact", 1.0, 0.0)


@pytest.mark.parametrize("other", ["rubric: general quality\n", "Rubric: x\n", "RUBRIC: [a]\n"])
@pytest.mark.parametrize("first", [True, False])
def test_a_remark_under_another_name_of_the_criteria_costs_a_rubric_nothing(other, first):
    """The first name of criteria in a reply was taken, whatever stood under it."""
    assert scores(read(other + ONE if first else ONE + other)) == EXPECTED
