"""Measures that functions emit, and that the dashboard and the alarms of a stage read.

One table for both sides. A measure has the dimensions `service` and `stage` and no other, because
each combination is a metric that CloudWatch bills.
"""

from typing import Final, Literal, NamedTuple, TypeAlias

NAMESPACE: Final = "NovaJudge"
SERVICE: Final = "nova-judge"
Unit: TypeAlias = Literal["Count", "Percent", "None"]
Statistic: TypeAlias = Literal["Sum", "Maximum"]


class Measure(NamedTuple):
    """A metric's unit, the statistic that means something, and what the dashboard calls it."""

    unit: Unit
    statistic: Statistic
    label: str


MEASURES: Final[dict[str, Measure]] = {
    "RunsStarted": Measure("Count", "Sum", "runs started"),
    "RunsReported": Measure("Count", "Sum", "reports"),
    "RunsFailed": Measure("Count", "Sum", "runs failed"),
    "ReportsFailed": Measure("Count", "Sum", "reports that could not be written"),
    "RowsAnswered": Measure("Count", "Sum", "answers"),
    "RowsJudged": Measure("Count", "Sum", "rows judged"),
    "RowsFailed": Measure("Count", "Sum", "rows without an answer or a verdict"),
    "JudgeReplies": Measure("Count", "Sum", "replies of judges asked by calls, two per row"),
    "JudgeRepliesFailed": Measure("Count", "Sum", "prompts without a judge's reply"),
    "Throttles": Measure("Count", "Sum", "calls refused for load"),
    "LimiterLevel": Measure("Count", "Maximum", "calls that a shard lets be under way at once"),
    "EstimatedUSD": Measure("None", "Sum", "estimated cost of runs that began, US$"),
    "ActualUSD": Measure("None", "Sum", "metered cost of runs that ended, US$"),
    "BudgetUsed": Measure("Percent", "Maximum", "estimate, in % of the recipe's budget"),
    "JudgeHours": Measure("None", "Sum", "hours of judge jobs"),
    "RunsUnderWay": Measure("Count", "Maximum", "runs under way"),
    "OldestRunHours": Measure("None", "Maximum", "hours of the oldest run under way"),
    "EndpointsUp": Measure("Count", "Maximum", "endpoints up"),
    "EndpointUSDPerHour": Measure("None", "Maximum", "endpoints, US$ an hour"),
    "EndpointsWithoutLease": Measure("Count", "Maximum", "endpoints that nobody leases"),
}
