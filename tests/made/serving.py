"""A server of the standard library in a thread, up while a block runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import TypeVar

Server = TypeVar("Server", bound=HTTPServer)


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve until the block ends, which takes no half second; no connection waits for a second."""
    with server:
        server.socket.listen(128)  # a lane may open that many at once
        how = {"poll_interval": 0.01}
        thread = threading.Thread(target=server.serve_forever, kwargs=how, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
