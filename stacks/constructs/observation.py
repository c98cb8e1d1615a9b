"""The dashboard of a stage, its alarms, and the queues of events that could not be delivered."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from nova_judge.measures import MEASURES, NAMESPACE, SERVICE
from stacks.config import StageConfig

WATCHED = cdk.Duration.minutes(15)
"""How often the watchdog looks, and tells what it sees."""
PANELS: Mapping[str, Sequence[str]] = {
    "Runs": ("RunsStarted", "RunsReported", "RunsFailed", "ReportsFailed"),
    "Rows": ("RowsAnswered", "RowsJudged", "RowsFailed"),
    "Judges asked by calls": ("JudgeReplies", "JudgeRepliesFailed"),
    "Load": ("Throttles", "LimiterLevel"),
    "Cost, US$": ("EstimatedUSD", "ActualUSD", "EndpointUSDPerHour"),
    "Budget used, %": ("BudgetUsed",),
    "Judge hours": ("JudgeHours",),
    "Under way": ("RunsUnderWay", "OldestRunHours", "EndpointsUp", "EndpointsWithoutLease"),
}
PER_MINUTE = {"Rows", "Judges asked by calls", "Load"}
"""Panels whose sums are drawn per minute; the others per five."""


class Observation(Construct):
    """Made of what AWS's services tell of themselves and of what our functions measure."""

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        machine: sfn.StateMachine,
        dead_letters: sqs.Queue,
        reports: sns.ITopic,
    ) -> None:
        super().__init__(scope, "Observation")
        self._config, self._reports = config, reports
        self._add_alarms()
        if config.dashboard:
            self._add_dashboard(machine, dead_letters)

    def _metric(self, name: str, period: cdk.Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={"service": SERVICE, "stage": self._config.name},
            statistic=MEASURES[name].statistic,
            period=period,
        )

    def _add_alarms(self) -> None:
        day, config = cdk.Duration.days(1), self._config
        self._alarm("StuckRun", "OldestRunHours", config.alarm_run_hours, WATCHED, 2)
        self._alarm("EndpointWithoutLease", "EndpointsWithoutLease", 1, WATCHED, 3)
        self._alarm("ReportFailed", "ReportsFailed", 1, cdk.Duration.minutes(5), 1)
        self._alarm("SpendPerDay", "EstimatedUSD", config.alarm_usd_per_day, day, 1)

    def _alarm(
        self, name: str, measure: str, threshold: float, period: cdk.Duration, periods: int
    ) -> None:
        alarm = self._metric(measure, period).create_alarm(
            self,
            name,
            alarm_description=f"Nova Judge: {MEASURES[measure].label} "
            f"(docs/operations.md, Alarms: {name})",
            threshold=threshold,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._reports))

    def _add_dashboard(self, machine: sfn.StateMachine, dead_letters: sqs.Queue) -> None:
        five = cdk.Duration.minutes(5)
        executions = [
            machine.metric_started(period=five),
            machine.metric_succeeded(period=five),
            machine.metric_failed(period=five),
            machine.metric_aborted(period=five),
            machine.metric_timed_out(period=five),
        ]
        waiting = dead_letters.metric_approximate_number_of_messages_visible(
            period=five, statistic="Maximum"
        )
        panels = [
            cloudwatch.GraphWidget(title="Executions", left=executions, width=12),
            *(self._panel(title, names) for title, names in PANELS.items()),
            cloudwatch.GraphWidget(title="Dead letters", left=[waiting], width=12),
        ]
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=self._config.prefix,
            widgets=[panels[place : place + 2] for place in range(0, len(panels), 2)],
        )

    def _panel(self, title: str, names: Sequence[str]) -> cloudwatch.GraphWidget:
        period = cdk.Duration.minutes(1 if title in PER_MINUTE else 5)
        metrics = [self._metric(name, period).with_(label=MEASURES[name].label) for name in names]
        return cloudwatch.GraphWidget(title=title, left=metrics, width=12)


def dead_letter_queue(scope: Construct, construct_id: str, *, tell: sns.ITopic) -> sqs.Queue:
    """An encrypted queue that takes TLS only; whatever arrives in it raises an alarm."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=cdk.Duration.days(14),
    )
    waiting = queue.metric_approximate_number_of_messages_visible(
        period=cdk.Duration.minutes(5), statistic="Maximum"
    )
    alarm = waiting.create_alarm(
        scope,
        f"{construct_id}Alarm",
        alarm_description="Nova Judge: an event was not handled; it waits in the queue for 14 days "
        "(docs/troubleshooting.md, Dead letters)",
        threshold=1,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    alarm.add_alarm_action(actions.SnsAction(tell))
    return queue
