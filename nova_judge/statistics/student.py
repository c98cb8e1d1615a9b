"""Student's t quantile without scipy."""

from statistics import NormalDist


def student_quantile(level: float, degrees: float) -> float:
    """The two-sided quantile of t with `degrees` of freedom for an interval at `level`.

    Fisher and Cornish's expansion about the normal quantile to the third order (Abramowitz and
    Stegun 26.7.5): right to 1e-3 from 5 degrees on.
    """
    z = NormalDist().inv_cdf((1.0 + level) / 2.0)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / degrees + second / degrees**2 + third / degrees**3
