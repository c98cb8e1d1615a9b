"""`nova-judge import`: a report of a judge job that others ran."""

from pathlib import Path
from typing import Annotated

import typer

from nova_judge.cli.arguments import AsJson, Join, Map, NameA, NameB
from nova_judge.cli.command_input import source
from nova_judge.cli.result import drawing, print_result, result_document
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import RequestError
from nova_judge.findings.imported_facts import GivenFile
from nova_judge.records import Candidate
from nova_judge.steps.import_job import import_job


def command(
    job: Annotated[
        str,
        typer.Argument(help="output.tar.gz, a folder with a job's output, or either in s3://."),
    ],
    pairs: Annotated[
        Path | None,
        typer.Option(help="The file that the job was given: prompts, answers, labels, categories."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder of the run; it must not exist.")] = Path(
        "out/imported"
    ),
    columns: Map = None,
    join: Join = None,
    name_a: NameA = "",
    name_b: NameB = "",
    as_json: AsJson = False,
) -> None:
    """Make a run folder and a report of any Nova judge job, own data or Bedrock evaluation.

    Everything is recomputed from the job's rows. Lines of --pairs that cannot be used, such as
    failed answers, are set aside although the job judged them. `report`, `rows`, `gate`, `export`
    and the like read a job's output directly too.

    Examples:

      nova-judge import output.tar.gz --pairs llm_judge.jsonl --out out/post

      nova-judge import s3://bucket/results/job-1/output/output.tar.gz

      nova-judge import evaluation/ --name-a claude --out out/bedrock
    """
    if out.exists():
        raise RequestError(f"{out} exists already: name a new folder with --out.")
    given: dict[Candidate, str] = {"A": name_a.strip(), "B": name_b.strip()}
    names = {side: name for side, name in given.items() if name}
    with (
        source(pairs, None, columns, join) as lines,
        Console(stderr=True).status("Reading the job's output"),
        drawing(),
    ):
        sent = GivenFile(lines, str(pairs)) if lines is not None else None
        report = import_job(job, out, sent, names)
    page = report.folder / "report.html"
    if as_json:
        print_json(result_document(report, page))
    else:
        print_result(Console(), report, page)
