"""Statements that the code rests on and only a real account can settle: `data/unconfirmed.json`.

docs/architecture.md lists the same rows, which a test compares; `nova-judge verify` settles them.
"""

import functools

import msgspec

from nova_judge.folders import DATA


class Unconfirmed(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is `assumed`. `probe` begins the names of the checks that settle it; `runs` names the
    recipes a run of which does: by its success, or by `evidence`, a predicate of `verification`.

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
