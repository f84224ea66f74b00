"""What Logbuch can keep of a run from elsewhere. What it cannot is left out by itself and named; the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import msgspec
import numpy as np

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import DatasetInput, Experiment, Param, Run, RunInputs, Tag
from logbuch.store.inputs import check_input
from logbuch.store.metrics.incoming import Incoming
from logbuch.transfer.report import Report

NAME_TAG = "mlflow.runName"
_Labelled = TypeVar("_Labelled", Param, Tag)


def experiment(wanted: Experiment, report: Report) -> Experiment:
    """An experiment with the tags that can be kept."""
    where = f"experiment {limits.clip(wanted.name)!r}"
    kept = _texts(wanted.tag_list, limits.EXPERIMENT_TAG_VALUE_LENGTH, "tag", where, report)
    return msgspec.structs.replace(wanted, tag_list=kept)


def run(wanted: Run, report: Report) -> Run:
    """A run with the params, tags and data sets that can be kept. One without a name is called by its ID."""
    info, where = wanted.info, f"run {wanted.info.run_id}"
    tags = _texts(wanted.data.tag_list, limits.RUN_TAG_VALUE_LENGTH, "tag", where, report)
    if not info.run_name:
        named = next((tag.value for tag in tags if tag.key == NAME_TAG and tag.value), "")
        if not named:
            report.note("runs without a name, called by the beginning of their ID")
        info = msgspec.structs.replace(info, run_name=(named or info.run_id)[: limits.RUN_NAME_LENGTH if named else 8])
    data = msgspec.structs.replace(
        wanted.data,
        param_list=_texts(wanted.data.param_list, limits.PARAM_VALUE_LENGTH, "param", where, report),
        tag_list=tags,
    )
    used = tuple(one for one in wanted.inputs.dataset_inputs if _fits(one, where, report))
    inputs = RunInputs(dataset_inputs=used, model_inputs=wanted.inputs.model_inputs)
    return msgspec.structs.replace(wanted, info=info, data=data, inputs=inputs)


def points(run_id: str, found: Incoming, report: Report) -> Incoming:
    """The points whose keys can be kept."""
    bad = [place for place, name in enumerate(found.names) if not _key_fits(name, f"metric of run {run_id}", report)]
    if not bad:
        return found
    kept = ~np.isin(np.asarray(found.index), bad)
    columns = (np.asarray(column)[kept] for column in (found.index, found.steps, found.timestamps, found.values))
    return Incoming(found.names, *columns)


def _texts(items: Iterable[_Labelled], limit: int, what: str, where: str, report: Report) -> tuple[_Labelled, ...]:
    kept: dict[str, _Labelled] = {}
    for item in items:
        name = f"{what} {limits.clip(item.key)!r} of {where}"
        value = item.value
        if len(value) > limit:
            report.lost(f"the end of {name}", f"it has {len(value):,} characters, and {limit:,} are kept")
            value = value[:limit]
        if _passes(partial(_check, item.key, value, limit), name, report):
            kept[item.key] = item if value is item.value else msgspec.structs.replace(item, value=value)
    return tuple(kept.values())


def _check(key: str, value: str, limit: int) -> None:
    limits.check_key(key, "key")
    limits.check_text(key, "key", limits.KEY_LENGTH)
    limits.check_text(value, "value", limit)


def _key_fits(key: str, where: str, report: Report) -> bool:
    return _passes(lambda: _check(key, "", 0), f"{limits.clip(key)!r}, a {where}", report)


def _fits(used: DatasetInput, where: str, report: Report) -> bool:
    return _passes(lambda: check_input(used), f"data set {limits.clip(used.dataset.name)!r} of {where}", report)


def _passes(check: Callable[[], Any], what: str, report: Report) -> bool:
    try:
        check()
    except InvalidInput as error:
        report.lost(what, error.message)
        return False
    return True
