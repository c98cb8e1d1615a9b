"""A run of very many rows: files written side by side, rows read a judge job at a time."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nova_judge_local.local_folders import STACKS
from tests.workflow.conftest import ROOT, Account, lines

Start = Callable[..., Account]
ROWS = 50
OF_THE_RUN = {"run_id", "created", "recipe", "input", "judge", "cost", "job"}
"""What tells one run of the same rows from another; `job`: figures of a container cannot all be
added up."""


def rows() -> list[dict[str, object]]:
    """Rows of which B wins two of three; every fifth has the prompt of the one before it."""
    answers = ("Mars", "It is one of the many planets that circle the sun")
    return [
        {
            "id": f"row {n}",
            "prompt": f"Which planet is red? ({n - (n % 5 == 4)})",
            "response_A": answers[n % 3 != 0],
            "response_B": answers[n % 3 == 0],
            "reference": "Mars",
            "category": ("space", "colours")[n % 2],
        }
        for n in range(ROWS)
    ]


def templates(folder: Path, most_rows_at_once: int) -> Path:
    """The stacks, whose function BuildJobs writes the files of so many rows by itself."""
    shutil.copytree(STACKS, folder)
    file = folder / "NovaJudge-local-Evaluation.json"
    stack = json.loads(file.read_text())
    (function,) = (
        resource["Properties"]
        for resource in stack["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
        and "BuildJobs" in resource["Properties"]["Description"]
    )
    function["Environment"]["Variables"]["MOST_ROWS_AT_ONCE"] = str(most_rows_at_once)
    file.write_text(json.dumps(stack))
    return folder


def drop(here: Account, rows_per_job: int, folder: Path) -> None:
    recipe = (ROOT / "recipes" / "pairwise.yaml").read_text()
    recipe = recipe.replace("judge:\n", f"judge:\n  max_rows_per_job: {rows_per_job}\n", 1)
    recipe += "\nshards: {bytes: 4096}\n"
    here.client("s3").put_object(Bucket=here.bucket, Key="recipes/many.yaml", Body=recipe.encode())
    content = lines(*rows()[:10]) + b"broken\n" + lines(*rows()[10:])
    here.drop("pairs.jsonl", content, recipe="many", folder=folder)


def findings(here: Account) -> dict[str, Any]:
    (execution,) = here.ended()
    assert execution.status == "SUCCEEDED", (execution, here.log())
    return {name: said for name, said in here.metrics().items() if name not in OF_THE_RUN}


def test_files_written_side_by_side_give_the_report_of_one_piece(
    account: Start, tmp_path: Path
) -> None:
    pieces = account(templates(tmp_path / "stacks", most_rows_at_once=ROWS - 1))
    whole = account()
    drop(pieces, 20, tmp_path)
    drop(whole, ROWS, tmp_path)

    found = findings(pieces)

    assert found == findings(whole)
    assert found["rows"]["judged"] == ROWS
    sums = [pieces.metrics()["job"][f"{side}_scores"] for side in "ab"]
    assert sums == [34.0, 66.0]
    assert (len(pieces.jobs()), len(whole.jobs())) == (3, 1)
    (key,) = (key for key in pieces.keys("runs/") if key.endswith("/judge/shards.json"))
    begins = [(piece["jobs"], piece["begins"]) for piece in json.loads(pieces.read(key))]
    assert [jobs for jobs, _ in begins] == [[0], [1], [2]]
    assert begins[-1][1]["shard"] > 0
