"""Files of judgments: every format gives the same evidence, and no bad line stops the good ones."""

import csv
import gzip
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from nova_judge.errors import InputFileError
from nova_judge.findings.judgment_fields import PreferenceScale
from nova_judge.findings.judgment_file import JudgmentsRead, read_judgment_file
from nova_judge.findings.judgments import write_judgments
from nova_judge.statistics.evidence import Basis
from nova_judge.statistics.findings import Estimates, find
from nova_judge.statistics.outcomes import count_profiles
from nova_judge.statistics.statistics_settings import DEFAULTS
from tests.made.profiles import jsonl, judged_rows

ROWS = [
    {"id": "1", "forward": "A>B", "backward": "B>A", "label": "A>B", "margin": 0.5},
    {"id": "2", "forward": "A>B", "backward": "A>B", "label": "B>A", "margin": -0.25},
    {"id": "3", "forward": "[[B>A]]", "backward": None, "length_A": 10, "length_B": 20},
    {"id": "4", "forward": "A=B", "backward": "A=B", "category": "law"},
]


def stated(reading: JudgmentsRead) -> Estimates:
    return find(reading.evidence, DEFAULTS, reading.basis)


def test_labels_speak_of_the_order_shown(tmp_path: Path) -> None:
    found = read_judgment_file(jsonl(tmp_path / "j.jsonl", ROWS)).evidence.profiles.as_dict()
    assert {name: rows for name, rows in found.items() if rows} == {
        "A/A": 1,
        "A/B": 1,
        "B/error": 1,
        "tie/tie": 1,
    }


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    lines = jsonl(tmp_path / "j.jsonl", ROWS)
    names = ("id", "forward", "backward", "label", "margin", "category", "length_A", "length_B")
    with (tmp_path / "j.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(ROWS)
    duckdb.sql(f"COPY (FROM '{lines}') TO '{tmp_path / 'j.parquet'}'")
    with lines.open("rb") as plain, gzip.open(tmp_path / "j.jsonl.gz", "wb") as packed:
        shutil.copyfileobj(plain, packed)
    expected = stated(read_judgment_file(lines))
    for name in ("j.csv", "j.parquet", "j.jsonl.gz"):
        assert stated(read_judgment_file(tmp_path / name)) == expected


def test_our_own_judgments_speak_of_the_candidates(tmp_path: Path) -> None:
    rows = judged_rows(200)
    write_judgments(rows, tmp_path / "judgments.parquet")
    reading = read_judgment_file(tmp_path / "judgments.parquet")
    from_rows = [r.judgment for r in rows]
    assert reading.evidence.profiles == count_profiles(from_rows)
    assert reading.basis is Basis.BOTH_ORDERS
    assert not np.isnan(reading.evidence.lengths).any()


HOSTILE = [
    "not json",
    "[1, 2]",
    '{"id": "x"}',
    '{"forward": "A>B"',
    "[" * 100_000,
]


@pytest.mark.parametrize("line", HOSTILE)
def test_a_line_that_cannot_be_used_is_set_aside_with_its_number(tmp_path: Path, line: str) -> None:
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", [ROWS[0], line, "", ROWS[1]]))
    assert reading.evidence.rows == 2
    assert [aside.line for aside in reading.set_aside] == [2]
    assert reading.set_aside[0].reason
    assert reading.rows == 3


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "margin": "wide"}', "margin"),
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "score_A": true}', "score_A"),
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "label": "maybe"}', "label"),
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "label": 1}', "label"),
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "length_A": -3}', "length_A"),
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "length_B": 2.5}', "length_B"),
        ('{"id": "x", "forward": "A>B", "backward": "B>A", "category": [1]}', "category"),
        ('{"id": {"a": 1}, "forward": "A>B", "backward": "B>A"}', "id"),
    ],
)
def test_a_field_that_cannot_be_read_costs_itself_and_not_the_line(
    tmp_path: Path, line: str, field: str
) -> None:
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", [ROWS[0], line]))
    assert (reading.evidence.profiles.judged, reading.set_aside) == (2, [])
    assert f"`{field}` cannot be read on 1 line, which counts without it" in reading.notes


