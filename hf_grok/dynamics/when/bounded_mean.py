"""An interval of a mean that needs no more than bounds of what is averaged, for few seeds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hf_grok._optional import import_optional


def bounded_mean_interval(
    values: NDArray[np.float64], low: float, high: float, level: float
) -> tuple[float, float]:
    """Quantiles of a mean with weights drawn evenly over those that add up to 1.

    The lower end is that of sum over i of w_i x_i + w_0 low, the upper end that of
    sum over i of w_i x_i + w_0 high, with w uniform over the simplex. Of values that are all at
    the bounds it is the interval of Clopper and Pearson. That it holds the mean as often as it
    says is proved for such values, and no counterexample is known for others; a bootstrap of five
    seeds that fall in two groups does so in some 85 of 100 sweeps.

    Args:
        values: in low..high, at least one [values].
        low: least that a value can be.
        high: most.
        level: of confidence, central.

    Source: Gaffke 2005; Learned-Miller and Thomas 2019 (arXiv:1905.06208).
    """
    tail = (1 - level) / 2
    scaled = (values - low) / (high - low)
    ends = (_quantile(np.append(scaled, end), p) for end, p in ((0.0, tail), (1.0, 1 - tail)))
    lower, upper = (low + (high - low) * end for end in ends)
    return lower, upper


def _quantile(points: NDArray[np.float64], probability: float) -> float:
    """Where P(sum of w_i points_i <= x) is `probability`."""
    least, most = float(points.min()), float(points.max())
    if most - least < 1e-12:
        return least
    optimize = import_optional("scipy.optimize", extra="statistics", purpose="statistics of seeds")
    beyond = 1e-9 * (most - least)
    found = optimize.brentq(
        lambda x: weighted_mean_below(points, x) - probability, least + beyond, most - beyond
    )
    return float(found)


def weighted_mean_below(points: NDArray[np.float64], x: float) -> float:
    """P(sum of w_i points_i <= x) for weights that are uniform over the simplex.

    The weights are exponential variables over their sum, so that it is P(sum of e_i c_i <= 0) with
    c = points - x, whose characteristic function is the product of 1 / (1 - i u c_i):
    1/2 - 1/pi integral over u > 0 of sin(sum of arctan(u c_i)) / (u prod of sqrt(1 + u^2 c_i^2)).

    Source: Imhof 1961, for chi-squares of two degrees of freedom.
    """
    integrate = import_optional(
        "scipy.integrate", extra="statistics", purpose="statistics of seeds"
    )
    c = points - x

    def integrand(u: float) -> float:
        angle, size = np.arctan(u * c).sum(), np.sqrt(1 + (u * c) ** 2).prod()
        return float(np.sin(angle) / (u * size))

    area, _ = integrate.quad(integrand, 0, np.inf, limit=500, epsabs=1e-11, epsrel=1e-9)
    return float(0.5 - area / np.pi)
