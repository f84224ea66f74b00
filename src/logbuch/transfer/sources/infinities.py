"""±Inf in MLflow's databases, whose columns cannot hold it: the largest double stands there instead."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from logbuch.transfer.report import Report

LARGEST = 1.7976931348623157e308
NOTE = "values of ±1.7976931348623157e308, which is how MLflow's database holds ±Inf, taken for that"


def restore(values: NDArray[np.float64], report: Report) -> None:
    """Puts ±Inf back in its place, and counts how often."""
    large = np.abs(values) == LARGEST
    if large.any():
        report.note(NOTE, int(large.sum()))
        values[large] = np.copysign(np.inf, values[large])
