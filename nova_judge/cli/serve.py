"""`nova-judge serve`: browse the runs of a folder, on this machine only."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nova_judge.cli.arguments import RunsFolder
from nova_judge.cli.terminal import Console
from nova_judge.errors import SavedReportError
from nova_judge.findings.saved_report import find_metrics
from nova_judge.report.report_server import LOOPBACK, make_server


def command(
    folder: RunsFolder = Path("out"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8400,
    open_page: Annotated[bool, typer.Option("--open", help="Open the index in a browser.")] = False,
) -> None:
    """Serve the reports below a folder, read-only, on loopback.

    Examples:

      nova-judge serve out --open

      nova-judge serve out --port 0
    """
    if not folder.is_dir():
        raise SavedReportError(f"{folder} is not a folder: name the one that holds your runs.")
    console = Console(highlight=False)
    try:
        server = make_server(folder, port)
    except OSError as error:
        raise SavedReportError(f"port {port} cannot be used ({error}): try --port 0.") from error
    with server:
        address = f"http://{LOOPBACK}:{server.server_address[1]}/"
        runs = sum(1 for _ in find_metrics(folder))
        console.print(f"{runs} runs of {escape(str(folder))} at {address} (Ctrl+C stops)")
        if open_page:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("Stopped.")
