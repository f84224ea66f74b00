"""The numbers of a group: mean, standard deviation, standard error and 95% confidence interval, without overflow.

Standard deviations are those of a sample (n - 1). The interval of a mean is Student's: mean ± t(0.975, n - 1) times the
standard error, std / √n.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_MANY = 200
"""Degrees of freedom from which the expansion of the t quantile is exact to 12 digits."""
_STEPS = 300

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Statistics:
    """One entry a group: int64 counts, and float64 numbers of the finite values, NaN where there is no such number.

    A group without a finite value has no number at all, one with a single value no spread and no interval. A number
    beyond the range of doubles is infinite.
    """

    count: Counts
    mean: Floats
    std: Floats
    min: Floats
    max: Floats
    median: Floats
    stderr: Floats
    low: Floats
    high: Floats
    nan: Counts
    pos_inf: Counts
    neg_inf: Counts


NAMES = ("count", "mean", "std", "min", "max", "median", "stderr", "low", "high", "nan", "pos_inf", "neg_inf")


def of_groups(values: Floats, codes: NDArray[np.intp], groups: int) -> Statistics:
    """The statistics of ``values``, of which each belongs to the group whose number, below ``groups``, is its code."""
    finite = np.isfinite(values)
    outside, theirs = values[~finite], codes[~finite]
    order = np.lexsort((values[finite], codes[finite]))
    numbers, sorted_codes = values[finite][order], codes[finite][order]
    count = np.bincount(sorted_codes, minlength=groups)
    ends = np.cumsum(count)
    table = np.full((8, groups), np.nan)
    some = np.flatnonzero(count)
    if len(some):
        table[:, some] = _numbers(numbers, ends[some] - count[some], count[some])
    mean, std, least, greatest, median, stderr, low, high = table
    return Statistics(
        count,
        mean,
        std,
        least,
        greatest,
        median,
        stderr,
        low,
        high,
        *(np.bincount(theirs[mask], minlength=groups) for mask in (np.isnan(outside), outside > 0, outside < 0)),
    )


def _numbers(values: Floats, starts: Counts, count: Counts) -> Floats:
    """The eight rows of numbers of groups that lie in ``values`` one after the other, each ascending."""
    least, greatest = values[starts], values[starts + count - 1]
    # Scaled by a power of two, which is exact, each group lies within ±1: neither sums nor squares overflow.
    exponent = np.frexp(np.maximum(np.abs(least), np.abs(greatest)))[1]
    scaled = np.ldexp(values, -np.repeat(exponent, count))
    bounds = np.ldexp(least, -exponent), np.ldexp(greatest, -exponent)
    mean = np.clip(np.add.reduceat(scaled, starts) / count, *bounds)
    # The corrected two-pass algorithm (Chan, Golub, LeVeque 1983): what rounding left in the mean is taken out again.
    rest = scaled - np.repeat(mean, count)
    drift = np.add.reduceat(rest, starts)
    squares = np.maximum(np.add.reduceat(rest * rest, starts) - drift * drift / count, 0.0)
    mean = np.clip(mean + drift / count, *bounds)
    single = count < 2
    std = np.where(single, np.nan, np.sqrt(squares / np.maximum(count - 1, 1)))
    stderr = std / np.sqrt(count)
    reach = _quantiles(count - 1) * stderr
    with np.errstate(over="ignore"):
        mean, std, stderr, low, high = (
            np.ldexp(part, exponent) for part in (mean, std, stderr, mean - reach, mean + reach)
        )
    return np.stack([mean, std, least, greatest, _median(values, starts, count), stderr, low, high])


def _median(values: Floats, starts: Counts, count: Counts) -> Floats:
    lower, upper = values[starts + (count - 1) // 2], values[starts + count // 2]
    with np.errstate(over="ignore"):
        total = lower + upper
    halved: Floats = np.where(np.isfinite(total), total / 2, lower / 2 + upper / 2)
    return np.where(lower == upper, lower, halved)


def _quantiles(degrees: Counts) -> Floats:
    """Student's quantiles of the interval; 1 for no degree of freedom, where there is no interval."""
    distinct, places = np.unique(degrees, return_inverse=True)
    found = [student_quantile(float(degree)) if degree > 0 else 1.0 for degree in distinct.tolist()]
    quantiles: Floats = np.array(found)[places]
    return quantiles


# -- Student's t ----------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=4096)
def student_quantile(degrees: float, confidence: float = CONFIDENCE) -> float:
    """The t between whose negative and itself Student's distribution with ``degrees`` ≥ 1 holds ``confidence``.

    The expansion of Abramowitz and Stegun 26.7.5 about the normal quantile; below 200 degrees of freedom its result is
    refined by Newton's method on the distribution itself.
    """
    t = _expansion(NormalDist().inv_cdf(0.5 + confidence / 2), degrees)
    if degrees >= _MANY:
        return t
    for _ in range(_STEPS):
        excess = student_tails(t, degrees) - (1 - confidence)
        step = excess / (2 * _density(t, degrees))
        t = max(t + step, t / 2)
        if abs(step) <= 1e-11 * t:
            break
    return t


def student_tails(t: float, degrees: float) -> float:
    """The probability that \\|T\\| exceeds ``t`` ≥ 0 under Student's distribution: the p-value of a two-sided test.

    I_x(ν/2, 1/2) with x = ν / (ν + t²) (Abramowitz and Stegun 26.7.1, 26.5.27).
    """
    square = t * t
    return _beta_ratio(degrees / (degrees + square), square / (degrees + square), degrees / 2, 0.5)


def _expansion(z: float, degrees: float) -> float:
    square = z * z
    terms = (
        z * (square + 1) / 4,
        z * ((5 * square + 16) * square + 3) / 96,
        z * (((3 * square + 19) * square + 17) * square - 15) / 384,
        z * ((((79 * square + 776) * square + 1482) * square - 1920) * square - 945) / 92_160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1))


def _density(t: float, degrees: float) -> float:
    norm = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2) - 0.5 * math.log(degrees * math.pi)
    return math.exp(norm - (degrees + 1) / 2 * math.log1p(t * t / degrees))


def _beta_ratio(x: float, y: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), where y is 1 - x: the continued fraction DLMF 8.17.22."""
    if x <= 0 or y <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):  # it converges fast on the other side only
        return 1 - _beta_ratio(y, x, b, a)
    front = math.exp(a * math.log(x) + b * math.log(y) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    return front / (a * _beta_fraction(x, a, b))


def _beta_fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + …)), evaluated forwards by Lentz's method (Lentz 1976; Thompson and Barnett 1986)."""
    fraction = upper = 1.0
    lower = 0.0
    for index in range(1, _STEPS):
        half = index // 2
        if index % 2:
            part = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            part = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        lower = 1 / (1 + part * lower)
        upper = 1 + part / upper
        fraction *= upper * lower
        if abs(upper * lower - 1) < 4e-16:
            break
    return fraction
