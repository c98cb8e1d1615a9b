"""The `--map` that would read a file of another tool, from the names and values of its columns."""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from nova_judge.inputs.column_names import names, plain_name, words_of
from nova_judge.inputs.columns import ConversationTurn, RowColumns, turns_of
from nova_judge.recipe.column_map import as_option

_DEPTH = 5
_SIDES = ("response_A", "response_B")
_NO_TEXT: Final = re.compile(
    r"(?:^|[\W_])(?:id|uuid|model|name|type|url|path|role)$", re.IGNORECASE
)


class Leaf(NamedTuple):
    """One text inside a row: the path to it, the text, and the turns where it is a conversation."""

    path: str
    text: str
    turns: tuple[ConversationTurn, ...] = ()


def leaves_of(value: object, path: str, depth: int = _DEPTH) -> Iterator[Leaf]:
    """Every text below a value; a conversation is one, a list stands for its first member."""
    if isinstance(value, str):
        yield Leaf(path, value)
    elif turns := turns_of(value):
        yield Leaf(path, " ".join(turn.text or "" for turn in turns), turns)
    elif depth and isinstance(value, Mapping):
        for name, part in value.items():
            yield from leaves_of(part, f"{path}.{name}", depth - 1)
    elif depth and isinstance(value, list) and value:
        yield from leaves_of(value[0], f"{path}.0", depth - 1)


def suggested(rows: Sequence[RowColumns], fields: Sequence[str], suspects: Sequence[str]) -> str:
    """Suggest the option that reads a file whose columns have other names."""
    own, columns = fields[0] == "query", rows[0].map
    leaves = _leaves(rows)
    named = _own_data(leaves) if own else _pairs(leaves)
    if not own and "response_A" not in named:
        lists = [name for name in suspects if not _covered(name, [named.get("reference", "")])]
        members = _members(rows[0], lists)
        if _covered(_head(named.get("prompt", "")), members.values()):
            del named["prompt"]  # a text among the answers
        named |= members or _by_elimination(leaves, suspects, named)
    kept = {f: c for f in fields if (c := columns.path(f)) != f and c in leaves}
    changed = {field: path for field, path in named.items() if path != field} | kept
    if not named.get(fields[0]) or not (changed or suspects):
        return (
            f"Its columns are {', '.join(f'`{path}`' for path in list(leaves)[:20])}: say which is "
            f"which, for example {as_option(fields[0], 'COLUMN')}"
        )
    line = ",".join(f"{field}={path}" for field, path in changed.items())
    left = [name for name in suspects if not _covered(name, changed.values())]
    ignored = ",".join(f"ignore={name}" for name in left)
    yaml = ", ".join(f"{field}: {path}" for field, path in changed.items())
    advice = f"Read it with --map {shlex.quote(','.join(filter(None, (line, ignored))))}"
    if yaml:
        advice += f" (in a recipe: map: {{{yaml}}})"
    if not own and (single := _single(leaves, named, left)) is not None:
        if plain_name(single) in names().references and "reference" not in named:
            known = shlex.quote(f"{line},reference={single}".lstrip(","))
            advice += f", or, where `{single}` holds the right answers, with --map {known}"
        both = shlex.quote(f"{line},response_A={single},response_B=join.{single}".lstrip(","))
        advice += (
            f". `{single}` holds the answers of one model: to compare two, give the other file "
            f"too, as in --join OTHER --map {both}"
        )
        if models := _models(rows):
            advice += (
                f". Its rows are answers of {len(models)} models ({', '.join(models[:4])}): write "
                "the rows of each to a file of its own"
            )
    elif spare := [name for name in suspects if name != _head(named["prompt"])]:
        advice += f"; leave a column out with {as_option('ignore', spare[0])}"
    return advice


def _models(rows: Sequence[RowColumns]) -> list[str]:
    """The models that the rows name, where these are several, as promptfoo's providers are."""
    held: dict[str, dict[str, None]] = {}
    for row in rows:
        for name, value in row.values.items():
            for leaf in leaves_of(value, name):
                if plain_name(leaf.path) in names().models:
                    held.setdefault(leaf.path, {})[leaf.text] = None
    return next((list(values) for values in held.values() if len(values) > 1), [])


def _leaves(rows: Sequence[RowColumns]) -> dict[str, Leaf]:
    """The texts of the first rows by their path, in the order of the columns."""
    leaves: dict[str, Leaf] = {}
    for row in rows[:20]:
        for name, value in row.values.items():
            for leaf in leaves_of(value, name):
                if leaf.text.strip():
                    leaves.setdefault(leaf.path, leaf)
    return leaves


def _pairs(leaves: Mapping[str, Leaf]) -> dict[str, str]:
    named: dict[str, str] = {}
    if sides := two_sides(leaves):
        named["response_A"], named["response_B"] = sides
    taken = set(named.values())
    asking = {path: leaf for path, leaf in leaves.items() if not _is_of_answer(path)}
    prompt = _first(asking, names().questions, taken)
    if prompt is None and sides and leaves[sides[0]].turns:
        prompt = sides[0]
    if prompt is not None:
        named = {"prompt": _question_of(prompt, leaves[prompt]), **named}
        taken.add(prompt)
    single = _first(leaves, names().answers, taken) if "response_A" not in named else None
    taken |= {single} if single else set()
    reference = _first(leaves, names().references, taken)
    others = (path for path in leaves if path not in taken and _is_reference(path))
    if reference := reference or next(others, None):
        named["reference"] = reference
    if "context" in leaves and "prompt" in named:
        named["context"] = "context"
    return named


