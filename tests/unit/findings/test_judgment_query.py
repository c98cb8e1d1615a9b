"""Questions to a file of judgments give what the rows themselves say, filter by filter."""

import random

import msgspec
import pytest

from nova_judge.errors import RequestError
from nova_judge.findings.judgment_query import JudgmentQuery, RowsWanted
from nova_judge.findings.judgments import write_judgments
from nova_judge.pairs.criteria import default_groups
from nova_judge.pairs.weighted_scores import recomputed_scores
from nova_judge.records import Rubric, Verdict
from nova_judge.statistics.outcomes import profile_of, reconcile
from tests.made import generated

GROUPS = default_groups()
LABELS = {line: random.Random(line).choice(list(Verdict)) for line in range(1, 300, 3)}  # noqa: S311


def naive(judged, wanted):
    row, judgment = judged.row, judged.judgment
    verdict, label = reconcile(profile_of(judgment)), LABELS.get(row.line, row.label)
    scores = recomputed_scores(judgment)
    said = "tie" if label is Verdict.BOTH_BAD else label
    checks = {
        "verdict": lambda: verdict == wanted.verdict,
        "category": lambda: row.category == wanted.category,
        "margin": lambda: scores is not None and abs(scores.margin) <= wanted.margin,
        "label": lambda: {
            "any": label is not None,
            "differs": label is not None and verdict not in ("error", said),
        }.get(wanted.label, label == wanted.label),
        "search": lambda: wanted.search.lower() in f"{row.prompt}\n{row.response_A}".lower(),
        "criterion": lambda: ahead(judgment, wanted),
    }
    return all(check() for name, check in checks.items() if getattr(wanted, name) not in ("", None))


def ahead(judgment, wanted):
    rubric = judgment.rubric if isinstance(judgment.rubric, Rubric) else Rubric(criteria=())
    of_group = [c for c in rubric.criteria if GROUPS.group(c.name) == wanted.criterion]
    if not of_group:
        return False
    lead = of_group[0].score_A - of_group[0].score_B
    return {"A": lead > 0, "B": lead < 0, "level": lead == 0}.get(wanted.ahead, True)


def labelled(judged):
    label = LABELS.get(judged.row.line, judged.row.label)
    return msgspec.structs.replace(judged, row=msgspec.structs.replace(judged.row, label=label))


@pytest.fixture(scope="module")
def rows():
    return generated.judged_rows(400)


@pytest.fixture(scope="module")
def query(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("it's") / "judgments.parquet"
    write_judgments(rows, path)
    made = JudgmentQuery(path, GROUPS, LABELS)
    yield made
    made.close()


@pytest.mark.parametrize(
    "wanted",
    [
        RowsWanted(),
        RowsWanted(verdict="B", category="billing"),
        RowsWanted(verdict="inconsistent"),
        RowsWanted(margin=0.1),
        RowsWanted(label="any"),
        RowsWanted(label="differs"),
        RowsWanted(label="both_bad"),
        RowsWanted(search="PLAN 39"),
        RowsWanted(search="100% 'quoted'"),
        RowsWanted(criterion="accuracy"),
        RowsWanted(criterion="accuracy", ahead="A"),
        RowsWanted(criterion="clarity", ahead="level", verdict="A"),
        RowsWanted(criterion="no such"),
    ],
)
def test_filters_as_the_rows_say(rows, query, wanted):
    expected = [judged.row.line for judged in rows if naive(judged, wanted)]
    found = query.find(msgspec.structs.replace(wanted, most=200))
    assert [row.row.line for row in found.rows] == expected[:200]
    assert (found.found, found.all) == (len(expected), 400)


def test_pages_follow_each_other_and_rows_come_whole(rows, query):
    pages = [query.find(RowsWanted(from_=place, most=150)).rows for place in (0, 150, 300)]
    assert [row for page in pages for row in page] == [labelled(row) for row in rows]
    assert query.find(RowsWanted(line=17)).rows == [rows[16]]
    assert query.find(RowsWanted(line=999)).rows == []


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("margin", lambda row: abs(recomputed_scores(row.judgment).margin)),
        ("-margin", lambda row: -abs(recomputed_scores(row.judgment).margin)),
        ("length", lambda row: -len(row.row.response_A) - len(row.row.response_B)),
        ("length-difference", lambda row: -abs(len(row.row.response_A) - len(row.row.response_B))),
    ],
)
def test_sorted_as_the_rows_say(rows, query, sort, key):
    scored = [row for row in rows if recomputed_scores(row.judgment) is not None]
    expected = sorted(
        scored if "margin" in sort else rows, key=lambda row: (key(row), row.row.line)
    )[:100]
    found = query.find(RowsWanted(sort=sort, most=100)).rows
    assert [row.row.line for row in found] == [row.row.line for row in expected]


def test_facets_and_a_sort_that_is_none(query):
    facets = query.facets()
    assert facets.categories == ["billing", "errors", "security", "setup"]
    assert "accuracy" in facets.criteria
    assert (facets.labels, facets.margins) == (True, True)
    with pytest.raises(RequestError, match="sort is one of"):
        query.find(RowsWanted(sort="line; DROP VIEW judged"))