@pytest.mark.parametrize(
    ("value", "field"), [(7, "forward"), (["A>B"], "backward"), ("who knows", "forward")]
)
def test_a_verdict_that_cannot_be_read_is_none(tmp_path: Path, value, field: str) -> None:
    row = {"forward": "A>B", "backward": "B>A", field: value}
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", [ROWS[0], row]))
    profiles = reading.evidence.profiles
    assert (reading.evidence.rows, profiles.forward.errors + profiles.backward.errors) == (2, 1)


def test_words_that_are_no_known_verdict_refuse_the_file(tmp_path: Path) -> None:
    rows = [{"forward": word} for word in ("model x", "A", "model x", "B")]
    with pytest.raises(
        InputFileError, match=r"`forward` holds 'model x' \(2 lines\).*Known are A,"
    ):
        read_judgment_file(jsonl(tmp_path / "j.jsonl", rows))


def test_words_of_other_tools_are_verdicts_of_the_candidates_or_of_the_order(tmp_path) -> None:
    rows = [
        {"forward": "model_1", "backward": "model_1"},
        {"forward": "left", "backward": "right"},
        {"forward": "[[A]]", "backward": "[[B]]"},
        {"forward": "tie (bothbad)", "backward": "[[C]]"},
        {"forward": "error", "backward": "$ERROR$"},
    ]
    profiles = read_judgment_file(jsonl(tmp_path / "j.jsonl", rows)).evidence.profiles
    assert (profiles.forward.a, profiles.backward.a, profiles.judged) == (3, 3, 4)


@pytest.mark.parametrize(
    ("values", "scale", "rate"),
    [
        ((1.0, 1.0, 2.0), PreferenceScale(1, 2), 1 / 3),
        ((-1, 0, 1, 1), PreferenceScale(-1, 1), 0.625),
        ((0, 100, 50), PreferenceScale(0, 100), 0.5),
        ((7, 1, 1), PreferenceScale(7, 1), 2 / 3),
    ],
)
def test_a_preference_is_read_on_the_scale_of_its_file(tmp_path, values, scale, rate) -> None:
    path = jsonl(tmp_path / "j.jsonl", [{"preference": value} for value in values])
    reading = read_judgment_file(path, scale=scale)
    assert stated(reading).win_rate.estimate == pytest.approx(rate)


@pytest.mark.parametrize("value", [1.5, 2, -0.1, 50])
def test_a_preference_beside_the_scale_refuses_the_whole_file(tmp_path: Path, value) -> None:
    path = jsonl(tmp_path / "j.jsonl", [{"preference": 0.5}, {"preference": value}])
    with pytest.raises(
        InputFileError, match=r"not on a scale of 0 to 1.*--preference 1:2 \(Alpaca"
    ):
        read_judgment_file(path)


def test_a_preference_that_is_no_number_is_no_verdict(tmp_path: Path) -> None:
    rows = '{"preference": true}\n{"preference": NaN}\n{"preference": 1}\n{"preference": 0}\n'
    path = tmp_path / "j.jsonl"
    path.write_text(rows)
    reading = read_judgment_file(path)
    assert (reading.rows, reading.evidence.profiles.judge_failed) == (4, 2)


def test_columns_with_other_names_are_read_by_their_map(tmp_path: Path) -> None:
    rows = [{"question_id": 1, "g1_winner": "model_1", "g2_winner": "tie", "turn": {"n": 1}}]
    columns = {"id": "question_id", "forward": "g1_winner", "backward": "g2_winner"}
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", rows), columns=columns)
    assert reading.evidence.profiles.judged == 1


def test_a_verdict_that_is_no_label_is_an_error_and_not_a_tie(tmp_path: Path) -> None:
    rows = [{"forward": "who knows", "backward": "A>B"}, {"forward": "", "backward": None}]
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", [*rows, ROWS[0]]))
    assert reading.evidence.profiles.forward.errors == 2
    assert reading.evidence.profiles.judge_failed == 1


def test_csv_lines_of_the_wrong_width_are_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "j.csv"
    path.write_text("id,forward,backward\n1,A>B,B>A\n2,A>B\n3,A>B,B>A,more\n", encoding="utf-8-sig")
    reading = read_judgment_file(path)
    assert reading.evidence.rows == 1
    assert [aside.line for aside in reading.set_aside] == [3, 4]


