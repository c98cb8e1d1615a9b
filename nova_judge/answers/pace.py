"""Find answers so slow that calls may be queueing for them."""

SLOWER = 2.0
"""How often the best time a token may pass before an answer counts as slow."""


class Pace:
    """The best pace one endpoint was seen at, and what is slow beside it. Seconds.

    A server that queues shows as more seconds per token than it can do; a model that is slow, or an
    answer that is long, does not. Where tokens are not stated, an answer counts as one.
    """

    def __init__(self, slow_s: float) -> None:
        self._slow_s = slow_s
        self._best = float("inf")

    def is_slow(self, latency_s: float, tokens: int | None) -> bool:
        """True if an answer took over `slow_s`, and over twice the best time for its tokens."""
        pace = latency_s / (tokens or 1)
        self._best = min(self._best, pace)
        return latency_s > self._slow_s and pace > SLOWER * self._best
