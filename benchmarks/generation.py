"""How fast both candidates answer, and whether any row is lost, against endpoints with known slots.

    python benchmarks/generation.py [--json] [--scale 1.0]

Each line compares the time with rows x latency / slots, the least that any client can take. Beside
ours: the notebooks' sequential loop, and 64 threads on botocore's own retry modes.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from kept_objects import ObjectsInMemory
from loopback_endpoint import Behaviour, Endpoint
from rich.console import Console
from rich.table import Table

from nova_judge.answers.answer_store import AnswerJournal, ShardPlace
from nova_judge.answers.answers import Answer
from nova_judge.answers.generate import generate
from nova_judge.answers.lane import AnswerSource
from nova_judge.aws.model_ports import EndpointPort, config
from nova_judge.recipe.recipe import Generation
from nova_judge.sources.request_forms import ChatForm

THREADS = 64
CALL_TIMEOUT_S = 10.0


class Measured(NamedTuple):
    """One client in one scenario. Seconds; `ideal` is rows x latency / slots."""

    scenario: str
    client: str
    rows: int
    seconds: float
    ideal: float
    lost: int
    wasted: float

    @property
    def ratio(self) -> float:
        """The share of the ideal rate, of the rows that were answered at all."""
        return self.ideal / self.seconds * (1 - self.lost / self.rows)


class Running(NamedTuple):
    """A loopback endpoint."""

    url: str

    def counters(self) -> dict[str, Any]:
        """What happened so far."""
        with urllib.request.urlopen(f"{self.url}/counters") as reply:  # noqa: S310 - loopback
            return msgspec.json.decode(reply.read())

    def wasted(self) -> float:
        """Calls that got no answer, as a share of those that did."""
        calls = self.counters()["calls"]
        return calls["all"] / max(1, calls.get("answered", 0)) - 1


@contextmanager
def endpoint(behaviour: Behaviour) -> Iterator[Running]:
    """A loopback endpoint in a process of its own."""
    script = Path(__file__).with_name("loopback_endpoint.py")
    command = [sys.executable, str(script), msgspec.json.encode(behaviour).decode()]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    try:
        yield Running(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.stdin.close()
        process.wait()


def client(url: str, settings: Config) -> Any:  # noqa: ANN401 - a boto3 client
    """A SageMaker runtime client that calls `url`."""
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - loopback checks nothing
        config=settings,
    )


def port(url: str) -> EndpointPort:
    """Our port on a loopback endpoint."""
    runtime = client(url, config(THREADS, CALL_TIMEOUT_S))
    return EndpointPort(runtime, "loopback", ChatForm("model", Generation()))


def ours(prompts: Sequence[str], urls: Sequence[str]) -> int:
    """Generate as the function does; returns the rows lost."""
    objects = ObjectsInMemory()
    sources = {
        candidate: AnswerSource(port(url), AnswerJournal(objects, candidate, ShardPlace("run", 0)))
        for candidate, url in zip("AB", urls, strict=False)
    }
    generated = generate(dict.fromkeys(sources, prompts), sources)
    rows = [row for outcomes in generated.outcomes.values() for row in outcomes]
    return sum(not isinstance(row, Answer) for row in rows)


def botocore_threads(mode: str, attempts: int) -> Callable[[Sequence[str], Sequence[str]], int]:
    """64 threads that leave retries to botocore."""

    def run(prompts: Sequence[str], urls: Sequence[str]) -> int:
        retries: Any = {"mode": mode, "total_max_attempts": attempts}
        runtime = client(urls[0], Config(retries=retries, max_pool_connections=THREADS))
        form = ChatForm("model", Generation())

        def answered(prompt: str) -> bool:
            body = msgspec.json.encode(form.request(prompt))
            try:
                reply = runtime.invoke_endpoint(
                    EndpointName="loopback", ContentType="application/json", Body=body
                )
                reply["Body"].read()
            except (ClientError, BotoCoreError):
                return False
            return True

        with ThreadPoolExecutor(THREADS) as threads:
            return sum(not done for done in threads.map(answered, prompts))

    return run


def sequential(prompts: Sequence[str], urls: Sequence[str]) -> int:
    """The notebooks' loop: one row after the other, one candidate after the other."""
    ports = [port(url) for url in urls]
    for prompt in prompts:
        for each in ports:
            each.ask(prompt)
    return 0


Client = Callable[[Sequence[str], Sequence[str]], int]


class Scenario(NamedTuple):
    """Endpoints, how many rows, the least seconds for them, and the clients to compare."""

    name: str
    endpoints: tuple[Behaviour, ...]
    rows: int
    ideal: Callable[[Sequence[str]], float]
    clients: dict[str, Client]


def latencies(behaviour: Behaviour, prompts: Sequence[str]) -> float:
    """The sum of the latencies, seconds."""
    served = Endpoint(behaviour)
    return sum(served.latency(prompt) for prompt in prompts)