def test_labels_and_lengths_join_by_id(tmp_path: Path) -> None:
    labels = jsonl(
        tmp_path / "l.jsonl",
        [{"id": "1", "label": "B>A", "source": "law", "response_A": "abc", "response_B": "- d\n"}],
    )
    rows = [{"id": "1", "forward": "A>B", "backward": "B>A"}, {"id": "2", "forward": "A>B"}]
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", rows), labels)
    assert reading.evidence.labels.tolist() == [1, 3]
    assert reading.evidence.categories.tolist() == ["law", None]
    assert reading.evidence.lengths[0].tolist() == [3, 4]
    assert reading.evidence.markup[0].tolist() == [[0, 0, 0], [0, 1, 0]]
    assert "1 of 1 id of the labels have a judgment" in reading.notes


def test_one_verdict_or_only_a_margin_says_nothing_of_positions(tmp_path: Path) -> None:
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", [{"forward": "B>A"}] * 7))
    assert reading.basis is Basis.ONE_ORDER
    found = stated(reading)
    assert found.positions is None
    assert (found.verdict.a, found.verdict.b) == (0, 7)
    scores = [{"score_A": 1.5, "score_B": 1.0, "label": "A>B"}, {"score_A": 1, "score_B": 1}]
    margins = read_judgment_file(jsonl(tmp_path / "m.jsonl", scores))
    assert margins.evidence.forward.tolist() == [0, 2]
    assert stated(margins).agreement.forward == 1
    assert stated(margins).agreement.strict is None


def test_an_order_that_was_asked_and_never_read_is_not_forgotten(tmp_path: Path) -> None:
    rows = [{"forward": "B>A", "backward": None}] * 9
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", rows))
    assert reading.basis is Basis.BOTH_ORDERS
    assert stated(reading).verdict.word == "inconclusive"
    assert stated(reading).reconciled.errors == 9


def test_a_preference_is_the_share_that_b_wins(tmp_path: Path) -> None:
    rows = [{"preference": p} for p in (0.9, 0.6, 0.5, 0.1)]
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", rows))
    found = stated(reading)
    assert reading.basis is Basis.PREFERENCE
    assert found.win_rate.estimate == pytest.approx(0.525)
    assert (found.verdict.a, found.verdict.b) == (1, 2)


def test_the_sentence_has_the_interval_of_the_preferences_not_of_the_rounded_ones(tmp_path: Path):
    rows = [{"preference": p} for p in (0.4011, 0.6011) * 20]
    found = stated(read_judgment_file(jsonl(tmp_path / "j.jsonl", rows)))
    rate = found.win_rate
    ends = f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %"
    assert f"{100 * rate.estimate:.1f} %, 95 % interval {ends}" in found.verdict.sentence


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("missing.csv", None, "is not a file"),
        ("table.xlsx", b"PK\x03\x04", "an Excel workbook: .* save the sheet as CSV UTF-8"),
        ("empty.jsonl", b"", "is empty"),
        (
            "latin.csv",
            "id,forward,category\n1,A>B,Größe\n".encode("cp1252"),
            "iconv -f WINDOWS-1252",
        ),
        ("twice.csv", b"id,forward,id\n1,A>B,2\n", "column `id` twice"),
        ("document.json", b'{\n "judgments": [{"forward": "A"}]}', "--map rows=judgments"),
        ("bad.parquet", b"PAR1 no more", "cannot be read"),
        ("bad.jsonl.gz", b"\x1f\x8bnot gzip", "a gzip archive that cannot be"),
        ("none.jsonl", b'{"a": 1}\n', "neither forward"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=expected):
        read_judgment_file(path)


def test_labels_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    labels = jsonl(tmp_path / "l.jsonl", [{"id": "1", "label": "A>B"}, {"id": "1", "label": "B>A"}])
    with pytest.raises(InputFileError, match="line 2: id 1 has two labels"):
        read_judgment_file(jsonl(tmp_path / "j.jsonl", ROWS), labels)
    without_id = jsonl(tmp_path / "m.jsonl", [{"label": "A>B"}])
    with pytest.raises(InputFileError, match="labels need an `id`"):
        read_judgment_file(jsonl(tmp_path / "j.jsonl", ROWS), without_id)


