"""Exact binomial probabilities for the sign test and its power, without scipy."""

import math

import numpy as np

__all__ = ["binomial_cdf", "sign_test"]

_REACH = math.sqrt(2.0 * 18.0 * math.log(10.0))


def binomial_cdf(successes: int, trials: int, share: float) -> float:
    """P(X <= successes) for X ~ Binomial(trials, share), 0 < share < 1.

    The terms are summed from the largest of the tail downwards by their ratios, so that no term
    over- or underflows: relative error below 1e-9 up to a million trials. The k-th is at most
    exp(-k (k - 1) / 2 / successes) of the first, so that those beyond 1e-18 of it are left out.

    >>> round(binomial_cdf(2, 4, 0.5), 4)
    0.6875
    """
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    if successes > trials * share:
        return 1.0 - binomial_cdf(trials - successes - 1, trials, 1.0 - share)
    last = max(0, successes - math.ceil(_REACH * math.sqrt(successes)) - 1)
    below = np.arange(successes, last, -1, dtype=np.float64)
    ratios = below / (trials - below + 1.0) * ((1.0 - share) / share)
    series = 1.0 + float(np.cumprod(ratios).sum())
    return min(1.0, math.exp(_log_probability(successes, trials, share)) * series)


def _log_probability(successes: int, trials: int, share: float) -> float:
    log_choose = (
        math.lgamma(trials + 1) - math.lgamma(successes + 1) - math.lgamma(trials - successes + 1)
    )
    return log_choose + successes * math.log(share) + (trials - successes) * math.log1p(-share)


def sign_test(first: int, second: int) -> float:
    """Two-sided exact p-value that both are equally likely, given these two counts.

    >>> round(sign_test(8, 2), 4), sign_test(5, 5)
    (0.1094, 1.0)
    """
    return min(1.0, 2.0 * binomial_cdf(min(first, second), first + second, 0.5))
