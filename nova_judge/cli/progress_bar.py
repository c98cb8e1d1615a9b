"""The bar that commands show on stderr while they read, upload or ask."""

from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

from nova_judge.cli.terminal import Console


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A bar with these columns behind it, gone when it ends."""
    shown = (TextColumn("{task.description}"), BarColumn(), *columns)
    return Progress(*shown, console=Console(stderr=True), transient=True)
