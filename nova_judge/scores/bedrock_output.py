"""The lines that Bedrock's judge writes, in jobs of its own and as a serverless second step."""

import msgspec

from nova_judge.recipe.bedrock_metrics import BUILTIN


class _EvaluatorDetail(msgspec.Struct):
    explanation: str | None = None
    modelIdentifier: str | None = None


class OutputScore(msgspec.Struct):
    """The judge's result for one answer by one metric; None where it could not say."""

    metricName: str
    result: float | str | None = None
    evaluatorDetails: tuple[_EvaluatorDetail, ...] | None = None

    @property
    def metric(self) -> str:
        """The metric's name without `Builtin.`."""
        return self.metricName.removeprefix(BUILTIN)

    @property
    def explanation(self) -> str:
        """The judge's reasons; empty where it gives none."""
        details = self.evaluatorDetails or ()
        return " ".join(detail.explanation for detail in details if detail.explanation)


class _Result(msgspec.Struct):
    scores: tuple[OutputScore, ...] = ()


class _Response(msgspec.Struct):
    response: str | None = None
    modelIdentifier: str | None = None


class _InputRecord(msgspec.Struct):
    prompt: str
    referenceResponse: str | None = None
    category: str | None = None
    modelResponses: tuple[_Response, ...] = ()


class OutputLine(msgspec.Struct):
    """One answer with the judge's scores; it carries neither an id nor its place in the input."""

    automatedEvaluationResult: _Result
    inputRecord: _InputRecord
    modelResponses: tuple[_Response, ...] = ()

    @property
    def prompt(self) -> str:
        return self.inputRecord.prompt

    @property
    def scores(self) -> tuple[OutputScore, ...]:
        return self.automatedEvaluationResult.scores

    @property
    def answer(self) -> str | None:
        """The answer that was judged, where the line repeats it."""
        response = self._response
        return response.response if response else None

    @property
    def model(self) -> str:
        """The model that answered, as the job names it; empty where it does not."""
        response = self._response
        return (response.modelIdentifier if response else None) or ""

    @property
    def judge(self) -> str:
        """The model that judged; empty where no score names one."""
        details = (one for score in self.scores for one in score.evaluatorDetails or ())
        return next((one.modelIdentifier for one in details if one.modelIdentifier), "")

    @property
    def _response(self) -> _Response | None:
        responses = self.modelResponses or self.inputRecord.modelResponses
        return responses[0] if responses else None


_decoder = msgspec.json.Decoder(OutputLine)


def read_output_line(content: bytes) -> OutputLine | None:
    """The line; None where it cannot be read, so that its row stays without scores."""
    try:
        return _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
