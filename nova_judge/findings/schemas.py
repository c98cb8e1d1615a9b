"""JSON schemas of what others read, made from the records: `make schema` writes them into docs/."""

import inspect
import json
import sys
from pathlib import Path
from typing import Final

import msgspec

from nova_judge.findings.metrics_record import Metrics
from nova_judge.findings.run_events import RunEvent

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMAS: Final[dict[str, tuple[type[msgspec.Struct], str]]] = {
    "metrics.schema.json": (Metrics, "metrics.json of Nova Judge"),
    "event.schema.json": (RunEvent, "detail of Nova Judge's events"),
}
"""Name of the file in docs/ → the record and the schema's title."""


def schema_of(record: type[msgspec.Struct], title: str) -> str:
    """The schema of a record as JSON text, with the docstrings of records as its descriptions."""
    schema = msgspec.json.schema(record)
    for definition in schema["$defs"].values():
        lines = inspect.cleandoc(definition.get("description", "")).splitlines()
        definition["description"] = " ".join(line for line in lines if line)
    stated = {"$schema": DIALECT, "title": title, **schema}
    return json.dumps(stated, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, described in SCHEMAS.items():
        (Path(sys.argv[1]) / name).write_text(schema_of(*described), "utf-8")
