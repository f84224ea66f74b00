"""How the run that was done again compares with the first."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from enum import StrEnum

from logbuch.model import Noun, Run
from logbuch.sdk.client import LogbuchClient
from logbuch.stability.parts import SYSTEM, is_measured

MOST_HISTORIES = 10
"""For so many metrics that differ it is looked up where their curves part."""


class Verdict(StrEnum):
    EQUAL = "equal"
    """Bit for bit."""
    WITHIN = "within tolerance"
    DIFFERENT = "different"
    MISSING = "missing"
    """The new run has not logged it."""
    MEASURED = "measured"
    """A speed, a duration or the use of a machine, which is never twice the same: it decides nothing."""


class Compared(Noun, frozen=True, kw_only=True):
    """A metric's last value in both runs, and the step at which their curves part."""

    metric: str
    verdict: Verdict
    first: float
    second: float | None = None
    parts_at: int | None = None


class Changed(Noun, frozen=True, kw_only=True):
    """A param or a data set's digest that is another in the new run; null where it has none."""

    name: str
    first: str | None
    second: str | None


class Outcome(Noun, frozen=True, kw_only=True):
    """Both runs compared. ``same`` says whether every metric that decides is equal or within the tolerance."""

    run_id: str
    new_run_id: str
    folder: str
    status: str
    exit_code: int
    same: bool
    metrics: tuple[Compared, ...]
    params: tuple[Changed, ...] = ()
    data: tuple[Changed, ...] = ()


def compare(run_id: str, new_run_id: str, *, tolerance: float, folder: str, exit_code: int) -> Outcome:
    """Compares the last values of all metrics but for those of the system. ``tolerance`` is relative to the larger."""
    client = LogbuchClient()
    first, second = client.get_run(run_id), client.get_run(new_run_id)
    found = [
        _compared(key, value, second.data.metrics.get(key), tolerance)
        for key, value in sorted(first.data.metrics.items())
        if not key.startswith(SYSTEM)
    ]
    deciding = [one for one in found if one.verdict is not Verdict.MEASURED]
    same = all(one.verdict in (Verdict.EQUAL, Verdict.WITHIN) for one in deciding)
    return Outcome(
        run_id=run_id,
        new_run_id=new_run_id,
        folder=folder,
        status=str(second.info.status),
        exit_code=exit_code,
        same=same and second.info.status is first.info.status,
        metrics=_with_parting(client, run_id, new_run_id, found),
        params=_changed(first.data.params, second.data.params),
        data=_changed(_data(first), _data(second)),
    )


def _compared(key: str, first: float, second: float | None, tolerance: float) -> Compared:
    if is_measured(key):
        verdict = Verdict.MEASURED
    elif second is None:
        verdict = Verdict.MISSING
    elif _equal(first, second):
        verdict = Verdict.EQUAL
    else:
        verdict = Verdict.WITHIN if _near(first, second, tolerance) else Verdict.DIFFERENT
    return Compared(metric=key, verdict=verdict, first=first, second=second)


def _equal(first: float, second: float) -> bool:
    return struct.pack("<d", first) == struct.pack("<d", second) or (math.isnan(first) and math.isnan(second))


def _near(first: float, second: float, tolerance: float) -> bool:
    finite = math.isfinite(first) and math.isfinite(second)
    return finite and abs(first - second) <= tolerance * max(abs(first), abs(second))


def _with_parting(client: LogbuchClient, run_id: str, other: str, found: list[Compared]) -> tuple[Compared, ...]:
    asked = [one.metric for one in found if one.verdict is Verdict.DIFFERENT][:MOST_HISTORIES]
    return tuple(_parted(client, run_id, other, one) if one.metric in asked else one for one in found)


def _parted(client: LogbuchClient, run_id: str, other: str, one: Compared) -> Compared:
    first, second = client.get_metric_history(run_id, one.metric), client.get_metric_history(other, one.metric)
    step = next(
        (
            left.step
            for left, right in zip(first, second, strict=False)
            if left.step != right.step or not _equal(left.value, right.value)
        ),
        None,
    )
    return Compared(metric=one.metric, verdict=one.verdict, first=one.first, second=one.second, parts_at=step)


def _changed(first: Mapping[str, str], second: Mapping[str, str]) -> tuple[Changed, ...]:
    return tuple(
        Changed(name=name, first=first.get(name), second=second.get(name))
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    )


def _data(run: Run) -> Mapping[str, str]:
    return {used.dataset.name: used.dataset.digest for used in run.inputs.dataset_inputs}
