"""The work and the usage of a run as quantities; prices come later."""

from typing import NamedTuple

import msgspec

from nova_judge.recipe.asked_model import TokenPrice

UNKNOWN = "instance type not known yet"


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The work that the input asks for. `exact` is False when `rows` is projected from its head.

    `prompt_characters` is the mean over the rows seen; `generated` names who has to answer.
    """

    rows: int
    prompt_characters: float = 0.0
    size: int = 0
    generated: tuple[str, ...] = ()
    exact: bool = True


class InstanceTime(NamedTuple):
    """Instances that were up: `seconds` is what AWS bills for each of `instances`."""

    instance_type: str
    seconds: float
    instances: int = 1
    what: str = ""


class TokenUse(NamedTuple):
    """Tokens that a model read and wrote; `price` is the recipe's, if it gives one.

    `source` is the key that names the model in the recipe.
    """

    model: str
    input_tokens: float
    output_tokens: float
    batch: bool = False
    price: TokenPrice | None = None
    source: str = "bedrock"


class JudgeUsage(NamedTuple):
    """The expected usage of a run's jobs. `unpriced`: jobs that our price list leaves out.

    `calls_s`: seconds of a judge that is asked by calls, `endpoints`: those that it is asked on.
    `rests_on` says which assumptions stand behind the figures.
    """

    jobs: tuple[InstanceTime, ...] = ()
    endpoints: tuple[InstanceTime, ...] = ()
    bedrock: tuple[TokenUse, ...] = ()
    unpriced: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    calls_s: float = 0.0

    @property
    def seconds(self) -> float:
        """The time of all jobs, one after the other."""
        return sum(job.seconds for job in self.jobs) + self.calls_s


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """The usage of a run, as far as known. `unpriced`: jobs that our price list leaves out."""

    judge_jobs: tuple[InstanceTime, ...] = ()
    endpoints: tuple[InstanceTime, ...] = ()
    bedrock: tuple[TokenUse, ...] = ()
    unpriced: tuple[str, ...] = ()
    transitions: float = 0
    lambda_gb_seconds: float = 0
