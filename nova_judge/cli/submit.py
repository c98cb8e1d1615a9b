"""`nova-judge submit`: a run in a deployed stage, from the file to the report."""

import functools
import json
import re
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TransferSpeedColumn

from nova_judge.aws import s3, submissions
from nova_judge.aws.follow import Execution, follow
from nova_judge.aws.place import current_place, refusals_told
from nova_judge.aws.s3 import S3Object
from nova_judge.aws.submissions import Deployed
from nova_judge.cli import estimate, validate
from nova_judge.cli.arguments import Join, Map, NameA, NameB, RecipeOption, StageOption, names_of
from nova_judge.cli.result import print_result
from nova_judge.cli.source import source
from nova_judge.cli.terminal import Console
from nova_judge.errors import InputFileError, SubmitError
from nova_judge.findings.saved_report import open_report
from nova_judge.inputs.formats import HEAD_BYTES, form_of_head
from nova_judge.inputs.run_request import run_id
from nova_judge.kinds.known import kind_of
from nova_judge.kinds.recipes import read_recipe
from nova_judge.layout import INBOX, RECIPES, UNSTARTED
from nova_judge.preflight.estimate import check_budget, estimate_run, read_workload
from nova_judge.preflight.input_head import read_head
from nova_judge.recipe.examples import alone
from nova_judge.recipe.recipe import Recipe
from nova_judge.runs.usage import Workload
from nova_judge.steps.plan_run import recipe_in

LOOK_EVERY_S = 5.0
INTERRUPTED = 130


class Started(NamedTuple):
    """An execution under way; `item` is the input, None for runs that bring their own questions."""

    arn: str
    item: S3Object | None
    recipe: Recipe
    no_cache: bool = False


SubmitInputFile: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="INPUT",
        help="A file of rows, or the s3:// URI of one in the data bucket; none for "
        "benchmarks, which bring their own.",
    ),
]
SubmitWait: TypeAlias = Annotated[bool, typer.Option("--wait", help="Follow the run to its end.")]
SubmitOut: TypeAlias = Annotated[
    Path, typer.Option(help="With --wait: the folder that gets the report.")
]
SubmitNoCache: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--no-cache", help="A run of its own that asks the candidates for every answer anew."
    ),
]


def command(
    input_file: SubmitInputFile = None,
    columns: Map = None,
    join: Join = None,
    name_a: NameA = "",
    name_b: NameB = "",
    recipe: RecipeOption = "pairwise",
    stage: StageOption = "dev",
    wait: SubmitWait = False,
    out: SubmitOut = Path("out"),
    no_cache: SubmitNoCache = False,
) -> None:
    """Start a run in a deployed stage, and with --wait fetch its report.

    File, recipe and budget are checked before anything is uploaded. Exits with 0, or with 3 where
    something is wrong or the execution failed.

    Examples:

      nova-judge submit questions.jsonl --recipe pairwise --wait

      nova-judge submit s3://BUCKET/inbox/pairwise/questions.jsonl --recipe my.yaml --stage prod

      nova-judge submit --recipe benchmark-mmlu --wait --out out/mmlu

      nova-judge submit questions.jsonl --recipe qwen-vs-claude --no-cache
    """
    console = Console(highlight=False)
    console.print(f"Stage {escape(stage)} in {current_place()}")
    with refusals_told(stage):
        place = submissions.deployed(stage)
        there = input_file is not None and input_file.startswith("s3://")
        if there and (columns or join):
            raise InputFileError(f"{input_file}: --map and --join are for a file of this machine")
        file = Path(input_file) if input_file is not None and not there else None
        is_file = Path(recipe).suffix in {".yaml", ".yml"}
        read = read_recipe(recipe) if is_file else recipe_in(place.bucket, recipe)
        with source(file, read, columns, join) as lines:
            names = names_of(name_a, name_b)
            uri = input_file if there else None
            asked = _Asked(recipe, read, uri, file, lines, no_cache, names)
            started = _submit(console, place, asked)
        console.print(f"Execution: {started.arn}", soft_wrap=True)
        console.print(f"Console:   {submissions.console_link(started.arn)}", soft_wrap=True)
        if wait:
            _wait(console, place, started, out)


class _Asked(NamedTuple):
    """Input of an evaluation: `uri` in the bucket, or `file`, whose JSON Lines are `lines`."""

    reference: str
    recipe: Recipe
    uri: str | None
    file: Path | None
    lines: Path | None
    no_cache: bool
    names: dict[str, str]


