"""`nova-judge submit`: a run in a deployed stage, from the file to the report."""

import contextlib
import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias

import msgspec
import typer
from rich.markup import escape
from rich.progress import TransferSpeedColumn

from nova_judge.aws import s3, submissions
from nova_judge.aws.place import refusals_explained
from nova_judge.aws.submissions import Deployed
from nova_judge.cli import estimate, validate
from nova_judge.cli.arguments import (
    AsJson,
    Join,
    Map,
    NameA,
    NameB,
    StageOption,
    TriggeredBy,
    names_of,
)
from nova_judge.cli.command_input import progress_bar, source
from nova_judge.cli.stage import stage_console
from nova_judge.cli.submitted import Started, wait_for_all
from nova_judge.cli.terminal import Console, print_json
from nova_judge.errors import InputFileError
from nova_judge.findings.index_entry import IndexEntry
from nova_judge.inputs.formats import HEAD_BYTES, form_of_head
from nova_judge.kinds.known_kinds import kind_of
from nova_judge.kinds.recipes import read_recipe
from nova_judge.layout import INBOX, RECIPES, UNSTARTED
from nova_judge.preflight.forecast import check_budget, estimate_run, read_workload
from nova_judge.preflight.input_head import read_head
from nova_judge.recipe.own_models import alone
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.trigger import Trigger, require_named, trigger_of
from nova_judge.records import S3Object
from nova_judge.runs.usage import Workload
from nova_judge.steps.plan_run import recipe_in
from nova_judge.steps.run_index import read_index

SubmitInputs: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT...",
        help="Files of rows, or their s3:// URIs in the data bucket; none for benchmarks.",
    ),
]
SubmitRecipes: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--recipe",
        help="A recipe's name, or the path of its YAML file; several make a run of each file "
        "with each. Default: pairwise.",
    ),
]
SubmitWait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Follow the runs to their end.")
]
SubmitOut: TypeAlias = Annotated[
    Path, typer.Option(help="With --wait: the folder that gets the reports.")
]
SubmitNoCache: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--no-cache", help="A run of its own that asks the candidates for every answer again."
    ),
]


def command(
    input_files: SubmitInputs = None,
    columns: Map = None,
    join: Join = None,
    name_a: NameA = "",
    name_b: NameB = "",
    recipes: SubmitRecipes = None,
    stage: StageOption = "dev",
    wait: SubmitWait = False,
    out: SubmitOut = Path("out"),
    no_cache: SubmitNoCache = False,
    trigger: TriggeredBy = "",
    as_json: AsJson = False,
) -> None:
    """Start runs in a deployed stage, and with --wait fetch their reports.

    Every file, recipe and budget is checked before anything is uploaded. Exits with 0, or with 3
    where something is wrong or an execution failed.

    Examples:

      nova-judge submit questions.jsonl --recipe pairwise --wait

      nova-judge submit easy.jsonl hard.jsonl --recipe pairwise --recipe rubric

      nova-judge submit s3://BUCKET/inbox/pairwise/questions.jsonl --recipe my.yaml --stage prod

      nova-judge submit --recipe benchmark-mmlu --wait --out out/mmlu

      nova-judge submit questions.jsonl --recipe checkpoint --trigger sft-17
    """
    console = stage_console(stage, stderr=as_json)
    with refusals_explained(stage), contextlib.ExitStack() as files:
        place = submissions.deployed(stage)
        how = _How(no_cache, trigger_of(trigger) if trigger else None)
        asked = [
            _asked(files, place, file, name, columns, join, names_of(name_a, name_b), how)
            for file in input_files or (None,)
            for name in recipes or ["pairwise"]
        ]
        with contextlib.redirect_stdout(sys.stderr if as_json else sys.stdout):
            entries = read_index(place.bucket)
            for one in asked:
                _check(console, place, one, entries)
        started = [_start(console, place, one) for one in asked]
        if as_json:
            print_json({"stage": stage, "runs": [one.as_document(place) for one in started]})
        if wait:
            wait_for_all(console, place, started, out)


class _How(NamedTuple):
    """What an execution is given beside recipe and input; an upload cannot say it."""

    no_cache: bool = False
    trigger: Trigger | None = None