def measure(scenario: Scenario, name: str) -> Measured:
    """Run one client in one scenario, on fresh endpoints."""
    rows = 10 if name == "sequential loop" else scenario.rows
    prompts = [f"question {n}: what is the capital of country {n}?" for n in range(rows)]
    first, *others = scenario.endpoints
    with endpoint(first) as a, endpoint(others[0] if others else first) as b:
        urls = [a.url, b.url][: len(scenario.endpoints)]
        started = time.perf_counter()
        lost = scenario.clients[name](prompts, urls)
        seconds = time.perf_counter() - started
        wasted = a.wasted()
    return Measured(scenario.name, name, rows, seconds, scenario.ideal(prompts), lost, wasted)


def scenarios(scale: float) -> list[Scenario]:
    """Known slots, a hidden cap, and a cap that falls and rises again."""
    phase = 4.5 * scale
    known = (Behaviour(slots=64, latency_s=0.1), Behaviour(slots=64, latency_s=0.3))
    hidden = Behaviour(slots=1000, latency_s=0.1, caps=((0, 40),))
    moving = Behaviour(slots=1000, latency_s=0.1, caps=((0, 40), (phase, 15), (2 * phase, 40)))
    adaptive = {"botocore adaptive": botocore_threads("adaptive", 10)}
    standard = {"botocore standard": botocore_threads("standard", 10)}
    return [
        Scenario(
            "64 known slots each",
            known,
            int(7000 * scale),
            lambda prompts: max(latencies(each, prompts) / each.slots for each in known),
            {"ours": ours, "sequential loop": sequential},
        ),
        Scenario(
            "hidden cap of 40",
            (hidden,),
            int(3600 * scale),
            lambda prompts: latencies(hidden, prompts) / 40,
            {"ours": ours, **adaptive, **standard},
        ),
        Scenario(
            "the same, a plain 429",
            (msgspec.structs.replace(hidden, codes=False),),
            int(3600 * scale),
            lambda prompts: latencies(hidden, prompts) / 40,
            {"ours": ours, **adaptive, **standard},
        ),
        Scenario(
            "cap 40, 15, 40",
            (moving,),
            int(phase * 950),
            lambda prompts: soonest(moving.caps, latencies(moving, prompts)),
            {"ours": ours, **adaptive, **standard},
        ),
        *(by_chance(share, int(3000 * scale)) for share in (0.3, 0.6)),
        Scenario(
            "400 a second, others take 150",
            (msgspec.structs.replace(hidden, caps=(), rate=400, burst=100, others=150),),
            int(3000 * scale),
            lambda prompts: (len(prompts) - 100) / (400 - 150),
            {"ours": ours, **adaptive, **standard},
        ),
    ]


def by_chance(share: float, rows: int) -> Scenario:
    """Refusals that do not follow the load; the least seconds are those of the calls it takes."""
    refusing = Behaviour(slots=1000, latency_s=0.05, failing=share, faults=(429,))
    return Scenario(
        f"{share:.0%} refused by chance",
        (refusing,),
        rows,
        lambda prompts: latencies(refusing, prompts) / THREADS / (1 - share),
        {"ours": ours},
    )


def soonest(caps: Sequence[tuple[float, int]], work: float) -> float:
    """Seconds until `work` slot-seconds are done by slots that change in steps."""
    ends = [since for since, _ in caps[1:]] + [float("inf")]
    for (since, cap), end in zip(caps, ends, strict=True):
        if work <= cap * (end - since):
            return since + work / cap
        work -= cap * (end - since)
    raise AssertionError("the last step has no end")


def show(results: Sequence[Measured]) -> None:
    """Print the table."""
    table = Table(title="Generation against loopback endpoints")
    for column in ("scenario", "client", "rows", "s", "ideal s", "of ideal", "lost", "wasted"):
        table.add_column(column, justify="left" if column in {"scenario", "client"} else "right")
    for one in results:
        table.add_row(
            one.scenario,
            one.client,
            f"{one.rows:,}",
            f"{one.seconds:.1f}",
            f"{one.ideal:.1f}",
            f"{one.ratio:.1%}",
            f"{one.lost / one.rows:.1%}",
            f"{one.wasted:.2%}",
        )
    Console().print(table)


def main() -> None:
    """Measure every client in every scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--scale", type=float, default=1.0, help="longer or shorter runs")
    arguments = parser.parse_args()
    results = [
        measure(scenario, name)
        for scenario in scenarios(arguments.scale)
        for name in scenario.clients
    ]
    if arguments.json:
        rows = [{**one._asdict(), "of_ideal": one.ratio} for one in results]
        print(json.dumps({"benchmark": "generation", "results": rows}))
    else:
        show(results)


if __name__ == "__main__":
    main()
