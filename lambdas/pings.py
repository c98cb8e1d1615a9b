"""A ping that every function answers before anything else: its code and its layer import."""

import functools
from collections.abc import Callable
from typing import Any

from nova_judge import __version__

PING = {"ping": "nova-judge"}
"""The event of a ping; no service and no state machine sends such a one."""

Handler = Callable[..., Any]


def answers_pings(handler: Handler) -> Handler:
    """Let a handler answer a ping with its version; every other event is its own."""

    @functools.wraps(handler)
    def answer(event: object, context: object) -> object:
        if event == PING:
            return {"pong": __version__}
        return handler(event, context)

    return answer
