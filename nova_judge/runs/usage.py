"""What a run is asked for and what it uses, as quantities: the prices come later."""

from typing import NamedTuple

import msgspec

from nova_judge.recipe.token_price import TokenPrice
from nova_judge.records import Candidate


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What the input asks for. `exact` is False when `rows` is projected from the file's head.

    `prompt_characters` is the mean over the rows seen; `generated` names who has to answer.
    """

    rows: int
    prompt_characters: float = 0.0
    size: int = 0
    generated: tuple[Candidate, ...] = ()
    exact: bool = True


class InstanceTime(NamedTuple):
    """Instances that were up: `seconds` is what AWS bills for each of `instances`."""

    instance_type: str
    seconds: float
    instances: int = 1
    what: str = ""


class TokenUse(NamedTuple):
    """Tokens that one Bedrock model read and wrote; `price` is the recipe's, if it gives one."""

    model: str
    input_tokens: float
    output_tokens: float
    batch: bool = False
    price: TokenPrice | None = None


class JudgeUsage(NamedTuple):
    """What the jobs of a run will probably use. `unpriced`: jobs that our price list leaves out.

    `rests_on` says which assumptions stand behind the figures.
    """

    jobs: tuple[InstanceTime, ...] = ()
    bedrock: tuple[TokenUse, ...] = ()
    unpriced: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long all jobs on instances take, one after the other."""
        return sum(job.seconds for job in self.jobs)


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What a run used, as far as it is known. `unpriced`: jobs that our price list leaves out."""

    judge_jobs: tuple[InstanceTime, ...] = ()
    endpoints: tuple[InstanceTime, ...] = ()
    bedrock: tuple[TokenUse, ...] = ()
    unpriced: tuple[str, ...] = ()
    transitions: float = 0
    lambda_gb_seconds: float = 0
