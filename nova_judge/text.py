"""Text that UTF-8 can hold."""


def storable(text: str) -> str:
    """`text` with U+FFFD for each lone surrogate, which JSON may hold and UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
