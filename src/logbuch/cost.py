"""What a training cost: GPU hours, energy, money and CO2. Pure arithmetic over what is known of runs.

Energy is what the run measured (metric ``system/energy_watt_hours``), else an estimate: the rated power of its GPUs
times their use. An estimate is marked as one. What has no price, or no power, is null and not 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from logbuch.model import Noun

_HOUR_MS = 3_600_000
RATINGS: Mapping[str, float] = {
    "B200": 1000, "H200 NVL": 600, "H200": 700, "H100 PCIe": 350, "H100 NVL": 400, "H100": 700, "A100 80GB PCIe": 300,
    "A100-PCIE": 250, "A100": 400, "L40S": 350, "L40": 300, "L4": 72, "A40": 300, "A30": 165, "A10": 150,
    "V100-PCIE": 250, "V100": 300, "T4": 70, "T400": 30, "P100-PCIE": 250, "P100": 300, "RTX 5090": 575,
    "RTX 5080": 360, "RTX 4090 D": 425, "RTX 4090": 450, "RTX 4080": 320, "RTX 3090 Ti": 450, "RTX 3090": 350,
    "RTX 3080 Ti": 350, "RTX 3080": 320, "RTX 6000 Ada": 300, "RTX A6000": 300, "RTX A5000": 230, "RTX A4000": 140,
    "RTX A1000": 50,
}  # fmt: skip
"""Watts that a GPU is built for (the makers' data sheets: thermal design or board power), by words of its name; of
several that fit the first counts."""
_OTHERS = frozenset({"laptop", "mobile", "max-q", "mig"})
"""Words of GPUs that bear the name of a bigger one: those of laptops, and parts of one."""
_DEVICES = re.compile(r"(\d+) × ([^,]+)")


class Prices(Noun, frozen=True, kw_only=True):
    """What a GPU costs an hour and energy a kilowatt hour, both in ``currency``; grams of CO2 a kilowatt hour; the
    watts of a GPU whose rating is not known. None: not known."""

    gpu_hour: float | None = None
    kilowatt_hour: float | None = None
    currency: str = "EUR"
    co2_grams: float | None = None
    gpu_watts: float | None = None


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Usages:
    """What is known of runs, an entry a run in each array.

    ``start`` and ``end`` are times (Unix ms); ``gpus`` is the place in ``kinds`` of what the tag ``logbuch.gpu`` says;
    ``use`` the mean use of these GPUs from 0 to 1 at the latest, and ``watt_hours`` what was measured, NaN where
    nothing is known.
    """

    start: Ints
    end: Ints
    gpus: Ints
    use: Floats
    watt_hours: Floats
    kinds: tuple[str, ...]

    def of(self, places: NDArray[np.intp]) -> Usages:
        """Those of the runs at these places."""
        columns = {one.name: getattr(self, one.name)[places] for one in fields(self) if one.name != "kinds"}
        return Usages(**columns, kinds=self.kinds)

    def with_others(self, others: Usages) -> Usages:
        """These and others together."""
        columns = {
            one.name: np.concatenate((getattr(self, one.name), getattr(others, one.name)))
            for one in fields(self)
            if one.name not in ("gpus", "kinds")
        }
        gpus = np.concatenate((self.gpus, others.gpus + len(self.kinds)))
        return Usages(**columns, gpus=gpus, kinds=(*self.kinds, *others.kinds))


class Cost(Noun, frozen=True, kw_only=True):
    """Of a run, of several, or of a part of their time. ``watt_hours`` holds ``estimated`` ones, which are not
    measured; ``unknown`` counts runs of whose energy nothing is known; ``money`` and ``co2_grams`` are null without
    prices."""

    runs: int
    hours: float
    gpu_hours: float
    watt_hours: float
    estimated: float
    unknown: int
    money: float | None
    currency: str
    co2_grams: float | None


def devices(text: str) -> list[tuple[int, str]]:
    """How many of which GPU: of ``2 × NVIDIA A100-SXM4-80GB, 1 × NVIDIA T4``."""
    return [(int(count), name.strip()) for count, name in _DEVICES.findall(text)]


def rating(name: str, prices: Prices) -> float | None:
    """The watts that a GPU is built for; None where nobody knows."""
    if _OTHERS & set(name.lower().split()):
        return prices.gpu_watts
    return next((watts for part, watts in RATINGS.items() if _has_words(name, part)), prices.gpu_watts)


def _has_words(name: str, part: str) -> bool:
    """Whether a name holds these words whole: an RTX A4000 is no A40."""
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(part)}(?![A-Za-z0-9])", name) is not None


def of_runs(usages: Usages, prices: Prices) -> Cost:
    """The cost of runs together."""
    return _summed(usages, np.ones(len(usages.start)), prices)


def by_month(usages: Usages, prices: Prices) -> dict[str, Cost]:
    """The cost by month (``2026-11``, in UTC): of a run that reached into several each has its share of the time."""
    first, last = _month(usages.start), _month(np.maximum(usages.end - 1, usages.start))
    found: dict[int, Cost] = {}
    for month in _reached(first, last):
        runs = np.flatnonzero((first <= month) & (last >= month))
        own = usages.of(runs)
        whole, part = own.end - own.start, np.minimum(own.end, _begin(month + 1)) - np.maximum(own.start, _begin(month))
        found[month] = _summed(own, np.where(whole > 0, part / np.maximum(whole, 1), 1.0), prices)
    return {str(np.datetime64(month, "M")): cost for month, cost in found.items()}


def _reached(first: Ints, last: Ints) -> list[int]:
    """The months into which some run reached, as months since 1970."""
    if not len(first):
        return []
    begin = int(first.min())
    size = int(last.max()) - begin + 2
    changes = np.bincount(first - begin, minlength=size) - np.bincount(last - begin + 1, minlength=size)
    return (np.flatnonzero(np.cumsum(changes)) + begin).tolist()


def _month(times: Ints) -> Ints:
    """The months since 1970 in which times (ms) lie."""
    months: Ints = times.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    return months


def _begin(month: int) -> int:
    """When a month began, in ms."""
    return int(np.datetime64(month, "M").astype("datetime64[ms]").astype(np.int64))


def _summed(usages: Usages, share: Floats, prices: Prices) -> Cost:
    """The cost of a share of each run."""
    lasted = np.maximum(0, usages.end - usages.start) / _HOUR_MS * share
    found = [devices(text) for text in usages.kinds]
    count = np.array([sum(number for number, _ in own) for own in found], np.float64)
    rated = np.array([_rated(own, prices) for own in found], np.float64)
    gpu_hours = float(np.sum(lasted * count[usages.gpus]))
    use = np.where(np.isnan(usages.use), 1.0, np.clip(usages.use, 0.0, 1.0))
    guess = np.where(np.isnan(usages.watt_hours), rated[usages.gpus] * lasted * use, 0.0)
    estimated = float(np.nansum(guess))
    energy = float(np.nansum(usages.watt_hours * share)) + estimated
    return Cost(
        runs=len(lasted),
        hours=float(np.sum(lasted)),
        gpu_hours=gpu_hours,
        watt_hours=energy,
        estimated=estimated,
        unknown=int(np.isnan(guess).sum()),
        money=_money(gpu_hours, energy, prices),
        currency=prices.currency,
        co2_grams=None if prices.co2_grams is None else energy / 1000 * prices.co2_grams,
    )


def _rated(found: list[tuple[int, str]], prices: Prices) -> float:
    """The watts for which GPUs are built together; NaN where there are none or of one nobody knows it."""
    watts = [(count, rating(name, prices)) for count, name in found]
    known = [count * watt for count, watt in watts if watt is not None]
    return sum(known) if known and len(known) == len(watts) else float("nan")


def _money(gpu_hours: float, watt_hours: float, prices: Prices) -> float | None:
    if prices.gpu_hour is None and prices.kilowatt_hour is None:
        return None
    return gpu_hours * (prices.gpu_hour or 0.0) + watt_hours / 1000 * (prices.kilowatt_hour or 0.0)
