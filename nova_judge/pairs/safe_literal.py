"""Reads a Python dict written out as text: a literal, numpy's scalars in it, and nothing else."""

import ast
import math
import re
import warnings
from typing import Any, TypeAlias

from nova_judge.records import Unscored

RowMetrics: TypeAlias = dict[str, Any]

STRING = r"""(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")"""
"""The pattern of a string literal."""

_STRING_OR_OPEN = re.compile(rf"{STRING}|['\"][\s\S]*+")
_NUMPY_SCALARS = {"float64", "float32", "int64", "int32", "bool_", "bool", "str_"}
_NAMES = {
    **{"nan": math.nan, "inf": math.inf},
    **{"NaN": math.nan, "Infinity": math.inf, "null": None, "true": True, "false": False},  # JSON's
}

_PLAIN_LIMIT = 1 << 18  # characters: below this, no text makes the parser's tree dangerous
_TEXT_LIMIT = 1 << 24
_SKELETON_LIMIT = 1 << 16  # characters outside string literals

TOO_LONG = Unscored("the metrics of the row are too long to be a judge's")
NOT_A_DICT = Unscored("the metrics of the row are not a readable dict")


def read_safe(text: str) -> RowMetrics | Unscored:
    """The dict that `text` spells, read as a literal and nothing else; never raises."""
    if len(text) > _PLAIN_LIMIT and not _is_mostly_strings(text):
        return TOO_LONG
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd escapes in a hostile text are not our warning
            tree = ast.parse(text.strip(" \t\n\r"), mode="eval")
            value = ast.literal_eval(_Literals().visit(tree.body))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return NOT_A_DICT
    return value if isinstance(value, dict) else NOT_A_DICT


def _is_mostly_strings(text: str) -> bool:
    """True if a long text is string content: its tree is then small, however long the strings.

    Triple quotes would let code pass for a string here, and `repr` of a dict seldom writes them.
    """
    if len(text) > _TEXT_LIMIT or "'''" in text or '"""' in text:
        return False
    return len(_STRING_OR_OPEN.sub("", text)) <= _SKELETON_LIMIT


class _Literals(ast.NodeTransformer):
    """Replaces numpy scalars and `nan` by plain numbers; a dict with a key twice is refused."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = node.func
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id in ("np", "numpy")
            and function.attr in _NUMPY_SCALARS
            and len(node.args) == 1
            and not node.keywords
        ):
            return self.visit(node.args[0])  # type: ignore[no-any-return]
        raise ValueError("a call is not a literal")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Constant(_NAMES[node.id]) if node.id in _NAMES else node

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        if len(set(keys)) != len(node.keys):
            raise ValueError("a key stands twice, or is not a constant")
        return self.generic_visit(node)
