"""Figures that nobody looks at: our code draws, Matplotlib, half a second a report, does not."""

from collections.abc import Callable
from typing import IO

from matplotlib.figure import Figure


class Axes:
    """Takes whatever is drawn; each part of it, and what is reckoned with its sizes, does too."""

    def _itself(self, *_: object, **__: object) -> "Axes":
        return self

    __getattr__ = __getitem__ = __call__ = _itself
    __rmul__ = __truediv__ = __neg__ = _itself


def savefig(_: Figure, file: IO[bytes], **__: object) -> None:
    """Stands in for `Figure.savefig`."""
    file.write(b"not drawn")


def undraw(patch: Callable[[object, str, object], None] = setattr) -> None:
    """Have figures built without axes and texts of Matplotlib's, and saved without drawing."""
    axes = Axes()
    patch(Figure, "savefig", savefig)
    for name in ("add_subplot", "add_axes", "text"):
        patch(Figure, name, lambda *_, **__: axes)
