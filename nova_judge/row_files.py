"""Files of rows in Parquet: one file, or a folder of that name with the parts of very many rows."""

from pathlib import Path


def files_of(path: Path) -> list[str]:
    """The file itself, or those of a folder in the order of their names, for `read_parquet`."""
    return sorted(map(str, path.glob("*.parquet"))) if path.is_dir() else [str(path)]


def has_rows(path: Path) -> bool:
    """True if there is a file, or a folder with Parquet files."""
    return path.is_file() or (path.is_dir() and bool(files_of(path)))


def remove_rows(path: Path) -> None:
    """Remove the file, or the folder with its parts, before others take their place."""
    for file in files_of(path):
        Path(file).unlink(missing_ok=True)
    if path.is_dir():
        path.rmdir()


def bytes_of(path: Path) -> int:
    """The size of the file, or of all in the folder."""
    return sum(Path(file).stat().st_size for file in files_of(path))


def changed_at(path: Path) -> int:
    """The time in nanoseconds at which a file of them changed last."""
    return max(Path(file).stat().st_mtime_ns for file in files_of(path))
