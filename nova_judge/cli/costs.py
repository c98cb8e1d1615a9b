"""`nova-judge costs`: what the runs of a stage cost, by recipe and part."""

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, TypeAlias

import msgspec
import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson, StageOption
from nova_judge.cli.stage import runs_of
from nova_judge.cli.terminal import Console, bare_table, print_json, right
from nova_judge.errors import RequestError
from nova_judge.findings.index_entry import IndexEntry
from nova_judge.text import count_of

PARTS = ("judge", "endpoint", "Bedrock", "Step Functions", "Lambda")
CostsSince: TypeAlias = Annotated[
    str, typer.Option("--since", metavar="DAYS", help="Only runs of this time: 30d, 12h, 4w.")
]
_SPAN = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


class RecipeCosts(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of one recipe, in US dollars. `metered` of its `runs` have a bill; the estimates beside
    it are theirs alone, so that both sums speak of the same runs. `estimated_usd` is of all.
    """

    recipe: str
    runs: int
    metered: int
    estimated_usd: float
    estimated_of_metered_usd: float
    actual_usd: float
    actual_parts: Mapping[str, float]


def command(stage: StageOption = "dev", since: CostsSince = "30d", as_json: AsJson = False) -> None:
    """Add up estimated and metered costs of the runs of a stage.

    Metered are judge jobs, endpoints, Bedrock's tokens, Step Functions and functions; S3, DynamoDB
    and logs are not, nor is a run that is under way. AWS's own bill is split by the tag `stage`.

    Examples:

      nova-judge costs --stage prod --since 30d

      nova-judge costs --json | jq '.recipes[] | {recipe, actual_usd}'
    """
    begin = datetime.datetime.now(datetime.UTC) - _span(since)
    entries = runs_of(stage)
    chosen = [
        entry
        for entry in entries
        if entry.created and datetime.datetime.fromisoformat(entry.created) >= begin
    ]
    sums = costs_by_recipe(chosen)
    if as_json:
        print_json({"stage": stage, "since": begin.isoformat(timespec="seconds"), "recipes": sums})
        return
    console = Console()
    numbers = right("runs", "metered", "estimate of these", "actual", *PARTS)
    console.print(bare_table(("recipe", *numbers), map(_cells, sums)))
    runs, metered = sum(one.runs for one in sums), sum(one.metered for one in sums)
    console.print(
        f"[dim]{count_of(runs, 'run')} of stage {escape(stage)} since {begin:%Y-%m-%d %H:%M}, "
        f"{metered} of them metered, in US$ by list prices[/]"
    )


def costs_by_recipe(entries: Iterable[IndexEntry]) -> list[RecipeCosts]:
    """A sum per recipe, the most expensive first."""
    groups: dict[str, list[IndexEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.recipe, []).append(entry)
    sums = [_sum(recipe, runs) for recipe, runs in groups.items()]
    return sorted(sums, key=lambda one: (-one.actual_usd, -one.estimated_usd, one.recipe))


def _sum(recipe: str, runs: list[IndexEntry]) -> RecipeCosts:
    billed = [run for run in runs if run.actual_usd is not None]
    parts: dict[str, float] = {}
    for run in billed:
        for part, usd in run.actual_parts.items():
            parts[part] = parts.get(part, 0.0) + usd
    return RecipeCosts(
        recipe=recipe,
        runs=len(runs),
        metered=len(billed),
        estimated_usd=sum(run.estimate_usd or 0.0 for run in runs),
        estimated_of_metered_usd=sum(run.estimate_usd or 0.0 for run in billed),
        actual_usd=sum(run.actual_usd or 0.0 for run in billed),
        actual_parts=parts,
    )


def _span(text: str) -> datetime.timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise RequestError(f"--since {text!r}: a number with h, d or w is expected, such as 30d")
    return datetime.timedelta(hours=int(match[1]) * _HOURS[match[2]])


def _cells(one: RecipeCosts) -> list[str]:
    parts = (one.actual_parts.get(part) for part in PARTS)
    return [
        one.recipe or "none",
        f"{one.runs:,}",
        f"{one.metered:,}",
        f"{one.estimated_of_metered_usd:,.2f}",
        f"{one.actual_usd:,.2f}",
        *(f"{usd:,.2f}" if usd is not None else "" for usd in parts),
    ]
