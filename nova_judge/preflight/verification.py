"""Findings of `nova-judge verify`: confirmed, refuted, not tried, with evidence and no secrets.

Statements that the code rests on and only a real account can settle stand in
`data/unconfirmed.json`; docs/architecture.md lists the same rows, which a test compares.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import msgspec

from nova_judge.check import Check
from nova_judge.folders import DATA
from nova_judge.version import __version__

Status: TypeAlias = Literal["confirmed", "refuted", "not tried"]
_STATUS: Mapping[str, Status] = {
    "pass": "confirmed",
    "warn": "confirmed",
    "fail": "refuted",
    "not run": "not tried",
}
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


class Unconfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is `assumed`. `probe` begins the names of the checks that settle it; `runs` names the
    recipes a run of which does: by its success, or by `evidence`, a predicate of `verify_stage`.

    `refuted_when`: a pattern of the cause with which such a run fails where the assumption is
    wrong. `mend`: the setting or file to change then, or what settles it where nothing here does.
    """

    what: str
    assumed: str
    probe: str = ""
    runs: tuple[str, ...] = ()
    evidence: str = ""
    refuted_when: str = ""
    mend: str


class _File(msgspec.Struct, frozen=True):
    read_on: str
    rows: tuple[Unconfirmed, ...]


@functools.cache
def unconfirmed() -> tuple[Unconfirmed, ...]:
    """All rows, in the order of the documentation."""
    return msgspec.json.decode((DATA / "unconfirmed.json").read_bytes(), type=_File).rows


class VerifiedRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One statement. `advice` says which setting mends what was refuted."""

    what: str
    status: Status
    evidence: str
    assumed: str = ""
    advice: str = ""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """`verification.json`. `probes` are of this stage, `assumptions` of the code anywhere."""

    version: int = 1
    code_version: str = __version__
    stage: str
    region: str
    at: str
    spent_at_most_usd: float = 0.0
    probes: tuple[VerifiedRow, ...]
    assumptions: tuple[VerifiedRow, ...]

    @property
    def rows(self) -> tuple[VerifiedRow, ...]:
        """All of them."""
        return (*self.probes, *self.assumptions)

    def refuted(self) -> list[VerifiedRow]:
        """Rows that do not hold."""
        return [row for row in self.rows if row.status == "refuted"]


class SettlingRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was paid for. `stand_in`: nothing of AWS's judged. `proved`: names of predicates
    that its report bears out, `disproved` those that it does not.
    """

    recipe: str
    run_id: str
    reported: bool
    cause: str = ""
    stand_in: bool = False
    proved: tuple[str, ...] = ()
    disproved: tuple[str, ...] = ()


def probe_rows(checks: Iterable[Check]) -> tuple[VerifiedRow, ...]:
    """A row per check."""
    return tuple(
        VerifiedRow(
            what=check.name,
            status=_STATUS[check.status],
            evidence=without_secrets(check.finding),
            advice=without_secrets(check.advice),
        )
        for check in checks
    )


def assumption_rows(
    checks: Sequence[Check], runs: Sequence[SettlingRun]
) -> tuple[VerifiedRow, ...]:
    """A row per assumption, settled by what was probed and run."""
    return tuple(_settled(row, checks, runs) for row in unconfirmed())


def _settled(row: Unconfirmed, checks: Sequence[Check], runs: Sequence[SettlingRun]) -> VerifiedRow:
    status, evidence = _verdict(row, checks, runs)
    return VerifiedRow(
        what=row.what,
        assumed=row.assumed,
        status=status,
        evidence=without_secrets(evidence),
        advice=row.mend if status != "confirmed" else "",
    )


def _verdict(
    row: Unconfirmed, checks: Sequence[Check], runs: Sequence[SettlingRun]
) -> tuple[Status, str]:
    probed = [check for check in checks if row.probe and check.name.startswith(row.probe)]
    if probed:
        worst = next((c for c in probed if c.status in ("fail", "not run")), probed[0])
        return _STATUS[worst.status], f"{worst.name}: {worst.finding}"
    made = [run for run in runs if run.recipe in row.runs]
    if made:
        verdicts = [_of_run(row, run) for run in made]
        order: tuple[Status, ...] = ("refuted", "confirmed", "not tried")
        return min(verdicts, key=lambda verdict: order.index(verdict[0]))
    if row.runs:
        return "not tried", f"a run of {' or '.join(row.runs)} settles it: --spend"
    return "not tried", "no probe and no run of ours settles it"


def _of_run(row: Unconfirmed, run: SettlingRun) -> tuple[Status, str]:
    if not run.reported:
        refuted = row.refuted_when and re.search(row.refuted_when, run.cause)
        why = "failed" if refuted else "failed of something else"
        return "refuted" if refuted else "not tried", f"run {run.run_id} {why}: {run.cause}"
    if run.stand_in:
        return "not tried", f"run {run.run_id} was judged by a stand-in, not by AWS"
    if row.evidence in run.disproved:
        return "refuted", f"run {run.run_id} shows the opposite of {row.evidence}"
    if row.evidence and row.evidence not in run.proved:
        return "not tried", f"run {run.run_id} tells nothing of {row.evidence}"
    return "confirmed", f"run {run.run_id} has its report"


def without_secrets(text: str) -> str:
    """The text without account numbers and access keys."""
    return _KEY.sub("<key>", _ACCOUNT.sub("<account>", text))


def verification_table(found: Verification) -> str:
    """The same as a Markdown table that can be sent to others."""
    counts = dict.fromkeys(("confirmed", "refuted", "not tried"), 0)
    for row in found.rows:
        counts[row.status] += 1
    counted = ", ".join(f"{count} {status}" for status, count in counts.items())
    lines = [
        f"# Verification of stage {found.stage} in {found.region}",
        "",
        f"Nova Judge {found.code_version}, {found.at}: {counted}; spent at most "
        f"${found.spent_at_most_usd:,.2f}. No account number, no key, no prompt stands here.",
    ]
    for title, rows in (
        ("This stage", found.probes),
        ("The code's assumptions", found.assumptions),
    ):
        lines += ["", f"## {title}", "", "| what | status | evidence | what to do |"]
        lines += ["|---|---|---|---|"]
        lines += [f"| {' | '.join(map(_cell, _cells(row)))} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cells(row: VerifiedRow) -> tuple[str, str, str, str]:
    what = f"{row.what}: {row.assumed}" if row.assumed else row.what
    return what, row.status, row.evidence, row.advice


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")[:600]
