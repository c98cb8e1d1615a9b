"""The Nova evaluation container's stand-in: `python -m nova_judge_local.container.entry --root …`.

Runs as a child process on a folder laid out like `/opt/ml`: reads hyperparameters, the recipe
channel and the train channel, and writes below `output/data` what the real container writes into
`output.tar.gz`. Failures are written to `output/failure`, as SageMaker expects it. Each task family
is a module with one function `run(job)`.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from nova_judge.errors import LocalModeError
from nova_judge.recipe.benchmarks import benchmarks
from nova_judge_local.container import benchmark_tasks, judge_tasks, own_data_tasks
from nova_judge_local.container.mounted_job import ContainerJob, Outside, read_job
from nova_judge_local.emulator_settings import CHAT_SERVER, ChatServer, JudgeCalls
from nova_judge_local.judges.model_answers import ModelUnderTest

TASKS: dict[str, Callable[[ContainerJob], None]] = {
    "llm_judge": judge_tasks.run,
    "rubric_llm_judge": judge_tasks.run,
    "gen_qa": own_data_tasks.run,
    "rft_eval": own_data_tasks.run_rewards,
    "inference_only": own_data_tasks.run_answers,
    "llmaj": own_data_tasks.run_judged,
    **dict.fromkeys(benchmarks(), benchmark_tasks.run),
}


def main() -> None:
    """Run the job; exits with 1 and a reason in `output/failure` when it cannot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--judge", default="reference")
    parser.add_argument("--knowledge", type=Path, default=None)
    parser.add_argument("--answers", type=Path, action="append", default=[])
    parser.add_argument("--account", default=None)
    parser.add_argument("--judge-calls", default="{}")
    asked = parser.parse_args()
    try:
        named = os.environ.get(CHAT_SERVER)
        server = None if named is None else msgspec.json.decode(named, type=ChatServer)
        calls = msgspec.json.decode(asked.judge_calls, type=JudgeCalls)
        model = ModelUnderTest(tuple(asked.answers), server)
        outside = Outside(asked.judge, asked.knowledge, model, asked.account, calls)
        job = read_job(asked.root, outside)
        if job.task not in TASKS:
            offered = ", ".join(sorted(TASKS))
            raise LocalModeError(
                f"Task {job.task!r} has no stand-in in local mode: {offered} have."
            )
        TASKS[job.task](job)
    except Exception as error:  # whatever it is, the job's owner must read it
        known_kind = isinstance(error, LocalModeError)
        reason = str(error) if known_kind else f"{type(error).__name__}: {error}"
        (asked.root / "output/failure").write_text(reason, "utf-8")
        sys.stderr.write(json.dumps({"failure": reason}) + "\n")
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