def _submit(console: Console, place: Deployed, asked: _Asked) -> Started:
    read = asked.recipe
    if (asked.uri or asked.file) and not kind_of(read.kind).needs_file(read):
        left_out = asked.uri or asked.file
        raise InputFileError(f"recipe {read.name} brings its own questions: leave {left_out} out")
    workload = _in_bucket(asked.uri, place, read) if asked.uri else _on_disk(asked)
    if workload is None:
        console.print("The run reads the file, and estimates its cost before anything is paid for.")
    else:
        forecast = estimate_run(read, workload)
        estimate.show(console, read, forecast)
        check_budget(read, forecast)
    if Path(asked.reference).is_file():
        key = f"{RECIPES}{read.name}.yaml"
        text = alone(Path(asked.reference).read_text("utf-8"), read)
        s3.write(place.bucket, key, text.encode(), "application/yaml")
        console.print(f"Recipe:    s3://{place.bucket}/{key}", soft_wrap=True)
    lines = asked.lines
    if lines is not None and not asked.no_cache:
        sent = _upload(lines, place.bucket, f"{INBOX}{read.name}/{lines.name}", asked.names)
        return Started(submissions.started_by(sent, place.machine), sent, read)
    item = _object(asked.uri, place) if asked.uri else None
    if lines is not None:
        # Its upload starts no run, which could not be told of `no_cache`.
        item = _upload(lines, place.bucket, f"{UNSTARTED}{lines.name}", asked.names)
    wanted = {"recipe": read.name, "no_cache": asked.no_cache}
    wanted |= {"input": item.uri} if item else {}
    return Started(submissions.start(place.machine, wanted), item, read, asked.no_cache)


def _on_disk(asked: _Asked) -> Workload:
    """Read every line of a file and give the work that it asks of a run."""
    lines, file = asked.lines, asked.file
    if lines is not None and file is not None:
        if lines.name.startswith("."):
            raise InputFileError(f"{file}: a hidden file starts no run: give it another name")
        if not validate.check(lines, asked.recipe, name=file).usable:
            raise InputFileError(f"{file}: no line can be used by recipe {asked.recipe.name}")
    return estimate.workload_of(asked.recipe, lines, name=file)


def _in_bucket(uri: str, place: Deployed, recipe: Recipe) -> Workload | None:
    """Work that an object asks of a run, by its first bytes; None where it is not JSON Lines."""
    item = _object(uri, place)
    beginning = s3.head(item, HEAD_BYTES)
    if not form_of_head(beginning, uri, whole=len(beginning) >= item.size).plain:
        return None
    read = functools.partial(s3.head, item)
    head = read_head(recipe, uri, item.size, read, estimate.HEAD_BYTES)
    return read_workload(recipe, *head[:3])


def _object(uri: str, place: Deployed) -> S3Object:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if bucket != place.bucket or not key:
        raise InputFileError(
            f"{uri}: the input must lie in the data bucket; copy it to s3://{place.bucket}/{INBOX}"
        )
    return s3.describe(bucket, key)


def _upload(file: Path, bucket: str, key: str, names: dict[str, str]) -> S3Object:
    columns = (TextColumn("{task.description}"), BarColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"uploading {escape(file.name)}", total=file.stat().st_size)
        return submissions.upload(
            file, bucket, key, names, lambda size: progress.advance(task, size)
        )


def _wait(console: Console, place: Deployed, started: Started, out: Path) -> None:
    try:
        with Console(stderr=True).status("starting", spinner="dots") as status:
            for look in follow(submissions.client(), started.arn, LOOK_EVERY_S):
                status.update(f"{look.status.lower()}: {look.state}")
    except KeyboardInterrupt:
        console.print("The execution goes on; the console link shows it and can stop it.")
        raise typer.Exit(INTERRUPTED) from None
    run = _run_of(started, place)
    folder = _fetch(console, place, run, out)
    if look.status != "SUCCEEDED":
        raise SubmitError(_why(look, folder))
    if folder is None:
        raise SubmitError(
            f"run {run} has no report yet: another execution has it, which its output names. "
            f"Fetch it later with `nova-judge report s3://{place.bucket}/runs/{run}/`"
        )


def _run_of(started: Started, place: Deployed) -> str:
    """The run's id: the execution's own word, else what its input and recipe make it."""
    described = submissions.client().describe_execution(executionArn=started.arn)
    own_word = json.loads(described.get("output") or "{}").get("run_id")
    if isinstance(own_word, str) and re.fullmatch(r"[a-z0-9-]+", own_word):
        return own_word
    item, recipe = started.item, started.recipe
    own = started.arn if started.no_cache else ""
    if item is None:
        return run_id(place.bucket, recipe.name, started.arn, recipe.sha256, own=own)
    return run_id(item.bucket, item.key, item.version, recipe.sha256, own=own)


def _fetch(console: Console, place: Deployed, run: str, out: Path) -> Path | None:
    folder = out / run
    with Console(stderr=True).status("fetching the report"):
        report = submissions.download_report(place.bucket, run, folder)
    if report is None:
        return None
    console.print()
    print_result(console, open_report(folder), report / "report.html")
    return folder


def _why(look: Execution, folder: Path | None) -> str:
    reason = f"the execution ended as {look.status}"
    if look.error:
        reason += f": {look.error}: {look.cause or 'no cause was given'}"
    return reason + (f"\nThe report says why: {folder / 'report'}" if folder else "")