def _by_elimination(
    leaves: Mapping[str, Leaf], suspects: Sequence[str], named: Mapping[str, str]
) -> dict[str, str]:
    """Two columns that may hold answers and have no couple of known names: A and B as they stand.

    Where the file has one of ours, the only other is the other one.
    """
    taken = set(named.values())
    heads = set(map(_head, taken))
    left = [path for path in leaves if _head(path) in suspects and path not in taken]
    asked = leaves[named["prompt"]].text if named.get("prompt") in leaves else None
    left = [
        path
        for path in left
        if _says(leaves[path])
        and leaves[path].text != asked
        and _head(path) not in heads
        and not _is_reference(path)
        and plain_name(_last_name(path)) not in names().questions
    ]
    for ours, other in (("response_A", "response_B"), ("response_B", "response_A")):
        if ours in leaves and other not in leaves and len(left) == 1:
            return {ours: ours, other: left[0]}
    if len(left) != len(_SIDES) or any(side in leaves for side in _SIDES):
        return {}
    if leaves[left[0]].text == leaves[left[1]].text:
        return {}  # one answer, filtered and as it came
    return {"response_A": left[0], "response_B": left[1]}


def _members(row: RowColumns, suspects: Sequence[str]) -> dict[str, str]:
    """The first two members of the only list that may hold answers; turns of speakers are none."""
    held = {name: row.values.get(name) for name in suspects}
    lists = {name: list(value or ()) for name, value in held.items() if _alternatives(value)}
    if len(lists) != 1:
        return {}
    ((name, members),) = lists.items()
    paths = {
        side: next((leaf.path for leaf in leaves_of(part, f"{name}.{place}") if _says(leaf)), None)
        for place, (side, part) in enumerate(zip(_SIDES, members, strict=False))
    }
    return {side: path for side, path in paths.items() if path} if all(paths.values()) else {}


def _alternatives(value: object) -> bool:
    """True for a list of two answers and more."""
    if not isinstance(value, list) or len(value) < len(_SIDES):
        return False
    return not any(isinstance(part, Mapping) and {"role", "from"} & part.keys() for part in value)


def _says(leaf: Leaf) -> bool:
    """True for a text that may be an answer: not a speaker, an identifier or a model's name."""
    last = leaf.path.rpartition(".")[2]
    names_model = _names_model(last) or plain_name(last) in names().models
    return bool(leaf.text.strip()) and not names_model and not _NO_TEXT.search(leaf.path)


def _own_data(leaves: Mapping[str, Leaf]) -> dict[str, str]:
    named: dict[str, str] = {}
    if query := _first(leaves, ("query", *names().questions), set()):
        named["query"] = query
    if response := _first(
        leaves, ("response", *names().references, "output", "completion"), {query or ""}
    ):
        named["response"] = response
    return named


def _single(
    leaves: Mapping[str, Leaf], named: Mapping[str, str], left: Sequence[str]
) -> str | None:
    """The answers of one model: under a known name, or the only text of the columns `left`."""
    if "response_A" in named:
        return None
    if known := _first(leaves, names().answers, set(named.values())):
        return known
    texts = [path for path in leaves if _head(path) in left and _says(leaves[path])]
    return texts[0] if len(texts) == 1 else None


def _first(leaves: Mapping[str, Leaf], names: Sequence[str], taken: set[str]) -> str | None:
    """The first column with a known name, else the first whose path ends with one."""
    paths = [path for path in reversed(list(leaves)) if path not in taken]
    whole = {plain_name(path): path for path in paths}
    ends = {plain_name(path.rpartition(".")[2]): path for path in paths}
    return next((held[name] for held in (whole, ends) for name in names if name in held), None)


def two_sides(leaves: Mapping[str, Leaf]) -> tuple[str, str] | None:
    """Two columns whose names differ in a mark of the side only, or are a known couple."""
    paths = [path for path in leaves if not _NO_TEXT.search(path) and not _names_model(path)]
    by_name = {plain_name(path): path for path in paths}
    for couple in names().couples:
        if all(name in by_name for name in couple):
            return by_name[couple[0]], by_name[couple[1]]
    for first, second in names().sides:
        for path in paths:
            words = words_of(path)
            for place, word in enumerate(words):
                if word != first:
                    continue
                other = plain_name("".join([*words[:place], second, *words[place + 1 :]]))
                if other in by_name and by_name[other] != path:
                    return path, by_name[other]
    return None


def _is_reference(path: str) -> bool:
    """True if a column is called like a right answer."""
    return bool(names().reference_words & set(words_of(_last_name(path))))


def _is_of_answer(path: str) -> bool:
    """True if a path leads into what a model gave back."""
    heads = set(words_of(path.rpartition(".")[0]))
    return bool(heads & (names().answer_words | {"result", "results"}))


def _names_model(path: str) -> bool:
    """True if a column describes an answer, such as whose it is, without being one."""
    words = set(words_of(_last_name(path)))
    if words & (names().words_about_answers - {"model", "models"}):
        return True
    return bool(words & {"model", "models"}) and not words & names().answer_words


def _question_of(path: str, leaf: Leaf) -> str:
    """The path to the question: of a conversation with answers in it, its first turn."""
    turns = leaf.turns
    if not turns:
        return path
    users = [place for place, turn in enumerate(turns) if turn.role == "user"]
    if len(turns) - len(users) <= 1 and users == [len(turns) - 1]:
        return path
    return f"{path}.{users[0] if users else 0}.{turns[0].key}"


def _head(path: str) -> str:
    return path.partition(".")[0]


def _last_name(path: str) -> str:
    """The last step of a path that is a name: a place in a list is none."""
    steps = path.split(".")
    return next((step for step in reversed(steps) if not step.isdigit()), path)


def _covered(name: str, paths: Iterable[str]) -> bool:
    return any(_head(path) == name or path == name for path in paths)
