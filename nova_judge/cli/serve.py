"""`nova-judge serve`: browse the runs of a folder, on this machine only."""

import webbrowser
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nova_judge.aws import submissions
from nova_judge.aws.fetched_runs import RunMirror
from nova_judge.aws.place import refusals_explained
from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import SavedReportError
from nova_judge.findings.saved_report import find_metrics
from nova_judge.report.report_server import LOOPBACK, make_server
from nova_judge.text import count_of


def command(
    folder: Annotated[
        str, typer.Argument(help="A folder with runs below it, or s3://bucket/.")
    ] = "out",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8400,
    open_page: Annotated[bool, typer.Option("--open", help="Open the index in a browser.")] = False,
    stage: Annotated[
        str | None, typer.Option(help="The runs of this deployed stage, instead of a folder.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Serve the reports below a folder or in a bucket, read-only, on loopback.

    The index lists, sorts and filters the runs, draws trends and compares two; a report's page
    leads to all rows of its run.

    Examples:

      nova-judge serve out --open

      nova-judge serve s3://my-bucket/ --port 0

      nova-judge serve --stage dev --open
    """
    if stage is not None:
        with refusals_explained(stage):
            folder = f"s3://{submissions.deployed(stage).bucket}/"
    mirror = RunMirror(folder) if folder.startswith("s3://") else None
    here = mirror.folder if mirror else Path(folder)
    if not here.is_dir():
        raise SavedReportError(f"{folder} is not a folder: name the one that holds your runs.")
    console = Console(stderr=as_json)
    if mirror is not None:
        with Console(stderr=True).status("Reading the runs"):
            mirror.refresh()
    try:
        server = make_server(here, port, mirror)
    except OSError as error:
        raise SavedReportError(f"port {port} cannot be used ({error}): try --port 0.") from error
    with server:
        address = f"http://{LOOPBACK}:{server.server_address[1]}/"
        runs = sum(1 for _ in find_metrics(here))
        console.print(f"{count_of(runs, 'run')} of {escape(folder)} at {address} (Ctrl+C stops)")
        if as_json:
            print_json({"address": address, "runs": runs})
        if open_page:
            webbrowser.open(address)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
        console.print("Stopped.")
