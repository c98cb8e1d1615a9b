"""Limits of size: of files and functions, and of how often a record is only a dict of anything."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("nova_judge", "nova_judge_local", "lambdas", "stacks", "benchmarks", "scorers")
MOST_LINES = 300
MOST_LINES_OF_A_FUNCTION = 50
MOST_OPEN_DICTS = 100  # lines
OPEN_DICT = re.compile(r"\b(?:dict|Mapping)\[str, (?:Any|object)\]")
EDGES = {
    "what AWS, servers and state machines are sent": (
        *("aws", "kinds/bedrock_scores.py", "kinds/job.py", "kinds/serverless_scores.py"),
        *("kinds/serverless_requests.py", "pairs/judge_reply.py", "runs/training_job_request.py"),
        *("sources/request_forms.py", "steps/job_data.py", "steps/run_control.py"),
        *("steps/verify_stage.py", "preflight/machine_samples.py"),
    ),
    "what files of others hold": (
        *("inputs", "recipe", "parquet.py", "records.py", "findings/judgment_fields.py"),
        *("findings/judgment_file.py", "findings/job_metrics.py", "report/job_figure.py"),
        *("pairs/metrics_text.py", "pairs/rubric_reading.py", "pairs/safe_literal.py"),
        *("runs/results_json.py", "scores"),
    ),
    "what is written for others": (
        *("cli", "findings/training_records.py", "findings/training_forms.py"),
        *("pairs/container_details.py", "pairs/panel_files.py", "steps/collected_replies.py"),
    ),
    "what a library takes by name": (
        *("findings/metrics.py", "report/figure_frame.py"),
        *("template_sandbox.py",),
    ),
}
"""Rooms and modules in which a dict may hold anything; everywhere else it is a record."""


def sources(*packages: str) -> dict[str, str]:
    """Path from the root → source."""
    files = [file for package in packages for file in (ROOT / package).rglob("*.py")]
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files}


def test_no_file_is_longer_than_three_hundred_lines():
    lengths = {path: source.count("\n") for path, source in sources(*CODE).items()}
    assert len(lengths) > 300
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_function_is_longer_than_fifty_lines():
    lengths = {
        f"{path}: {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path, source in sources(*CODE).items()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    }
    assert len(lengths) > 2_000
    assert {name: n for name, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


def test_a_dict_of_anything_stands_at_an_edge_alone():
    counts = {
        path: sum(OPEN_DICT.search(line) is not None for line in source.splitlines())
        for path, source in sources("nova_judge").items()
    }
    edges = tuple(f"nova_judge/{place}" for places in EDGES.values() for place in places)
    assert [path for path, n in counts.items() if n and not path.startswith(edges)] == []
    assert sum(counts.values()) <= MOST_OPEN_DICTS
    used = {edge for edge in edges if any(n and p.startswith(edge) for p, n in counts.items())}
    assert set(edges) - used == set()
