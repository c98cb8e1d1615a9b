"""The notebook in `examples/` runs from top to bottom and says what its texts promise."""

import ast
import contextlib
import io
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOK = ROOT / "examples" / "two-stories.ipynb"


def run_cell(source: str, names: dict[str, object]) -> object:
    """Run a cell as IPython does: the value of its last expression is what it shows."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)  # noqa: S102 (our own notebook)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307


@pytest.mark.slow
@pytest.mark.drawn
def test_both_stories_run(quick_accounts, tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    printed, names = io.StringIO(), {"__name__": "__main__"}
    with contextlib.redirect_stdout(printed):
        shown = [run_cell(cell, names) for cell in cells]
    figures = [value for value in shown if hasattr(value, "_repr_png_")]
    assert len(figures) == 3
    assert all(figure._repr_png_().startswith(b"\x89PNG") for figure in figures)
    headings = [figure.texts[0].get_text() for figure in figures]
    assert headings[0].startswith("B is better: Both orders name B on 33 and A on 13 of 54 rows")
    assert [heading.split(":")[0] for heading in headings[1:]] == ["Inconclusive"] * 2
    tables = [value for value in shown if hasattr(value, "columns")]
    assert [len(table) for table in tables] == [3]
    assert "PASS - win rate of B 68.5 %" in printed.getvalue()
    assert "accuracy" in printed.getvalue()


def test_the_notebook_is_kept_without_output():
    notebook = json.loads(NOTEBOOK.read_text("utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 4)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
