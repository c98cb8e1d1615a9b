"""Evaluation: the state machine, the functions behind its states and the rule that starts it."""

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import EndpointSettings
from nova_judge import __version__
from nova_judge.layout import ANSWERS, RECIPES, RUNS, UNSTARTED
from stacks.config import StageConfig
from stacks.constructs.endpoint_watchdog import EndpointWatchdog
from stacks.constructs.evaluation_functions import RELEASING, EvaluationFunctions
from stacks.constructs.evaluation_machine import evaluation_machine
from stacks.constructs.judge_role import judge_role
from stacks.constructs.observation import Observation, dead_letter_queue
from stacks.constructs.own_weights import OwnWeights
from stacks.constructs.scoring import Scoring
from stacks.constructs.storage import Storage
from stacks.constructs.triggers import Triggers, described

NO_INPUT = (
    *(f"{folder}*" for folder in (ANSWERS, RECIPES, RUNS, UNSTARTED)),
    # What consoles, file managers and Spark leave beside data: markers of folders, hidden files.
    *("*/", "*/.*", "*/_temporary/*"),
)
"""The objects of which nothing starts. EventBridge cannot join "below inbox/" to these, and takes
only so many wildcards: the state machine's first state looks at the rest."""


class EvaluationStack(cdk.Stack):
    """Per run: nothing here costs anything while no run is under way."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: StageConfig,
        storage: Storage,
        endpoint_configs: Mapping[str, Mapping[str, str]],
        reports: sns.ITopic,
    ) -> None:
        super().__init__(
            scope, construct_id, description="Nova Judge: the evaluation state machine"
        )
        self._config, self._storage = config, storage
        self.judge_role = judge_role(self, data_bucket=storage.data_bucket, config=config)
        self._weights = OwnWeights(self, config=config, storage=storage) if config.serves else None
        serving = self._serving_settings(endpoint_configs)
        self.functions = EvaluationFunctions(
            self,
            config=config,
            storage=storage,
            judge_role=self.judge_role,
            serving=serving,
            reports=reports,
        ).by_state
        self.machine = evaluation_machine(
            self,
            config=config,
            storage=storage,
            functions=self.functions,
            judge_role=self.judge_role,
        )
        Scoring(
            self,
            config=config,
            storage=storage,
            judge_role=self.judge_role,
            machine=self.machine,
        )
        dead_letters = dead_letter_queue(self, "StartDeadLetters", tell=reports)
        self._start_on_upload(dead_letters)
        self._clean_up_after_abort(dead_letters)
        self._watch(serving, dead_letters)
        self._start_by_triggers(dead_letters)
        Observation(
            self, config=config, machine=self.machine, dead_letters=dead_letters, reports=reports
        )
        cdk.CfnOutput(self, "StateMachineArn", value=self.machine.state_machine_arn)
        cdk.CfnOutput(self, "JudgeRoleArn", value=self.judge_role.role_arn)
        cdk.CfnOutput(self, "Version", value=__version__)

    def _serving_settings(self, configs: Mapping[str, Mapping[str, str]]) -> EndpointSettings:
        vpc = self._config.vpc
        return EndpointSettings(
            **self._storage.settings(self._config),
            job_prefix=self._config.prefix,
            endpoints=json.dumps(configs),
            endpoint_life=self._config.endpoints,
            weights_role_arn=self._weights.role.role_arn if self._weights else "",
            weights_subnets=",".join(vpc.subnets) if vpc else "",
            weights_security_groups=",".join(vpc.security_groups) if vpc else "",
        )

    def _watch(self, serving: EndpointSettings, dead_letters: sqs.Queue) -> None:
        watchdog = EndpointWatchdog(
            self, config=self._config, serving=serving, dead_letters=dead_letters
        )
        self._storage.allow_table(watchdog.function, "GetItem", "Scan", *RELEASING)
        if self._weights is not None:
            names = ("PrepareEndpoints", "ReleaseEndpoints", "RecordFailure")
            making = {name: self.functions[name] for name in names}
            self._weights.allow_making({**making, "WatchEndpoints": watchdog.function})
            self._weights.allow_settling(self.functions["PlanEvaluation"])
            self._weights.allow_copying(self.functions["PrepareEndpoints"], self._storage)
            self._storage.allow_read(self.functions["PrepareEndpoints"], f"{RUNS}*")
            self._storage.allow_table(self.functions["ReleaseEndpoints"], "GetItem")
        for name, function in (*self.functions.items(), ("WatchEndpoints", watchdog.function)):
            if name in {"PrepareEndpoints", "ReleaseEndpoints", "WatchEndpoints"}:
                cdk.CfnOutput(self, f"{name}Function", value=function.function_name)

    def _start_on_upload(self, dead_letters: sqs.Queue) -> None:
        events.Rule(
            self,
            "StartOnUpload",
            description="A file dropped at inbox/<recipe>/ starts an evaluation",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={
                    "bucket": {"name": [self._storage.data_bucket.bucket_name]},
                    "object": {"key": [{"anything-but": {"wildcard": list(NO_INPUT)}}]},
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    self.machine,
                    input=events.RuleTargetInput.from_event_path("$.detail"),
                    dead_letter_queue=dead_letters,
                    retry_attempts=10,
                )
            ],
        )

    def _start_by_triggers(self, dead_letters: sqs.Queue) -> None:
        if not self._config.triggers:
            return
        Triggers(
            self,
            config=self._config,
            bucket=self._storage.data_bucket.bucket_name,
            machine=self.machine,
            dead_letters=dead_letters,
        )
        cdk.CfnOutput(self, "Triggers", value=described(self._config))

    def _clean_up_after_abort(self, dead_letters: sqs.Queue) -> None:
        self.functions["RecordFailure"].keep_lost_events(dead_letters)
        events.Rule(
            self,
            "CleanUpAfterAbort",
            description="An execution that ended without a Catch is cleaned up after",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.machine.state_machine_arn],
                    # FAILED too: no Catch sees States.Runtime and States.DataLimitExceeded.
                    "status": ["ABORTED", "FAILED", "TIMED_OUT"],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    self.functions["RecordFailure"],
                    event=events.RuleTargetInput.from_event_path("$.detail"),
                    dead_letter_queue=dead_letters,
                )
            ],
        )
