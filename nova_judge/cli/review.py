"""`nova-judge review`: people label drawn rows, blind, and the report takes up what they say."""

import getpass
import webbrowser
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from nova_judge.aws.fetched_runs import LabelObjects, is_temporary
from nova_judge.cli.arguments import RunOrMetrics
from nova_judge.cli.result import write_files
from nova_judge.cli.terminal import Console, right, table
from nova_judge.errors import ReviewError
from nova_judge.findings.saved_report import METRICS, SavedReport, open_report
from nova_judge.findings.sentences import headline
from nova_judge.findings.sentences_evidence import review as review_sentences
from nova_judge.report.content_types import CONTENT_TYPES
from nova_judge.review.drawing import candidates_of, draw_rows, expected_of
from nova_judge.review.labels import (
    Draw,
    LabelFolder,
    LabelStore,
    check_name,
    label_folder,
    read_draw,
    read_review,
    write_draw,
)
from nova_judge.review.reviewed import reviewed_metrics
from nova_judge.review.session import ReviewSession
from nova_judge.steps.import_job import report_at
from nova_judge.steps.run_index import now
from nova_judge.text import count_of


def command(
    run: RunOrMetrics,
    budget: Annotated[
        int, typer.Option(min=21, max=100_000, help="How many rows are drawn, the first time.")
    ] = 60,
    reviewer: Annotated[
        str, typer.Option(help="Whose labels these are; your user name if left out.")
    ] = "",
    plan: Annotated[
        bool,
        typer.Option("--plan", help="Only say how precise the result of this budget would be."),
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Only make the report again from the labels.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 0,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Label rows of a run on a local page, blind; the report then includes the labels.

    Half of the rows are drawn by chance, half where labels help most, each with a known
    probability. Every reviewer has a file of their own in the run's folder labels/; stop and go on
    at any time.

    Examples:

      nova-judge review out/demo --open

      nova-judge review out/demo --budget 100 --plan

      nova-judge review s3://my-bucket/runs/r-3f9c2a71d0e4b856/ --reviewer anna
    """
    console = Console()
    place = _place(run)
    draw = read_draw(place.store)
    if draw is None or plan:
        draw = _drawn(console, place, budget, keep=not (plan or report))
    if plan:
        return
    if report:
        console.print(escape(_report_anew(place)))
        return
    session = _session(place, draw, check_name(reviewer or getpass.getuser()))
    _serve(console, place, session, port, open_page=open_page)
    if session.done:
        console.print(escape(_report_anew(place)))


class _Place(NamedTuple):
    """A run with its labels: on this machine, or in S3 with a copy of its report here."""

    report: SavedReport
    store: LabelStore


def _place(run: str) -> _Place:
    report = report_at(run)
    report.stored_judgments()
    if run.startswith("s3://") and not run.endswith(".tar.gz"):
        return _Place(report, LabelObjects(run))
    if is_temporary(report.folder):
        raise ReviewError(
            f"{run} is the output of a job: make a run of it first with `nova-judge import {run}`, "
            "which gives its labels a folder"
        )
    return _Place(report, LabelFolder(label_folder(report.folder)))


def _drawn(console: Console, place: _Place, budget: int, *, keep: bool) -> Draw:
    """Draw the rows and say what they will tell; they are written once and for all."""
    metrics = place.report.metrics
    candidates = candidates_of(place.report.rows())
    seed = int.from_bytes(metrics.run_id.encode()[-4:]) ^ budget
    draw = draw_rows(candidates, metrics.run_id, budget, seed, now())
    columns = ("if people agree with the judge on", *right("corrected win rate of B"))
    title = f"What {count_of(len(draw.rows), 'label')} can tell"
    rows = [
        (f"{expected.agreement:.0%}", f"± {100 * expected.reach:.1f} points")
        for expected in expected_of(candidates, budget, metrics.statistics.level)
    ]
    console.print(
        table(columns, rows, title=title, title_justify="left")
        if rows
        else f"All {count_of(len(draw.rows), 'row')} that both orders judged are drawn: labels of "
        "all of them are the win rate, and nothing is left to correct. Draw fewer with --budget."
    )
    if keep:
        write_draw(place.store, draw)
    return draw


def _session(place: _Place, draw: Draw, reviewer: str) -> ReviewSession:
    wanted = {drawn.line for drawn in draw.rows}
    rows = {row.row.line: row.row for row in place.report.rows() if row.row.line in wanted}
    if missing := wanted - rows.keys():
        raise ReviewError(
            f"{place.store.where}: {len(missing)} drawn lines are not in the run: the labels are "
            "those of another one"
        )
    return ReviewSession(draw, rows, place.store, reviewer, now)


def _serve(
    console: Console, place: _Place, session: ReviewSession, port: int, *, open_page: bool
) -> None:
    from nova_judge.report.review_server import ReviewServer  # noqa: PLC0415 (jinja)

    title = f"{place.report.metrics.run_id}, labels of {session.reviewer}"
    try:
        server = ReviewServer(session, port, title, lambda: _report_anew(place))
    except OSError as error:
        raise ReviewError(f"port {port} cannot be used ({error}): try --port 0") from error
    with server:
        console.print(
            f"{session.done} of {count_of(session.rows, 'row')} done. Label them at "
            f"{server.address} (Ctrl+C ends). Labels: {escape(place.store.where)}",
            soft_wrap=True,
        )
        if open_page:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            console.print("Stopped; every label is kept.")


def _report_anew(place: _Place) -> str:
    """Make the report again from all labels, and say what they tell."""
    review = read_review(place.store)
    if review is None or not review.rows():
        return "No row is labelled yet, so the report stays as it is."
    report = open_report(place.report.folder)
    metrics = reviewed_metrics(report.metrics, report.rows(), review)
    objects = place.store if isinstance(place.store, LabelObjects) else None
    if objects is not None:  # the labels beside the copy, from where its pages read them
        here = LabelFolder(label_folder(report.folder))
        for name in objects.names():
            here.write(Path(name).name, objects.read(name) or b"")
    page = str(write_files(report._replace(metrics=metrics), report.folder))
    if objects is not None:
        for name in [name for name in CONTENT_TYPES if not name.endswith(".parquet")]:
            objects.put_report(name, report.folder / name, CONTENT_TYPES[name])
        page = objects.where.removesuffix("labels") + f"report/{METRICS}"
    summary = " ".join([str(headline(metrics)), *review_sentences(metrics)])
    return f"{summary} Report: {page}"
