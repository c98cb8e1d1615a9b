"""The index of a stage's runs: written when a run begins and ends, read in one go."""

import datetime
from concurrent.futures import ThreadPoolExecutor

import msgspec

from nova_judge.aws import runs_table, s3
from nova_judge.findings.index_entry import IndexEntry
from nova_judge.layout import INDEX, RunLayout

_READERS = 32
_decoder = msgspec.json.Decoder(IndexEntry)


def now() -> str:
    """The present, as the index writes times."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def write_entry(bucket: str, entry: IndexEntry) -> None:
    """Write a run's headline over the one before."""
    content = msgspec.json.format(msgspec.json.encode(entry), indent=1)
    s3.write(bucket, RunLayout(entry.run_id).index, content, "application/json")


def read_entry(bucket: str, table: str | None, run_id: str) -> IndexEntry | None:
    """One run, by the index and the runs table; None where neither knows it."""
    content = s3.read_if_exists(bucket, RunLayout(run_id).index)
    entry = _decoded(content) if content is not None else None
    item = runs_table.item_of(table, run_id) if table else None
    return _joined(entry, item)


def read_index(bucket: str, table: str | None = None) -> list[IndexEntry]:
    """All runs, the newest first. The table adds runs of versions that kept no index, and settles
    what a run's state is; without the right to read it, only the index is given.
    """
    keys = list(s3.keys(bucket, INDEX))
    client = s3.parallel_client(_READERS)

    def read(key: str) -> IndexEntry | None:
        return _decoded(client.get_object(Bucket=bucket, Key=key)["Body"].read())

    with ThreadPoolExecutor(_READERS) as pool:
        entries = {entry.run_id: entry for entry in pool.map(read, keys) if entry is not None}
    items = {item["run_id"]: item for item in runs_table.all_runs(table)} if table else {}
    joined = (_joined(entries.get(name), items.get(name)) for name in entries.keys() | items.keys())
    return sorted(
        (entry for entry in joined if entry is not None),
        key=lambda entry: (entry.created, entry.run_id),
        reverse=True,
    )


def _decoded(content: bytes) -> IndexEntry | None:
    """An entry that a later version wrote in another form is left to the table."""
    try:
        return _decoder.decode(content)
    except msgspec.MsgspecError:
        return None


def _joined(entry: IndexEntry | None, item: dict[str, str] | None) -> IndexEntry | None:
    if item is None:
        return entry
    status = item["status"]
    if status == runs_table.JUDGE_FURTHER:
        # Of one that was aborted meanwhile the error stays.
        status = runs_table.FAILED if "error" in item else runs_table.RUNNING
    if entry is not None and entry.status == status and entry.execution == item["execution"]:
        return entry
    known = entry or IndexEntry(run_id=item["run_id"], status=status)
    ended = status != runs_table.RUNNING
    return msgspec.structs.replace(
        known,
        status=status,
        execution=item["execution"],
        created=known.created or item.get("created", ""),
        headline=item.get("headline", known.headline) if ended else "",
        error=item.get("error", "") if ended else "",
        cause=item.get("cause", "") if ended else "",
        report=item.get("report", known.report) if ended else "",
    )
