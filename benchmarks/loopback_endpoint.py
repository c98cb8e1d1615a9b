"""A SageMaker endpoint with known slots on loopback: run as a process of its own.

    python benchmarks/loopback_endpoint.py '{"slots": 64, "latency_s": 0.1}'

prints the port it listens on. `POST …/invocations` answers as vLLM does, after a latency that hangs
on the prompt alone; `GET /counters` says what happened. It ends when its standard input closes.
"""

import asyncio
import hashlib
import random
import sys
from collections import Counter
from collections.abc import Callable

import msgspec

CODES = {
    400: "ValidationError",
    424: "ModelError",
    429: "ThrottlingException",
    503: "ServiceUnavailable",
    530: "InternalDependencyException",
}


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the endpoint does. Seconds; a share is of the calls.

    At most `slots` calls are served at once. `caps` are steps `(since, cap)` in seconds after the
    first call: a call above the cap is refused with 429; below it, calls wait for a slot. With a
    `rate`, a bucket of `burst` tokens fills by so many per second, of which `others` take their
    part first; a call that finds none is refused with 429, as Bedrock's quotas are. `faults` name
    what happens to a share `failing` of the calls: a status, or `hang`, `break`, `cut`.
    Without `codes` a refusal has its status and no AWS error code, as a model server's own has.
    """

    slots: int = 64
    latency_s: float = 0.1
    spread: float = 0.5
    caps: tuple[tuple[float, int], ...] = ()
    rate: float = 0.0
    burst: float = 0.0
    others: float = 0.0
    failing: float = 0.0
    faults: tuple[int | str, ...] = ()
    hang_s: float = 3600.0
    refusal_s: float = 0.001
    codes: bool = True
    seed: int = 0


class Endpoint:
    """Serves calls and counts them."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.slots = asyncio.Semaphore(behaviour.slots)
        self.chance = random.Random(behaviour.seed)  # noqa: S311
        self.active = 0
        self.begun: float | None = None
        self.tokens, self.filled = behaviour.burst, 0.0
        self.calls: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()

    def latency(self, prompt: str) -> float:
        """Seconds between (1 - spread) and (1 + spread) times the mean, fixed by the prompt."""
        share = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4]) / 2**32
        spread = self.behaviour.spread
        return self.behaviour.latency_s * (1 - spread + 2 * spread * share)

    def cap(self) -> float:
        """The cap that holds now."""
        now = asyncio.get_running_loop().time()
        self.begun = self.begun or now
        reached = [cap for since, cap in self.behaviour.caps if since <= now - self.begun]
        return reached[-1] if reached else float("inf")

    def has_token(self) -> bool:
        """Take a token of the bucket, if there is a bucket and it holds one."""
        settings = self.behaviour
        if not settings.rate:
            return True
        now = asyncio.get_running_loop().time()
        left = self.tokens + (now - (self.filled or now)) * (settings.rate - settings.others)
        self.tokens, self.filled = min(settings.burst, left), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    async def reply(self, body: bytes, write: Callable[[bytes], None]) -> bool:
        """Answer one call; False where the connection must be closed."""
        fault = self.fault()
        if fault is not None:
            return await self.fail(fault, write)
        if self.active >= self.cap() or not self.has_token():
            return await self.fail(429, write)
        prompt = msgspec.json.decode(body)["messages"][-1]["content"]
        self.active += 1
        try:
            async with self.slots:
                await asyncio.sleep(self.latency(prompt))
        finally:
            self.active -= 1
        self.calls["answered"] += 1
        self.answered[prompt] += 1
        write(_response(200, _chat(prompt)))
        return True

    def fault(self) -> int | str | None:
        """What goes wrong with this call, if anything."""
        if self.chance.random() >= self.behaviour.failing:
            return None
        return self.chance.choice(self.behaviour.faults)

    async def fail(self, fault: int | str, write: Callable[[bytes], None]) -> bool:
        """Fail one call in the given way."""
        self.calls[str(fault)] += 1
        await asyncio.sleep(self.behaviour.refusal_s)
        if isinstance(fault, int):
            write(
                _response(
                    fault,
                    b'{"Message": "as asked"}',
                    code=CODES[fault] if self.behaviour.codes else "",
                )
            )
            return True
        if fault == "cut":
            whole = _response(200, _chat("cut"))
            write(whole[:-10])
        elif fault == "hang":
            await asyncio.sleep(self.behaviour.hang_s)
        return False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive."""
        try:
            while await self.exchange(reader, writer):
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass  # the client is gone, or the endpoint ends
        finally:
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its reply."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if head.startswith(b"get "):
            counters = {"calls": self.calls, "answered": self.answered}
            writer.write(_response(200, msgspec.json.encode(counters)))
            return True
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if b"expect: 100-continue" in head:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(length)
        self.calls["all"] += 1
        return await self.reply(body, writer.write)


def answer_to(prompt: str) -> str:
    """What the endpoint answers."""
    return f"answer {hashlib.sha256(prompt.encode()).hexdigest()[:12]}"


def _chat(prompt: str) -> bytes:
    choice = {
        "message": {"role": "assistant", "content": answer_to(prompt)},
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": 2}
    return msgspec.json.encode({"choices": [choice], "usage": usage})


def _response(status: int, body: bytes, code: str = "") -> bytes:
    error = f"x-amzn-errortype: {code}\r\n" if code else ""
    head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\n{error}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def main(behaviour: Behaviour) -> None:
    """Serve until standard input closes."""
    server = await asyncio.start_server(Endpoint(behaviour).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(sys.argv[1], type=Behaviour)))
