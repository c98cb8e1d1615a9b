"""`nova-judge verify`: the first day in an account, settled by evidence."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.markup import escape

from nova_judge.aws import submissions
from nova_judge.aws.place import current_place, refusals_explained
from nova_judge.aws.submissions import Deployed
from nova_judge.cli.arguments import AsJson, StageOption
from nova_judge.cli.stage import stage_console
from nova_judge.cli.terminal import Console, checks_table, print_json
from nova_judge.errors import VerificationError
from nova_judge.json_lines import indented
from nova_judge.kinds.recipes import read_recipe
from nova_judge.preflight.verification import (
    SettlingRun,
    Verification,
    assumption_rows,
    probe_rows,
    verification_table,
)
from nova_judge.steps.run_index import now
from nova_judge.steps.verify_stage import PaidRun, affordable, free_checks, settle

VerifyRecipes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe",
        help="Also check what these recipes need: names or YAML files. Default: pairwise.",
    ),
]
VerifySpend: TypeAlias = Annotated[
    float,
    typer.Option(
        min=0,
        max=100_000,
        metavar="USD",
        help="Also run the smallest evaluations, for about this many US dollars.",
    ),
]


def command(
    stage: StageOption = "dev",
    recipes: VerifyRecipes = None,
    spend: VerifySpend = 0.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before spending.")] = False,
    out: Annotated[
        Path, typer.Option(help="The folder that gets verification.json and verification.md.")
    ] = Path(),
    as_json: AsJson = False,
) -> None:
    """Check everything about a deployed stage that can be checked, and write it down.

    Without --spend nothing is paid: roles, definition, states, rules, functions, images,
    models, quotas, an upload, notices. With it, runs settle what the code assumes of AWS. Ends with
    3 where something is refuted. The files hold no account number, key or prompt.

    Examples:

      nova-judge verify --stage dev

      nova-judge verify --stage dev --recipe pairwise --recipe rubric --spend 25
    """
    console = stage_console(stage, stderr=as_json)
    wanted = [read_recipe(name) for name in recipes or ["pairwise"]]
    with refusals_explained(stage):
        with Console(stderr=True).status("asking AWS", spinner="dots"):
            checks = free_checks(stage, wanted)
        runs, most = _runs(console, stage, spend, yes=yes) if spend else ([], 0.0)
    found = Verification(
        stage=stage,
        region=current_place().region,
        at=now(),
        spent_at_most_usd=most,
        probes=probe_rows(checks),
        assumptions=assumption_rows(checks, runs),
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "verification.json").write_bytes(indented(found))
    (out / "verification.md").write_text(verification_table(found), "utf-8")
    if as_json:
        print_json(found)
    else:
        found_rows = ((row.what, row.status, row.evidence, row.advice) for row in found.rows)
        console.print(checks_table("what", "evidence", found_rows))
        console.print(f"Written: {escape(str(out / 'verification.md'))} and verification.json")
    if refuted := found.refuted():
        raise VerificationError(
            "\n".join(f"{row.what}: {row.evidence}: {row.advice}" for row in refuted)
        )


def _runs(
    console: Console, stage: str, spend: float, *, yes: bool
) -> tuple[list[SettlingRun], float]:
    """Runs that the budget allows, and the most that they may have cost."""
    place = submissions.deployed(stage)
    chosen = affordable(place, spend)
    if not chosen:
        console.print(f"No evaluation costs ${spend:,.2f} or less.")
        return [], 0.0
    most = sum(paid.forecast.worst.usd for paid in chosen)
    for paid in chosen:
        likely, worst = paid.forecast.likely.usd, paid.forecast.worst.usd
        console.print(f"{paid.recipe.name}: ${likely:,.2f} likely, ${worst:,.2f} at the very most")
    if not yes:
        typer.confirm("Run these?", abort=True)
    return [_settled(console, place, paid) for paid in chosen], most


def _settled(console: Console, place: Deployed, paid: PaidRun) -> SettlingRun:
    with console.status(f"running {escape(paid.recipe.name)}", spinner="dots"):
        run = settle(place, paid)
    outcome = "has its report" if run.reported else f"failed: {run.cause}"
    console.print(f"{escape(paid.recipe.name)}: {escape(run.run_id)} {escape(outcome)}")
    return run
