"""Resources of runs that score single answers, beside the judge's: scorers, and rights to call."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.settings import ScorerSettings
from nova_judge.folders import SCORERS
from nova_judge.kinds.nova import scorer_function_name
from stacks.config import StageConfig
from stacks.constructs.grants import allow, allow_events, allow_pass_role
from stacks.constructs.names import (
    bedrock_jobs,
    bedrock_models,
    colon_arn,
    pascal,
)
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.storage import Storage


class Scoring(Construct):
    """One function per file in `scorers/`, and the rights of the judge role and the machine."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: Storage,
        judge_role: iam.Role,
        machine: iam.IGrantable,
    ) -> None:
        super().__init__(scope, "Scoring")
        self._config, self._models = config, bedrock_models(cdk.Stack.of(self))
        for path in sorted(SCORERS.glob("*.py")):
            self._scorer(path, storage)
        self._allow_jobs(judge_role)
        self._allow_machine(machine, judge_role)

    def _scorer(self, path: Path, storage: Storage) -> None:
        """The function that AWS's container calls; it may do nothing but write its log."""
        function = PythonFunction(
            self,
            pascal(path.stem),
            module="score_answers",
            settings=ScorerSettings(**storage.settings(self._config), scorer=path.stem),
            config=self._config,
            description=f"Nova Judge: the scorer scorers/{path.name}",
        )
        # AWS finds reward functions by this prefix, and recipes name scorers by their file.
        function.resource.function_name = scorer_function_name(self._config.prefix, path.stem)

    def _allow_jobs(self, role: iam.Role) -> None:
        """A job may call this stage's scorers, and Bedrock's job the model that judges."""
        stack = cdk.Stack.of(self)
        named = scorer_function_name(self._config.prefix, "*")
        scorers = colon_arn(stack, "lambda", "function", named)
        batches = bedrock_jobs(stack, "model-invocation-job")
        allow(
            role,
            (["lambda:InvokeFunction"], [scorers, *self._config.scorer_functions]),
            (["bedrock:InvokeModel", "bedrock:GetInferenceProfile"], self._models),
            # Bedrock's judge asks the model in batches, in this role's name.
            (["bedrock:CreateModelInvocationJob"], [*self._models, batches]),
            (["bedrock:StopModelInvocationJob"], [batches]),
        )

    def _allow_machine(self, machine: iam.IGrantable, role: iam.Role) -> None:
        """The state machine starts Bedrock's jobs, looks at them, and tells when they are done."""
        stack = cdk.Stack.of(self)
        jobs = bedrock_jobs(stack, "evaluation-job")
        own = f"arn:{stack.partition}:bedrock:{stack.region}:{stack.account}"
        allow(
            machine,
            (["bedrock:CreateEvaluationJob"], [jobs, f"{own}:custom-model/*", *self._models]),
            (["bedrock:GetEvaluationJob", "bedrock:TagResource"], [jobs]),
        )
        allow_events(machine, stack)
        allow_pass_role(machine, role, "bedrock.amazonaws.com")
