"""The emulated AWS account as a process of its own: `python -m nova_judge_local.engine.server`.

Reads its settings as one line of JSON from standard input, writes `{"port": …}` to standard output
when it serves, and ends when standard input ends: it cannot outlive the process that started it.
"""

import asyncio
import os
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import orjson
from hypercorn.asyncio import serve
from hypercorn.config import Config

from nova_judge_local.emulator_settings import KEPT_ANSWERS, LOOPBACK, Start, answering
from nova_judge_local.engine import clients, late_services
from nova_judge_local.engine.function_processes import POSSIBLE, Forks

if TYPE_CHECKING:
    from nova_judge_local.engine.emulated_account import Account


def main() -> None:
    """Serve until standard input ends."""
    start = msgspec.json.decode(sys.stdin.buffer.readline(), type=Start)
    listener = socket.create_server((LOOPBACK, 0))
    port = listener.getsockname()[1]
    os.environ.update(_environment(start, port))
    # It imports what functions need while we import the engine.
    forks = Forks(start.settings.forks) if POSSIBLE else None
    late_services.install()
    from nova_judge_local.engine.emulated_account import Account  # noqa: PLC0415 (reads the environment)

    account = Account(start.settings, Path(start.folder), f"http://{LOOPBACK}:{port}", forks)
    asyncio.run(_serve(account, listener))


async def _serve(account: "Account", listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.loglevel = "WARNING"

    def follow_parent() -> None:
        with suppress(BrokenPipeError):  # the parent is gone already
            sys.stdout.buffer.write(orjson.dumps({"port": port}) + b"\n")
            sys.stdout.buffer.flush()
        sys.stdin.buffer.read()
        account.stop()
        os._exit(0)  # calls that are under way would be waited for, until the functions are orphans

    threading.Thread(target=follow_parent, daemon=True).start()
    await serve(account.application, config, shutdown_trigger=asyncio.Event().wait)


def _environment(start: Start, port: int) -> dict[str, str]:
    """Environment of engine and functions. Nothing listens beyond loopback or looks for Docker."""
    settings = start.settings
    cache = settings.cache or start.folder
    return {
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,
        "MINISTACK_ACCOUNT_ID": settings.account,
        "MINISTACK_REGION": settings.region,
        "LAMBDA_EXECUTOR": "local",
        "AUTH": "true" if settings.enforce_iam else "false",
        "LOG_LEVEL": "WARNING",
        "POWERTOOLS_LOG_LEVEL": "INFO",  # functions log as they do on AWS
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": f"unix://{start.folder}/no-docker.sock",
        "TMPDIR": start.folder,
        "STATE_DIR": f"{start.folder}/state",
        "S3_DATA_DIR": f"{start.folder}/s3",
        "MPLCONFIGDIR": f"{cache}/matplotlib",
        "STAND_IN_ANSWERS": answering(settings.chat_server),
        "STAND_IN_ABSENT_FOR": ",".join(
            settings.own_bedrock.models if settings.own_bedrock else ()
        ),
        "STAND_IN_JUDGE": settings.judge.partition(":")[0],
        "STAND_IN_MODELS": "any" if settings.any_model else "",
        "STAND_IN_KEYS": orjson.dumps(settings.model_keys).decode(),
        "STAND_IN_KEPT": f"{settings.judge_calls.kept or start.folder}/{KEPT_ANSWERS}",
        **clients.environment(f"http://{LOOPBACK}:{port}", settings.region),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
    }


if __name__ == "__main__":
    main()
