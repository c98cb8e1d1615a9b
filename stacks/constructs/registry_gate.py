"""The function that tells the model registry what triggered runs decided."""

from typing import Any

import aws_cdk as cdk
import msgspec
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas.settings import TriggerSettings
from nova_judge.findings.registry_finding import NOTES
from nova_judge.findings.run_events import detail_type
from nova_judge.layout import RUNS
from nova_judge.runs.job_outcome import EVENT_SOURCE
from stacks.config import StageConfig
from stacks.constructs.grants import allow
from stacks.constructs.names import sagemaker_arns
from stacks.constructs.python_function import PythonFunction
from stacks.constructs.storage import Storage
from stacks.trigger_config import StageTrigger


class RegistryGate(Construct):
    """Stands only in a stage with triggers that set something; it reads runs and writes that."""

    def __init__(
        self, scope: Construct, *, config: StageConfig, storage: Storage, dead_letters: sqs.Queue
    ) -> None:
        super().__init__(scope, "Registry")
        deciding = {name: one for name, one in config.triggers.items() if one.sets}
        decisions = {name: one.decision for name, one in deciding.items()}
        self.function = PythonFunction(
            self,
            "TellRegistry",
            module="tell_registry",
            settings=TriggerSettings(
                **storage.settings(config), decisions=msgspec.json.encode(decisions).decode()
            ),
            config=config,
            description="Nova Judge: sets approval or tag by what a triggered run decided",
        )
        self.function.keep_lost_events(dead_letters)
        storage.allow_read(self.function, f"{RUNS}*")
        for one in deciding.values():
            self._allow(one)
        events.Rule(
            self,
            "TellOnReport",
            description="A run that a trigger started has its report",
            event_pattern=events.EventPattern(
                source=[EVENT_SOURCE],
                detail_type=[detail_type("Judged")],
                detail={
                    "stage": [config.name],
                    "run": {"trigger": {"name": sorted(deciding)}},
                },
            ),
            targets=[targets.LambdaFunction(self.function, dead_letter_queue=dead_letters)],
        )

    def _allow(self, one: StageTrigger) -> None:
        """Packages of the group, or jobs whose names begin so."""
        stack = cdk.Stack.of(self)
        if one.when_registered is not None:
            places = sagemaker_arns(stack, "model-package", f"{one.when_registered}/*")
            allowed = {"sagemaker:ModelApprovalStatus": ["Approved", "Rejected"]}
            if "approval" not in one.sets:
                conditions: dict[str, Any] = {"Null": {"sagemaker:ModelApprovalStatus": "true"}}
            elif "tag" in one.sets:  # an outcome that decides nothing is noted alone
                conditions = {"StringEqualsIfExists": allowed}
            else:
                conditions = {"StringEquals": allowed}
            if "approval" in one.sets:
                allow(self.function, (["sagemaker:DescribeModelPackage"], places))
            allow(self.function, (["sagemaker:UpdateModelPackage"], places), where=conditions)
        elif one.when_trained is not None:
            jobs = sagemaker_arns(stack, "training-job", f"{one.when_trained}*")
            ours = {"ForAllValues:StringEquals": {"aws:TagKeys": list(NOTES)}}
            allow(self.function, (["sagemaker:AddTags"], jobs), where=ours)
