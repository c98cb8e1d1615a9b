"""Every error that Nova Judge raises on purpose; the message says where, what and how to mend it.

The class name is what `Retry` and `Catch` of the state machine match on.
"""


class NovaJudgeError(Exception):
    """Base of all errors that a user or an operator can act on."""


class InputFileError(NovaJudgeError):
    """The input file as a whole cannot be used."""


class RecipeError(NovaJudgeError):
    """The recipe is missing or says something that cannot be run."""


class RequestError(NovaJudgeError):
    """The event or console input does not say what to evaluate."""


class GenerationFailedError(NovaJudgeError):
    """Too many rows got no answer from a candidate."""


class JudgeJobError(NovaJudgeError):
    """The judge failed, was stopped, cannot be asked, or wrote something that cannot be read."""


class RowSumError(NovaJudgeError):
    """Rows in are not the sum of rows judged, rejected and failed: a fault of ours, no result."""


class SettingsError(NovaJudgeError):
    """An environment variable that the function needs is missing or wrong."""


class UnsupportedClaimError(NovaJudgeError):
    """A sentence of the report says more than its figures carry: never written."""


class MissingExtraError(NovaJudgeError):
    """A command needs a part of Nova Judge that was not installed."""


class LocalModeError(NovaJudgeError):
    """Local mode could not start, deploy or follow a run, or a stand-in cannot use its input."""


class BudgetError(NovaJudgeError):
    """The run would cost more than its recipe allows."""


class PreflightError(NovaJudgeError):
    """A check before the run failed, so that nothing paid was started."""


class ScorerError(NovaJudgeError):
    """A scorer's file cannot be used, or the rows to be scored cannot be read."""


class SavedReportError(NovaJudgeError):
    """Error for a run without a report that can be read."""


class NotComparableError(NovaJudgeError):
    """Two runs differ in data, judge or settings, so that no trend may be drawn through them."""


class WeightingError(NovaJudgeError):
    """The weights or criteria asked for do not fit the rubrics of the run."""


class AccessError(NovaJudgeError):
    """AWS cannot be asked: no region, no credentials, or none that it takes."""


class EndpointError(NovaJudgeError):
    """An endpoint that a candidate needs cannot be started."""


class EndpointGoneError(NovaJudgeError):
    """An endpoint that was in service is not any more; it has to be prepared again."""


class StopError(NovaJudgeError):
    """Something of a stage is still under way, so that its stacks must not be removed."""


class VerificationError(NovaJudgeError):
    """Something that a stage, or the code, rests on does not hold in this account."""


class RunStateError(NovaJudgeError):
    """A run is not in the state that was asked for: not known, not failed, still under way."""


class RegistryError(NovaJudgeError):
    """SageMaker's AI registry did not take a data set or a scorer, or AWS's SDK is missing."""


class SubmitError(NovaJudgeError):
    """A run could not be started from the command line, or the execution that it started failed."""


class ReviewError(NovaJudgeError):
    """Rows cannot be drawn for people to label, or what they said cannot be read."""