TABLE = "id,forward,backward,category\n1,A>B,B>A,Größe\n2,B>A,A>B,Grüße\n"
ARRAY = """{"id": 1, "forward": "A>B", "backward": "B>A", "category": "Größe"},
 {"id": 2, "forward": "B>A", "backward": "A>B", "category": "Grüße"}
""".encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("semicolons.txt", TABLE.replace(",", ";").encode()),
        ("tabs.tsv", TABLE.replace(",", "\t").encode()),
        ("mark.csv", TABLE.encode("utf-8-sig")),
        ("utf16.csv", TABLE.encode("utf-16")),
        ("utf16-without-mark.csv", TABLE.encode("utf-16-le")),
        ("utf32.csv", TABLE.encode("utf-32")),
        ("trailing.csv", TABLE.replace("\n", ",\n").encode()),
        ("index.csv", TABLE.replace("id,", ",id,").replace("1,", "0,1,").encode()),
        ("packed.anything", gzip.compress(TABLE.encode(), mtime=0)),
        ("array.json", b"[" + ARRAY + b"]"),
        ("document.json", b'{\n"rows": [' + ARRAY + b"]}"),
    ],
)
def test_one_table_is_read_alike_in_every_form(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content.replace(b"\n2,", b"\n1,2,") if name == "index.csv" else content)
    reading = read_judgment_file(path, columns={"rows": "rows"})
    assert (reading.evidence.rows, reading.set_aside) == (2, [])
    assert reading.evidence.profiles.judged == 2
    assert set(reading.evidence.categories) == {"Größe", "Grüße"}


def test_labels_bring_the_probability_with_which_their_rows_were_drawn(tmp_path: Path) -> None:
    labels = [{"id": "1", "label": "A>B", "probability": 0.25}, {"id": "3", "label": "B>A"}]
    given = jsonl(tmp_path / "labels.jsonl", labels)
    found = read_judgment_file(jsonl(tmp_path / "j.jsonl", ROWS), given).evidence
    assert found.probabilities[0] == 0.25
    assert np.isnan(found.probabilities[1:]).all()


def test_what_cannot_be_read_in_a_file_of_labels_is_counted(tmp_path: Path) -> None:
    labels = [
        {"id": "1", "label": "A>B", "probability": 1.5},
        {"id": "2", "label": "A>B", "probability": "often"},
        {"id": "3", "label": "banana", "probability": 0.5},
    ]
    given = jsonl(tmp_path / "labels.jsonl", labels)
    reading = read_judgment_file(jsonl(tmp_path / "j.jsonl", ROWS), given)
    assert reading.notes[1:] == [
        "`probability` of the labels cannot be read on 2 lines, which count without it",
        "`label` of the labels cannot be read on 1 line, which counts without it",
    ]
    assert np.isnan(reading.evidence.probabilities[:2]).all()


@pytest.mark.parametrize("word", ["tie", "75%", "0,75", "slightly prefer B"])
def test_preferences_that_are_no_numbers_refuse_the_file(tmp_path, word):
    rows = [{"preference": 1.0}] * 30 + [{"preference": 0.0}] * 20 + [{"preference": word}] * 10
    file = tmp_path / "judgments.jsonl"
    jsonl(file, rows)
    with pytest.raises(InputFileError, match=rf"'{word}' \(10 lines\), which is not a number"):
        read_judgment_file(file)


def test_preference_beside_verdicts_costs_itself_alone(tmp_path):
    rows = [{"forward": "A>B", "preference": "high"}] * 20
    file = tmp_path / "judgments.jsonl"
    jsonl(file, rows)
    assert read_judgment_file(file).evidence.rows == 20


def test_a_minus_as_texts_set_it_is_a_minus(tmp_path):
    """Otherwise the rows that B won alone would be left out."""
    file = tmp_path / "judgments.jsonl"
    jsonl(file, [{"margin": "0.5"}, {"margin": "\u22120.5"}, {"margin": "\uff0d0.25"}])
    assert read_judgment_file(file).evidence.margins.tolist() == [0.5, -0.5, -0.25]


def test_words_that_may_be_meant_of_a_candidate_are_told(tmp_path):
    file = tmp_path / "judgments.jsonl"
    jsonl(file, [{"forward": "model_a", "backward": "model_a"}])
    read = read_judgment_file(file)
    assert "words such as `model_a` in `backward` speak of the order shown" in read.notes[0]
    jsonl(file, [{"forward": "A", "backward": "A"}, {"forward": "A>B", "backward": "B>A"}])
    assert read_judgment_file(file).notes == []


def test_column_of_verdicts_under_another_name_is_named(tmp_path):
    file = tmp_path / "arena.jsonl"
    jsonl(file, [{"winner": "model_a"}, {"winner": "tie"}, {"winner": "model_b"}])
    with pytest.raises(InputFileError, match=r"Read it with --map forward=winner\."):
        read_judgment_file(file)
    assert read_judgment_file(file, columns={"forward": "winner"}).evidence.rows == 3


