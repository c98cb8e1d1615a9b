"""`nova-judge plan`: how many pairs a question needs."""

from typing import Annotated, TypeAlias

import msgspec
import typer

from nova_judge.cli.arguments import AsJson, Level
from nova_judge.cli.terminal import Console, bare_table, print_json
from nova_judge.errors import RequestError
from nova_judge.statistics.planning import SamplePlan, detectable_difference, plan
from nova_judge.steps.import_job import report_at
from nova_judge.text import count_of


class Detectable(msgspec.Struct, frozen=True):
    """The difference that a number of pairs finds; None where it finds none at all."""

    difference: float | None
    level: float
    power: float
    decided_share: float
    decided_pairs: int
    pairs: int


PlanDifference: TypeAlias = Annotated[
    float | None,
    typer.Option(
        min=0.001, max=0.5, help="Distance of the win rate from one half: 0.03 is 53 to 47."
    ),
]
PlanPairs: TypeAlias = Annotated[
    int | None, typer.Option(min=1, help="What can this many judged pairs find?")
]
PlanPower: TypeAlias = Annotated[
    float, typer.Option(min=0.5, max=0.999, help="Chance to find a true difference.")
]
PlanDecidedShare: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0.001, max=1, help="Share of rows that both orders decide alike."),
]
PlanLike: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Take the share of decided rows from this earlier run; s3:// too."),
]
PlanSamples: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Rows per prompt: several answers to each.")
]
PlanCorrelation: TypeAlias = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="How alike the scores of one prompt's rows are."),
]


def command(
    difference: PlanDifference = None,
    pairs: PlanPairs = None,
    power: PlanPower = 0.8,
    level: Level = 0.95,
    decided_share: PlanDecidedShare = None,
    like: PlanLike = None,
    samples: PlanSamples = 1,
    correlation: PlanCorrelation = None,
    as_json: AsJson = False,
) -> None:
    """Say how many pairs find a difference, or what difference a number of pairs can find.

    Ties, flips and unread verdicts decide nothing: the share of decided rows of an earlier run
    (`--like`) turns decided pairs into rows to judge.

    Examples:

      nova-judge plan --difference 0.03

      nova-judge plan --difference 0.05 --like out/demo

      nova-judge plan --pairs 500 --decided-share 0.6

      nova-judge plan --difference 0.05 --samples 5 --correlation 0.4
    """
    if (difference is None) == (pairs is None):
        raise RequestError("give either --difference, to learn how many pairs it needs, or --pairs")
    share = _share(decided_share, like)
    if difference is not None:
        stated: SamplePlan | Detectable = plan(
            difference,
            level=level,
            power=power,
            decided_share=share,
            samples=samples,
            correlation=_alike(samples, correlation, like),
        )
    else:
        judged = pairs or 0
        decided = int(judged * share)
        found = detectable_difference(decided, level=level, power=power)
        stated = Detectable(found, level, power, share, decided, judged)
    if as_json:
        print_json(stated)
    else:
        _show(stated)


def _alike(samples: int, correlation: float | None, like: str | None) -> float:
    """The correlation within a prompt: as given, or what an earlier run with repeats shows."""
    if samples == 1 or correlation is not None:
        return 1.0 if correlation is None else correlation
    repeats = None if like is None else report_at(like).metrics.repeats
    if repeats is None:
        raise RequestError(
            "--samples needs --correlation, or --like a run in which prompts have several rows"
        )
    between, within = repeats.between**2, repeats.within**2
    return between / (between + within) if between + within else 1.0


def _share(decided_share: float | None, like: str | None) -> float:
    if like is None:
        return 1.0 if decided_share is None else decided_share
    if decided_share is not None:
        raise RequestError("give either --decided-share or --like, not both")
    tally = report_at(like).metrics.reconciled
    if tally is None or not tally.a + tally.b:
        raise RequestError(f"{like}: no row was decided there; give --decided-share instead")
    return (tally.a + tally.b) / tally.rows


def _show(stated: SamplePlan | Detectable) -> None:
    console = Console()
    if stated.difference is None:
        console.print(
            f"[bold]{stated.decided_pairs:,} decided pairs find no difference at all[/] "
            f"with {stated.power:.0%} power: judge more."
        )
        return
    console.print(
        f"[bold]{count_of(stated.pairs, 'pair')}[/] find a win rate of "
        f"{0.5 + stated.difference:.1%} (or {0.5 - stated.difference:.1%}) with "
        f"{stated.power:.0%} power."
    )
    facts = {"pairs to judge": f"{stated.pairs:,}"}
    if isinstance(stated, SamplePlan) and stated.samples > 1:
        facts["prompts"] = f"{stated.prompts:,}, {count_of(stated.samples, 'row')} each"
    facts["of them decided"] = f"{stated.decided_pairs:,} ({stated.decided_share:.0%})"
    facts["level"] = f"{stated.level:g}"
    if isinstance(stated, SamplePlan):
        facts["power of the exact sign test"] = f"{stated.exact_power:.3f}"
        facts["wins that are significant then"] = f"{stated.smallest_significant:,}"
    console.print(bare_table((), facts.items()))
    if stated.decided_share == 1.0:
        console.print(
            "[dim]Counts pairs that both orders decide alike; judges decide fewer than they see: "
            "--decided-share, or --like an earlier run.[/]"
        )
