"""What a training cost: GPU hours, energy, money and CO2. Pure arithmetic over what is known of runs.

Energy is what the run measured (metric ``system/energy_watt_hours``), else an estimate: the rated power of its GPUs
times their use. An estimate is marked as one. What has no price, or no power, is null and not 0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

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


class Usage(Noun, frozen=True, kw_only=True):
    """What is known of a run: its time (ms), its GPUs as its tag ``logbuch.gpu`` names them, their mean use from 0 to 1
    at the latest, and watt hours, if it measured any."""

    run_id: str
    start: int
    end: int
    gpus: str = ""
    use: float | None = None
    watt_hours: float | None = None


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


def of_runs(usages: Iterable[Usage], prices: Prices) -> Cost:
    """The cost of runs together."""
    return _summed([(usage, 1.0) for usage in usages], prices)


def by_month(usages: Iterable[Usage], prices: Prices) -> dict[str, Cost]:
    """The cost by month (``2026-11``, in UTC): of a run that reached into several each has its share of the time."""
    shares: defaultdict[str, list[tuple[Usage, float]]] = defaultdict(list)
    for usage in usages:
        whole = usage.end - usage.start
        for month, part in _months(usage.start, usage.end):
            shares[month].append((usage, part / whole if whole else 1.0))
    return {month: _summed(found, prices) for month, found in sorted(shares.items())}


def _summed(parts: Iterable[tuple[Usage, float]], prices: Prices) -> Cost:
    runs, unknown = 0, 0
    hours = gpu_hours = measured = estimated = 0.0
    for usage, share in parts:
        runs += 1
        lasted = max(0, usage.end - usage.start) / _HOUR_MS * share
        hours += lasted
        gpu_hours += lasted * sum(count for count, _ in devices(usage.gpus))
        if usage.watt_hours is not None:
            measured += usage.watt_hours * share
            continue
        guess = _estimate(usage, lasted, prices)
        unknown += guess is None
        estimated += guess or 0.0
    energy = measured + estimated
    return Cost(
        runs=runs,
        hours=hours,
        gpu_hours=gpu_hours,
        watt_hours=energy,
        estimated=estimated,
        unknown=unknown,
        money=_money(gpu_hours, energy, prices),
        currency=prices.currency,
        co2_grams=None if prices.co2_grams is None else energy / 1000 * prices.co2_grams,
    )


def _estimate(usage: Usage, hours: float, prices: Prices) -> float | None:
    """Watt hours of GPUs by their rating; all of it where nothing is known of their use."""
    found = devices(usage.gpus)
    watts = [rating(name, prices) for _, name in found]
    if not found or None in watts:
        return None
    rated = sum(count * (watt or 0.0) for (count, _), watt in zip(found, watts, strict=True))
    return rated * hours * (1.0 if usage.use is None else min(1.0, max(0.0, usage.use)))


def _money(gpu_hours: float, watt_hours: float, prices: Prices) -> float | None:
    if prices.gpu_hour is None and prices.kilowatt_hour is None:
        return None
    return gpu_hours * (prices.gpu_hour or 0.0) + watt_hours / 1000 * (prices.kilowatt_hour or 0.0)


def _months(start: int, end: int) -> Iterator[tuple[str, int]]:
    """The months that a time reaches into, each with its ms of it."""
    at = start
    while True:
        moment = datetime.fromtimestamp(at / 1000, UTC)
        year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
        border = int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)
        yield f"{moment:%Y-%m}", min(border, max(end, start)) - at
        if border >= end:
            return
        at = border