def test_labels_of_people_are_not_proposed_as_verdicts(tmp_path):
    file = tmp_path / "pairs.jsonl"
    jsonl(file, [{"prompt": "2 + 2?", "label": "A>B"}, {"prompt": "3 + 3?", "label": "tie"}])
    with pytest.raises(InputFileError) as refused:
        read_judgment_file(file)
    assert "no line can be used" in str(refused.value)
    assert "--map" not in str(refused.value)


@pytest.mark.parametrize("column", ["margin", "score_A"])
def test_margins_that_are_no_numbers_refuse_the_file(tmp_path: Path, column: str) -> None:
    """Seen: decimal commas, so that whole margins counted and others did not."""
    rows = [{"id": f"r{n}", "margin": 1, "score_A": 1, "score_B": 2} for n in range(10)]
    file = jsonl(tmp_path / "j.jsonl", [*rows, *({**row, column: "-0,5"} for row in rows)])
    with pytest.raises(
        InputFileError, match=f"`{column}` holds '-0,5' \\(10 lines\\), which is not"
    ):
        read_judgment_file(file)


def test_columns_that_are_nearly_ours_refuse_the_file(tmp_path: Path) -> None:
    rows = [{"ID": "1", "forward": "A>B", "Backward": "A>B"}]
    with pytest.raises(InputFileError, match=r"`Backward`, `ID` would not be read: read it with "):
        read_judgment_file(jsonl(tmp_path / "j.jsonl", rows))
    columns = {"id": "ID", "backward": "Backward"}
    assert read_judgment_file(jsonl(tmp_path / "j.jsonl", rows), columns=columns).basis == (
        Basis.BOTH_ORDERS
    )


def test_both_columns_of_verdicts_are_named(tmp_path: Path) -> None:
    rows = [{"g1_winner": "model_1", "g2_winner": "tie"}]
    with pytest.raises(InputFileError, match=r"--map forward=g1_winner,backward=g2_winner\."):
        read_judgment_file(jsonl(tmp_path / "j.jsonl", rows))


def test_a_key_that_stands_twice_in_a_line_sets_the_line_aside(tmp_path: Path) -> None:
    """Its last value was taken without a word."""
    file = tmp_path / "j.jsonl"
    twice = '{"id": "1", "forward": "A>B", "forward": "B>A"}'
    file.write_text(f'{twice}\n{{"id": "2", "forward": "A>B"}}\n', "utf-8")
    read = read_judgment_file(file)
    assert [(each.line, each.reason) for each in read.set_aside] == [
        (1, "key `forward` appears more than once")
    ]


def test_the_scale_of_a_preference_is_said(tmp_path: Path) -> None:
    """A file in which every preference is 1 may say that A, or that B, won throughout."""
    file = jsonl(tmp_path / "j.jsonl", [{"id": "1", "preference": 1}])
    assert any(
        "`preference` is read as 0 where A wins to 1 where B wins" in note
        for note in read_judgment_file(file).notes
    )


def test_an_id_that_pandas_wrote_as_a_float_is_the_same_id(tmp_path: Path) -> None:
    labels = jsonl(tmp_path / "l.jsonl", [{"id": 1.0, "label": "A"}, {"id": "2.0", "label": "B"}])
    rows = [{"id": 1, "forward": "A>B"}, {"id": "2", "forward": "A>B"}]
    read = read_judgment_file(jsonl(tmp_path / "j.jsonl", rows), labels)
    assert "2 of 2 ids of the labels have a judgment" in read.notes


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": "1", "label": "A much better"}, "`label` holds 'A much better' .1 line., which"),
        ({"id": "1", "choice": "left"}, "no line has a `label`.*columns are `id`, `choice`"),
        ({"ID": "1", "label": "A"}, "line 1: `ID` is read under the name `id` alone: rename"),
    ],
)
def test_labels_that_say_nothing_are_refused_with_what_stands_there(tmp_path, row, said) -> None:
    """Every label was left aside with a note, and the statistics went on without them."""
    file = jsonl(tmp_path / "j.jsonl", [{"id": "1", "forward": "A>B"}])
    with pytest.raises(InputFileError, match=said):
        read_judgment_file(file, jsonl(tmp_path / "l.jsonl", [row]))