class _Asked(NamedTuple):
    """Input of an evaluation: `uri` in the bucket, or `file`, whose JSON Lines are `lines`."""

    reference: str
    recipe: Recipe
    uri: str | None
    file: Path | None
    lines: Path | None
    how: _How
    names: dict[str, str]


def _asked(
    files: contextlib.ExitStack,
    place: Deployed,
    input_file: str | None,
    recipe: str,
    columns: Sequence[str] | None,
    join: Path | None,
    names: dict[str, str],
    how: _How,
) -> _Asked:
    there = input_file is not None and input_file.startswith("s3://")
    if there and (columns or join):
        raise InputFileError(f"{input_file}: --map and --join are for a file of this machine")
    file = Path(input_file) if input_file is not None and not there else None
    is_file = Path(recipe).suffix in {".yaml", ".yml"}
    trigger = how.trigger
    read = read_recipe(recipe, trigger) if is_file else recipe_in(place.bucket, recipe, trigger)
    require_named(trigger, read)
    lines = files.enter_context(source(file, read, columns, join))
    return _Asked(recipe, read, input_file if there else None, file, lines, how, names)


def _check(console: Console, place: Deployed, asked: _Asked, entries: Sequence[IndexEntry]) -> None:
    """Print what a run would cost, at the speed of the stage's runs; raises where it is refused.

    The budget is held against what the run itself will estimate, which knows no other runs.
    """
    read = asked.recipe
    if (asked.uri or asked.file) and not kind_of(read.kind).needs_file(read):
        left_out = asked.uri or asked.file
        raise InputFileError(f"recipe {read.name} brings its own questions: leave {left_out} out")
    workload = _in_bucket(asked.uri, place, read) if asked.uri else _on_disk(asked)
    if workload is None:
        console.print("The run reads the file, and estimates its cost before anything is paid for.")
        return
    measured = estimate.measured_by(entries, read)
    estimate.show(console, read, estimate_run(read, workload, measured))
    check_budget(read, estimate_run(read, workload))


def _start(console: Console, place: Deployed, asked: _Asked) -> Started:
    if Path(asked.reference).is_file():
        key = f"{RECIPES}{asked.recipe.name}.yaml"
        text = alone(Path(asked.reference).read_text("utf-8"), asked.recipe)
        s3.write(place.bucket, key, text.encode(), "application/yaml")
        console.print(f"Recipe:    s3://{place.bucket}/{key}", soft_wrap=True)
    started = _begin(place, asked)
    console.print(f"Execution: {started.arn}", soft_wrap=True)
    console.print(f"Console:   {submissions.console_link(started.arn)}", soft_wrap=True)
    return started


def _begin(place: Deployed, asked: _Asked) -> Started:
    read, lines = asked.recipe, asked.lines
    if lines is not None and asked.how == _How():
        sent = _upload(lines, place.bucket, f"{INBOX}{read.name}/{lines.name}", asked.names)
        return Started(submissions.started_by(sent, place.machine), sent, read)
    item = _object(asked.uri, place) if asked.uri else None
    if lines is not None:
        # Its upload starts no run, which would know no more than the file.
        item = _upload(lines, place.bucket, f"{UNSTARTED}{lines.name}", asked.names)
    no_cache, trigger = asked.how
    wanted: dict[str, object] = {"recipe": read.name, "no_cache": no_cache}
    wanted |= {"input": item.uri} if item else {}
    wanted |= {"trigger": msgspec.to_builtins(trigger)} if trigger else {}
    return Started(submissions.start(place.machine, wanted), item, read, no_cache, trigger)


def _on_disk(asked: _Asked) -> Workload:
    """Read every line of a file and give the work that it asks of a run."""
    lines, file = asked.lines, asked.file
    if lines is not None and file is not None:
        if lines.name.startswith("."):
            raise InputFileError(f"{file}: hidden files start no run: rename it")
        validate.require_usable(asked.recipe, file, validate.check(lines, asked.recipe, name=file))
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
    with progress_bar(TransferSpeedColumn()) as progress:
        task = progress.add_task(f"uploading {escape(file.name)}", total=file.stat().st_size)
        return submissions.upload(
            file, bucket, key, names, lambda size: progress.advance(task, size)
        )
