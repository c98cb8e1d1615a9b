"""A store of answers in memory, so that a benchmark does not measure the disk."""


class ObjectsInMemory(dict[str, bytes]):
    """`answer_store.Objects` in a dict."""

    def keys(self, prefix: str = "") -> list[str]:  # type: ignore[override]
        """All keys that begin with `prefix`, sorted."""
        return sorted(key for key in self if key.startswith(prefix))

    def folders(self, prefix: str) -> list[str]:
        """The next part of all keys that begin with `prefix`, sorted."""
        return sorted({key.removeprefix(prefix).split("/")[0] for key in self.keys(prefix)})

    read = dict.__getitem__
    write = dict.__setitem__
