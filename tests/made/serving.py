"""A server of the standard library in a thread, up while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import TypeVar

Server = TypeVar("Server", bound=BaseServer)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve until the block ends; it looks for its end so often that nobody waits for it."""
    with server:
        how = {"poll_interval": 0.01}
        thread = threading.Thread(target=server.serve_forever, kwargs=how, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
