"""`nova-judge judge-check`: how far a judge can be trusted, measured on labels."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import ryaml
import typer
from rich.markup import escape
from rich.progress import MofNCompleteColumn, TimeRemainingColumn
from rich.table import Table

from nova_judge.aws.place import missing_access_explained
from nova_judge.aws.ways import AwsWays
from nova_judge.cli.arguments import AsJson, Join, Map
from nova_judge.cli.command_input import progress_bar, source
from nova_judge.cli.terminal import Console, print_json, table
from nova_judge.errors import InputFileError, RecipeError
from nova_judge.findings.judge_reliability import CheckedJudge
from nova_judge.folders import DATA
from nova_judge.inputs.dataset import read_rows
from nova_judge.inputs.reading import FROM_FILE, reading_of
from nova_judge.kinds.recipes import file_beside, load_recipe, read_recipe
from nova_judge.recipe.recipe import Recipe
from nova_judge.records import InputRow, Verdict
from nova_judge.report.page import render
from nova_judge.sources.known_sources import source_of
from nova_judge.sources.openai_server import keys_of, typed_model
from nova_judge.statistics.win_rate import Interval
from nova_judge.steps.check_judge import JudgeAsking, ask_and_check, check_recorded
from nova_judge.text import count_of

SHIPPED = DATA / "judgebench.jsonl"
KEPT = Path(".nova-judge-kept")
RECORDED = "recorded:"
_FORMS = (
    "openai:URL#MODEL, bedrock:MODEL_ID, recorded:FILE (verdicts given elsewhere) or the YAML file "
    "of a recipe of kind model_judge"
)
_FILES = (".yaml", ".yml")


def command(
    judge: Annotated[list[str], typer.Option(help=f"{_FORMS.replace('[', chr(92) + '[')}.")],
    labels: Annotated[
        Path | None,
        typer.Option(help="Pairs of answers with a `label`. Default: 100 pairs of JudgeBench."),
    ] = None,
    prompt: Annotated[
        str | None,
        typer.Option(help="A prompt that ships, or a file, for judges without a recipe."),
    ] = None,
    rows: Annotated[int | None, typer.Option(min=2, help="The most labelled pairs.")] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, max=64, help="The most calls to a judge at once.")
    ] = 16,
    kept: Annotated[
        Path, typer.Option(help="The folder that keeps replies: nothing is asked twice.")
    ] = KEPT,
    out: Annotated[Path, typer.Option(help="The page that is written.")] = Path("judge-check.html"),
    columns: Map = None,
    join: Join = None,
    as_json: AsJson = False,
) -> None:
    """Measure how far judges can be trusted: accuracy, bias to position and length, consistency.

    Every pair is judged in both orders; 30 pairs are asked again, and 30 of one answer shown twice
    and 30 of an answer said twice are judged too. Bedrock is called with your own credentials.
    Recorded verdicts are found by `id`, and nothing is asked.

    Examples:

      nova-judge judge-check --judge openai:http://localhost:11434/v1#llama3.3

      nova-judge judge-check --judge bedrock:us.amazon.nova-pro-v1:0 --labels mine.jsonl

      nova-judge judge-check --judge strict.yaml --judge mild.yaml --out prompts.html
    """
    recipes = {one: _recipe(one, prompt) for one in judge if not one.startswith(RECORDED)}
    reading = next(iter(recipes.values()), None) or read_recipe("model-judge")
    pairs = _labelled(labels or SHIPPED, reading, columns, join)[:rows]
    check = partial(_check, pairs, kept / "judge-check.jsonl", concurrency)
    with missing_access_explained():
        checked = [check(one, recipes.get(one)) for one in judge]
    said = f"{len(pairs):,} labelled pairs of {'JudgeBench' if labels is None else labels.name}"
    page = render("judge_check.html.j2", judges=checked, labels=said)
    out.write_text(page, encoding="utf-8")
    if as_json:
        print_json(checked)
    else:
        Console().print(_table(checked))
        Console().print(escape(f"On {said}. Page: {out}"), soft_wrap=True)


def _check(
    rows: Sequence[InputRow], kept: Path, concurrency: int, spec: str, recipe: Recipe | None
) -> CheckedJudge:
    """One judge, asked by its recipe; without one, by its recorded verdicts.

    `kept`: the file of replies. An address that was typed may have a key.
    """
    if recipe is None:
        return check_recorded(Path(spec.removeprefix(RECORDED)), rows)
    typed = () if spec.endswith(_FILES) else ("judge.model",)
    with progress_bar(MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task(f"Ask {recipe.name}", total=None)
        asking = JudgeAsking(
            ways=AwsWays("", keys_of(recipe.judge.asked, os.environ, typed)),
            kept=kept,
            concurrency=concurrency,
            planned=lambda total: progress.update(task, total=total),
            answered=lambda: progress.advance(task),
        )
        return ask_and_check(recipe, rows, asking)


def _recipe(spec: str, prompt: str | None) -> Recipe:
    """The recipe that a judge names; raises RecipeError with the forms allowed."""
    if spec.endswith(_FILES):
        recipe = read_recipe(spec)
        if recipe.judge.model is None:
            raise RecipeError(f"{spec}: it has no judge.model; a judge is checked by itself")
        if source_of(recipe.judge.model).hosting(recipe.judge.model) is not None:
            raise RecipeError(
                f"{spec}: the judge has an endpoint only while a run of a stage asks it: submit a "
                "file with labels, and read the share of them in the report; or name the endpoint "
                "of the account that serves it"
            )
        return recipe
    model = typed_model(spec, os.environ)
    if model is None:
        raise RecipeError(f"--judge {spec}: names no judge; write {_FORMS}")
    judge: dict[str, Any] = {"model": model}
    if prompt is not None:
        judge["prompt"] = prompt
    file = f"--judge {spec}" if prompt is None else f"--judge {spec} --prompt {prompt}"
    text = ryaml.dumps({"name": spec, "kind": "model_judge", "judge": judge})
    return load_recipe(text, file=file, beside=file_beside("here.yaml"))


def _labelled(
    file: Path, recipe: Recipe, columns: Sequence[str] | None, join: Path | None
) -> list[InputRow]:
    """The pairs of a file that have a label; raises InputFileError where there is none."""
    with source(file, recipe, columns, join) as lines:
        content = (lines or file).read_bytes()
    rows = list(read_rows([content], len(content), FROM_FILE, reading_of(recipe)))
    labelled = [row for row in rows if isinstance(row, InputRow) and isinstance(row.label, Verdict)]
    if len(labelled) < 2:
        raise InputFileError(
            f"{file}: {len(labelled)} of {count_of(len(rows), 'line holds', 'lines hold')} a pair "
            'with a `label`; two or more are needed: {"prompt", "response_A", "response_B", '
            '"label": "A>B"}'
        )
    return labelled


def _table(judges: Sequence[CheckedJudge]) -> Table:
    prompts = ("prompt", *(judge.prompt for judge in judges))
    figures = ((name, *map(of, judges)) for name, of in _FIGURES.items())
    return table(("", *(escape(judge.name) for judge in judges)), (prompts, *figures))


def _share(of: Interval | None) -> str:
    return "none" if of is None else f"{of.estimate:.1%} [{of.low:.1%}, {of.high:.1%}]"


def _part(of: float | None) -> str:
    return "none" if of is None else f"{of:.1%}"


def _right(judge: CheckedJudge) -> str:
    return "no labels" if judge.agreement is None else _share(judge.agreement.intervals["summed"])


_FIGURES: dict[str, Callable[[CheckedJudge], str]] = {
    "judged": lambda judge: f"{judge.judged:,} of {judge.rows:,}",
    "right": _right,
    "first position": lambda judge: _part(judge.first_position),
    "orders contradict": lambda judge: _part(judge.flips),
    "wrong, for the longer to the shorter": lambda judge: (
        f"{judge.length.more} to {judge.length.less} (p = {judge.length.p_value:.2g})"
    ),
    "wrong, for more structure to less": lambda judge: (
        f"{judge.structure.more} to {judge.structure.less} (p = {judge.structure.p_value:.2g})"
    ),
    "same when asked again": lambda judge: _share(judge.same_again),
    "names a winner of one answer twice": lambda judge: _part(
        judge.same_answer.named if judge.same_answer else None
    ),
    "prefers an answer said twice": lambda judge: (
        f"{judge.padded.b} to {judge.padded.a}" if judge.padded else "none"
    ),
    "tokens of a pair": lambda judge: (
        f"{judge.input_tokens:,.0f} + {judge.output_tokens:,.0f}"
        if judge.input_tokens or judge.output_tokens
        else "not counted"
    ),
    "cost of 1,000 pairs": lambda judge: "not known" if judge.usd is None else f"${judge.usd:,.2f}",
}
