"""What runs cost, by the prices of the settings."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from logbuch import cost, settings
from logbuch.errors import InvalidInput
from logbuch.limits import clip
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.settings import Setting
from logbuch.store.answers import usage
from logbuch.store.tx import Tx
from logbuch.wire import cost as wire

Answer = dict[str, Any]


def prices() -> cost.Prices:
    """The prices of the settings; what is no number from 0 on counts as not set."""
    return cost.Prices(
        gpu_hour=_price(settings.PRICE_GPU_HOUR),
        kilowatt_hour=_price(settings.PRICE_KILOWATT_HOUR),
        currency=settings.CURRENCY.get() or "",
        co2_grams=_price(settings.CO2_GRAMS),
        gpu_watts=_price(settings.GPU_WATTS),
    )


def _price(setting: Setting) -> float | None:
    try:
        value = float(setting.get() or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _cost(tx: Tx, request: wire.AskCost, by: Caller) -> Answer:  # noqa: ARG001
    if request.by not in ("", "month"):
        raise InvalidInput(f"Invalid value {clip(request.by)!r} for parameter 'by': it is month, or absent.")
    if request.run_id and request.experiment_id:
        raise InvalidInput("'run_id' and 'experiment_id' cannot be given together: the one or the other.")
    if request.run_id:
        used = usage.of_run(tx, request.run_id)
    elif request.experiment_id:
        used = usage.of_experiment(tx, request.experiment_id)
    else:
        used = usage.everywhere(tx)
    asked = prices()
    answer: Answer = {"cost": msgspec.structs.asdict(cost.of_runs(used, asked))}
    if request.by:
        months = cost.by_month(used, asked)
        answer["months"] = [{"month": month, **msgspec.structs.asdict(one)} for month, one in months.items()]
    return answer


OPERATIONS = (Operation("GET", "/cost", wire.AskCost, False, _cost, "GPU hours, energy, money and CO2 of runs"),)
