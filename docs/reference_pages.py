"""Reference pages that are generated from code each time the site is built."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from iam_page import iam_page
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import nova_judge
from nova_judge.cli.main import COMMANDS, load_command, summary_of
from nova_judge.findings.metrics_record import Metrics
from nova_judge.recipe.recipe import Recipe
from stacks.config import StageConfig

REPOSITORY = Path(__file__).resolve().parent.parent
Schema = Mapping[str, Any]
_OTHERWISE = {"CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages before MkDocs looks for what the navigation names."""
    for place, content in PAGES.items():
        files.append(File.generated(config, place, content=content()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Carry along the files of the repository that a page links to, outside the docs too."""

    def carry(link: re.Match[str]) -> str:
        above, path = link.group(1), link.group(2)
        if path in _OTHERWISE:
            return f"]({above.removeprefix('../')}{_OTHERWISE[path]})"
        source = REPOSITORY / path
        if not source.is_file():
            return link.group()
        place = f"repository/{path}"
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, content=source.read_bytes()))
        return f"]({above.removeprefix('../')}{place})"

    return re.sub(r"\]\(((?:\.\./)+)([^)#]+)\)", carry, markdown)


def commands_page() -> str:
    """Every command with its arguments, options and examples, as `--help` shows them."""
    parts = ["# Commands", "Every command prints this with `--help`; `--json` is for programs.", ""]
    parts += [f"- [`{name}`](#{name}): {summary_of(name)}" for name in COMMANDS]
    for name in COMMANDS:
        parts += ["", *_command(name, load_command(name), 2)]
    return "\n".join(parts) + "\n"


def _command(name: str, command: Any, level: int) -> Iterator[str]:  # noqa: ANN401 - typer's own
    yield f"{'#' * level} {name}"
    yield ""
    text, _, examples = inspect.cleandoc(command.help or "").partition("Examples:")
    yield text.replace("\b\n", "").strip()
    yield ""
    subcommands = getattr(command, "commands", None)
    if subcommands:
        for inner, one in subcommands.items():
            yield from _command(f"{name} {inner}", one, level + 1)
        return
    options = [p for p in command.params if p.name != "help" and not getattr(p, "hidden", False)]
    arguments = [p.name.upper() for p in options if p.param_type_name == "argument"]
    yield f"```text\nnova-judge {' '.join([name, *arguments, '[OPTIONS]'])}\n```"
    yield ""
    if options:
        yield from _table(("option", "meaning", "default"), map(_option, options))
    if examples.strip():
        yield "```bash"
        yield from (line.strip() for line in examples.splitlines() if line.strip())
        yield "```"


def _option(option: Any) -> tuple[str, str, str]:  # noqa: ANN401 - typer's own
    names = ", ".join(option.opts) if option.param_type_name == "option" else option.name.upper()
    default = option.default
    shown = "" if default is None or default is False or callable(default) else f"`{default}`"
    return f"`{names}`", option.help or "", "required" if option.required else shown


def schema_page(title: str, opening: str, record: type[msgspec.Struct]) -> str:
    """A table per record: its fields, their types and defaults, and its docstring above them."""
    schema = msgspec.json.schema(record)
    definitions: dict[str, Schema] = schema["$defs"]
    first = schema["$ref"].rpartition("/")[2]
    names = [first, *sorted(name for name in definitions if name != first)]
    parts = [f"# {title}", "", opening]
    for name in names:
        definition = definitions[name]
        described = inspect.cleandoc(definition.get("description", ""))
        parts += ["", f"## {name}", "", described, ""]
        if "properties" not in definition:
            parts += [_type(definition), ""]
            continue
        required = definition.get("required", ())
        rows = (
            (f"`{key}`", _type(value), _default(value, key in required), _meaning(value))
            for key, value in definition["properties"].items()
        )
        parts += _table(("key", "type", "default", ""), rows)
    return "\n".join(parts) + "\n"


def _meaning(schema: Schema) -> str:
    """The description of a field, wherever in its type it stands."""
    inner = (_meaning(one) for one in schema.get("anyOf", ()))
    return str(schema.get("description") or next(filter(None, inner), ""))


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        items = schema.get("items") or schema.get("prefixItems")
        return f"list of {_type(items)}" if isinstance(items, dict) else "list"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"mapping to {_type(inner)}" if isinstance(inner, dict) else "mapping"
    bounds = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "maxLength")
    limits = [f"{_LIMITS[bound]} {schema[bound]}" for bound in bounds if bound in schema]
    return " ".join([{"null": "none", "string": "text"}.get(kind, kind), *limits])


_LIMITS = {
    "minimum": "≥",
    "exclusiveMinimum": ">",
    "maximum": "≤",
    "exclusiveMaximum": "<",
    "maxLength": "up to letters:",
}


def _default(schema: Schema, required: bool) -> str:
    if required:
        return "required"
    if "default" not in schema:
        return ""
    if isinstance(schema["default"], dict) and schema["default"]:
        return "its own defaults"
    return f"`{msgspec.json.encode(schema['default']).decode()}`"


def recipes_page() -> str:
    """The recipes that ship, whole."""
    parts = ["# Recipes that ship", "", "Copy one, change it, and upload it to `recipes/`.", ""]
    for file in sorted((REPOSITORY / "recipes").glob("*.yaml")):
        parts += [f"## {file.stem}", "", "```yaml", file.read_text("utf-8").strip(), "```", ""]
    return "\n".join(parts)


def notebook_page() -> str:
    """The notebook as a page: its words, and its code in blocks."""
    notebook = json.loads((REPOSITORY / "examples" / "two-stories.ipynb").read_text("utf-8"))
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    link = "[examples/two-stories.ipynb](../../examples/two-stories.ipynb)"
    parts.append(f"This page is the notebook {link}, which the tests execute.")
    return "\n\n".join(parts) + "\n"


def repository_file(name: str) -> str:
    """A page from the top of the repository; its links are read from there."""
    text = (REPOSITORY / name).read_text("utf-8")
    linked = re.sub(r"\]\((?![a-z]+:|#)", "](../", text).replace("](../docs/", "](")
    return linked.replace("](decisions)", "](decisions/index.md)")


def package_page() -> str:
    """What `import nova_judge as nj` brings, then the public functions of the other rooms."""
    parts = [
        "# Python",
        "",
        "`import nova_judge as nj` brings what stands first; [Python and notebooks](../python.md)"
        " shows it at work. Further down are the other public functions, by module;"
        " [those of the statistics](python-statistics.md) have a page of their own. What is not"
        " listed may change in any version.",
        "",
        "## nova_judge",
        "",
        *(_described(home, name) for name, home in nova_judge._HOMES.items()),
    ]
    rooms = sorted(path.parent.name for path in (REPOSITORY / "nova_judge").glob("*/__init__.py"))
    for room in rooms:
        parts += _room(room) if room != "statistics" else ()
    return "\n".join(parts) + "\n"


def statistics_page() -> str:
    """The public functions of the statistics."""
    opening = (
        "Pure functions of counts and rows. [Statistics](../statistics.md) says what they mean."
    )
    return "\n".join(["# Statistics in Python", "", opening, "", *_room("statistics")]) + "\n"


def _room(room: str) -> Iterator[str]:
    for file in sorted((REPOSITORY / "nova_judge" / room).glob("*.py")):
        name = f"nova_judge.{room}.{file.stem}"
        module = import_module(name)
        names = getattr(module, "__all__", ())
        if names:
            yield f"## {name}\n"
            yield from (_described(name, public) for public in names)


def _described(module: str, name: str) -> str:
    return f"::: {module}.{name}\n    options: {{heading_level: 3, show_root_full_path: false}}\n"


def decisions_page() -> str:
    """All decisions, each with its title."""
    parts = ["# Decisions", "", "Choices with a reason, oldest first.", ""]
    for file in sorted((REPOSITORY / "docs" / "decisions").glob("0*.md")):
        title = file.read_text("utf-8").partition("\n")[0].lstrip("# ")
        parts.append(f"- [{title}]({file.name})")
    return "\n".join(parts) + "\n"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | Any) -> Iterator[str]:  # noqa: ANN401
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        cells = (" ".join(cell.replace("|", "\\|").split()) for cell in row)
        yield f"| {' | '.join(cells)} |"
    yield ""


PAGES = {
    "reference/commands.md": commands_page,
    "reference/recipe.md": lambda: schema_page(
        "Recipe keys",
        "A recipe is one YAML file. Keys that it leaves out have the defaults below; an unknown key"
        " is refused with the nearest name. The files in [`recipes/`](../recipes.md) are complete"
        " examples.",
        Recipe,
    ),
    "reference/metrics.md": lambda: schema_page(
        "metrics.json",
        "The result of a run, for programs. The [JSON schema](../metrics.schema.json) says the same"
        " to a validator; `nova_judge.open(...).metrics` reads it as a typed record.",
        Metrics,
    ),
    "reference/stages.md": lambda: schema_page(
        "Stage settings",
        "A stage is one deployment. Its settings stand in `cdk.json`, below `stages`.",
        StageConfig,
    ),
    "reference/python.md": package_page,
    "reference/python-statistics.md": statistics_page,
    "reference/iam.md": iam_page,
    "tutorials/two-stories.md": notebook_page,
    "recipes.md": recipes_page,
    "decisions/index.md": decisions_page,
    "changes.md": lambda: repository_file("CHANGELOG.md"),
    "contributing.md": lambda: repository_file("CONTRIBUTING.md"),
}
"""Each generated page by its place in the site."""
