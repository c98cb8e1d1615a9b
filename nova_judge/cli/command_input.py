"""The input file of a command: in any form, under any names, joined with another; read in view."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

from nova_judge.cli.terminal import Console
from nova_judge.inputs.input_file import opened
from nova_judge.kinds.recipes import read_recipe
from nova_judge.recipe.column_map import ColumnMap, fields_of, overlaid, parse_map
from nova_judge.recipe.recipe import Recipe
from nova_judge.recipe.trigger import require_named, trigger_of
from nova_judge.sources.answers_file import answer_files


def triggered_recipe(recipe: str, trigger: str) -> Recipe:
    """A recipe in which `trigger`, where it is not empty, stands for `$trigger`.

    Raises RecipeError, and RequestError where the recipe takes no such thing.
    """
    set_off = trigger_of(trigger) if trigger else None
    read = read_recipe(recipe, set_off)
    require_named(set_off, read)
    return read


@contextlib.contextmanager
def source(
    file: Path | None, recipe: Recipe | None, columns: Sequence[str] | None, join: Path | None
) -> Iterator[Path | None]:
    """The file as JSON Lines under our names; says on stderr what was understood on the way.

    Raises InputFileError, and RecipeError for a map that cannot be read.
    """
    if file is None:
        yield None
        return
    asked = parse_map(",".join(columns), ColumnMap) if columns else None
    named = () if asked is None else fields_of(asked)
    if asked is not None and recipe is not None:
        asked = overlaid(recipe.map, asked)
    answers = {side: file.parent / name for side, name in answer_files(recipe).items()}
    with opened(file, asked, join, named, answers) as lines:
        console = Console(stderr=True)
        for note in lines.notes:
            console.print(f"[dim]{escape(note)}[/]")
        yield lines.path


def first_bytes(file: Path, size: int) -> bytes:
    """The beginning of a file, `size` bytes of it at most."""
    with file.open("rb") as opened_file:
        return opened_file.read(size)


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A bar on stderr while something is read, uploaded or asked, with these columns behind it.

    It is gone when it ends.
    """
    shown = (TextColumn("{task.description}"), BarColumn(), *columns)
    return Progress(*shown, console=Console(stderr=True), transient=True)
