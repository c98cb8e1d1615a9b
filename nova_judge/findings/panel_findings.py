"""Figures of a panel of judges: each judge's own, how far they agree, and where they split."""

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import msgspec
import numpy as np

from nova_judge.kinds.asked_pairs import judges_in_batch
from nova_judge.preflight.pricing import bill
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import Unscored, scored_or_none
from nova_judge.runs.usage import TokenUse, Usage
from nova_judge.sources.known_sources import source_of
from nova_judge.statistics.agreement import cohen_kappa, summed_verdicts, tables_by_prompt
from nova_judge.statistics.arrays import Codes
from nova_judge.statistics.beyond_chance import BeyondChance, gwet_ac1, nominal_alpha
from nova_judge.statistics.clusters import share_interval
from nova_judge.statistics.contest import contest_of, win_rate_of
from nova_judge.statistics.evidence import EvidenceRow, gather
from nova_judge.statistics.outcomes import VERDICTS, Outcome
from nova_judge.statistics.panel import PanelVotes, combined
from nova_judge.statistics.positions import positions
from nova_judge.statistics.statistics_settings import StatisticsSettings
from nova_judge.statistics.win_rate import Interval

MOST_SPLIT_ROWS = 200
_NONE = Unscored("no verdict")


class PanelJudge(msgspec.Struct, frozen=True, kw_only=True):
    """One judge of a panel by its own verdicts. `accuracy`: the share of labels that it names.

    `weight` is its mean weight among all; `usd` its cost, None where no price is known.
    """

    name: str
    model: str
    weight: float
    judged: int
    win_rate: Interval | None
    first_position: float | None
    consistency: float | None
    accuracy: Interval | None
    input_tokens: int
    output_tokens: int
    usd: float | None


class JudgesAgreement(msgspec.Struct, frozen=True):
    """Agreement of two judges on the rows that both judged, over both orders."""

    first: str
    second: str
    rows: int
    agreed: int
    kappa: BeyondChance | None
    ac1: BeyondChance | None


class SplitRow(msgspec.Struct, frozen=True):
    """A row on which judges differ: its line in the input, and each judge's verdict."""

    line: int
    verdicts: tuple[str | None, ...]


class PanelFindings(msgspec.Struct, frozen=True, kw_only=True):
    """A panel. `rule`: one vote per judge, or weights learnt on `labelled` rows.

    `alpha`: Krippendorff's, of all judges. `accuracy`: of the combined verdict on the labels; with
    learnt weights, each row's come from other prompts. `split_rows` are the first of `split`.
    """

    rule: Literal["majority", "weighted"]
    labelled: int
    judges: tuple[PanelJudge, ...]
    pairs: tuple[JudgesAgreement, ...]
    alpha: float | None
    accuracy: Interval | None
    unanimous: int
    split: int
    split_rows: tuple[SplitRow, ...]


def panel_findings(
    votes: PanelVotes,
    recipe: Recipe,
    tokens: Sequence[tuple[int, int]],
    settings: StatisticsSettings,
) -> PanelFindings:
    """The figures of a panel; `tokens` (read, written) stand in the order of its judges."""
    models = list(recipe.judge.asked.values())
    batch = [judges_in_batch(recipe, model, len(votes.lines)) for model in models]
    both = summed_verdicts(votes.forward, votes.backward)
    gave = (both < Outcome.ERROR).sum(axis=1)
    said = [row[row < Outcome.ERROR].tolist() for row in both]
    differ = np.array([len(set(verdicts)) > 1 for verdicts in said], dtype=bool)
    split = np.flatnonzero(differ)
    return PanelFindings(
        rule="majority" if votes.weights is None else "weighted",
        labelled=int((votes.labels < Outcome.ERROR).sum()),
        judges=tuple(
            _judge(votes, both, place, _use(model, tokens[place], batch[place]), settings)
            for place, model in enumerate(models)
        ),
        pairs=tuple(
            _agreement(votes, both, first, second, settings.level)
            for first, second in combinations(range(len(votes.names)), 2)
        ),
        alpha=nominal_alpha(said),
        accuracy=_accuracy(votes, combined_over_both(votes), settings.level),
        unanimous=int(((gave == both.shape[1]) & ~differ).sum()),
        split=len(split),
        split_rows=tuple(
            SplitRow(votes.lines[row], tuple(VERDICTS.get(Outcome(code)) for code in both[row]))
            for row in split[:MOST_SPLIT_ROWS]
        ),
    )


def combined_over_both(votes: PanelVotes) -> Codes:
    """The panel's verdict on each row: of both orders' combined verdicts, the sign of the two."""
    sides = [combined(side, votes.voting)[:, None] for side in (votes.forward, votes.backward)]
    codes: Codes = summed_verdicts(sides[0], sides[1])[:, 0]
    return codes


def _judge(
    votes: PanelVotes,
    both: Codes,
    place: int,
    used: TokenUse,
    settings: StatisticsSettings,
) -> PanelJudge:
    forward, backward = (
        [VERDICTS.get(Outcome(code), _NONE) for code in side[:, place]]
        for side in (votes.forward, votes.backward)
    )
    evidence = gather(
        EvidenceRow(one, other, cluster=int(key))
        for one, other, key in zip(forward, backward, votes.keys, strict=True)
    )
    of_order = positions(evidence.profiles)
    return PanelJudge(
        name=votes.names[place],
        model=used.model,
        weight=float(votes.voting[:, place].mean() / votes.voting.sum(axis=1).mean()),
        judged=int((both[:, place] < Outcome.ERROR).sum()),
        win_rate=scored_or_none(win_rate_of(contest_of(evidence), settings)),
        first_position=of_order.first_rate,
        consistency=of_order.consistency,
        accuracy=_accuracy(votes, both[:, place], settings.level),
        input_tokens=round(used.input_tokens),
        output_tokens=round(used.output_tokens),
        usd=_usd(used),
    )


def _use(model: AskedModel, tokens: tuple[int, int], batch: bool) -> TokenUse:
    return TokenUse(source_of(model).title(model), *tokens, batch, model.price, model.source)


def _usd(used: TokenUse) -> float | None:
    billed = bill(Usage(bedrock=(used,)))
    return None if billed.unpriced else billed.usd


def _agreement(
    votes: PanelVotes, both: Codes, first: int, second: int, level: float
) -> JudgesAgreement:
    tables = tables_by_prompt(both[:, first], both[:, second], votes.keys)
    table = tables.sum(axis=0)
    repeated = tables if int(table.sum()) > len(tables) else None
    return JudgesAgreement(
        votes.names[first],
        votes.names[second],
        int(table.sum()),
        int(np.trace(table)),
        cohen_kappa(table, level, repeated),
        gwet_ac1(table, level, repeated),
    )


def _accuracy(votes: PanelVotes, verdicts: Codes, level: float) -> Interval | None:
    labelled = votes.labels < Outcome.ERROR
    if not labelled.any():
        return None
    hits = verdicts[labelled] == votes.labels[labelled]
    return scored_or_none(share_interval(hits, votes.keys[labelled], level))
