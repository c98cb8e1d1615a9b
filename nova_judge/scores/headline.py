"""Result of a scoring run in one sentence: the higher candidate, or how high the only one is."""

from collections.abc import Mapping, Sequence

from nova_judge.records import Headline
from nova_judge.scores.metric_score import MetricDifference, MetricScore
from nova_judge.scores.text_metrics import ROW_METRICS

_MOST_NAMED = 4
_TELLING = ("f1_score_quasi", "rougeL", "qem")


def score_headline(
    scores: Sequence[MetricScore], differences: Sequence[MetricDifference], names: Mapping[str, str]
) -> Headline:
    """The headline from the entries of metrics.json; `names` says what a subject is called.

    A difference counts when it is shown with all metrics together (see `shown_together`).
    """
    if differences:
        return _comparison(differences, names)
    measured = [score for score in scores if score.interval is not None]
    if not measured:
        return Headline("No score", "No metric has a score that an interval can be given for.")
    leading = _leading(measured)[:_MOST_NAMED]
    words = [f"{score.metric} {score.estimate:.3f}" for score in leading]
    if any(score.metric == "rougeL" for score in leading):
        # BLEU is one figure of all rows and has no interval.
        whole = [score for score in scores if score.interval is None]
        words += [
            f"{one.metric} {one.recomputed:.2f}" for one in whole if one.recomputed is not None
        ]
    evidence = ". ".join(_mean_in_words(score, names) for score in leading) + "."
    return Headline(", ".join(words), evidence)


def _leading(figures: Sequence[MetricScore]) -> list[MetricScore]:
    """Put the scores of your own scorer first; of the usual text metrics, the forgiving ones."""
    own = [figure for figure in figures if figure.metric not in ROW_METRICS]
    usual = {figure.metric: figure for figure in figures}
    return own or [usual[name] for name in _TELLING if name in usual] or list(figures)


def _comparison(differences: Sequence[MetricDifference], names: Mapping[str, str]) -> Headline:
    first, second = differences[0].first, differences[0].second
    better = [d.metric for d in differences if d.favours == second]
    worse = [d.metric for d in differences if d.favours == first]
    undecided = [d.metric for d in differences if d.favours is None]
    parts = [
        f"{second} better on {_listed(better)}" if better else "",
        f"{first} better on {_listed(worse)}" if worse else "",
        f"no difference shown on {_listed(undecided)}" if undecided else "",
    ]
    words = "; ".join(part for part in parts if part)
    evidence = ". ".join(_difference_in_words(d) for d in differences[:_MOST_NAMED])
    called = f"{first} is {names.get(first, first)}, {second} is {names.get(second, second)}"
    return Headline(words[:1].upper() + words[1:], f"{evidence}. {called}.")


def _listed(metrics: Sequence[str]) -> str:
    named = ", ".join(metrics[:_MOST_NAMED])
    left = len(metrics) - _MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named


def _mean_in_words(score: MetricScore, names: Mapping[str, str]) -> str:
    named = f"{score.metric} of {names.get(score.subject, score.subject)}"
    interval = score.interval
    if interval is None:
        return f"{named}: {score.reason}"
    ends = f"{100 * interval.level:g} % interval {interval.low:.3f} to {interval.high:.3f}"
    return f"{named} {interval.estimate:.3f} ({ends}, {score.counted})"


def _difference_in_words(difference: MetricDifference) -> str:
    interval = difference.interval
    if interval is None:
        return f"{difference.metric}: {difference.reason}"
    ends = f"{100 * interval.level:g} % interval {interval.low:+.3f} to {interval.high:+.3f}"
    return (
        f"{difference.metric}: {difference.second} less {difference.first} "
        f"{interval.estimate:+.3f} ({ends}, {difference.counted})"
    )
