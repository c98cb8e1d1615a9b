"""`nova-judge costs`: what the runs of a stage cost, by recipe and part."""

import datetime
import re
from typing import Annotated, TypeAlias

import typer
from rich.markup import escape

from nova_judge.cli.arguments import AsJson, StageOption
from nova_judge.cli.stage import runs_of
from nova_judge.cli.terminal import Console, bare_table, print_json, right
from nova_judge.errors import RequestError
from nova_judge.findings.stage_costs import RecipeCosts, costs_by_recipe
from nova_judge.text import count_of

PARTS = ("judge", "endpoint", "Bedrock", "Step Functions", "Lambda")
CostsSince: TypeAlias = Annotated[
    str, typer.Option("--since", metavar="DAYS", help="Only runs of this time: 30d, 12h, 4w.")
]
_SPAN = re.compile(r"(\d{1,5})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


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
