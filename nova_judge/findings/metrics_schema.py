"""The JSON schema of `metrics.json`, made from the record: `make schema` writes it into docs/."""

import inspect
import json
import sys
from pathlib import Path

import msgspec

from nova_judge.findings.metrics_record import Metrics

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def metrics_schema() -> str:
    """The schema of `metrics.json` as JSON text."""
    return schema_of(Metrics, "metrics.json of Nova Judge")


def schema_of(record: type[msgspec.Struct], title: str) -> str:
    """The schema of a record as JSON text, with the docstrings of records as its descriptions."""
    schema = msgspec.json.schema(record)
    for definition in schema["$defs"].values():
        lines = inspect.cleandoc(definition.get("description", "")).splitlines()
        definition["description"] = " ".join(line for line in lines if line)
    stated = {"$schema": DIALECT, "title": title, **schema}
    return json.dumps(stated, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(metrics_schema(), "utf-8")
