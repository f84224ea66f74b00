"""In what runs differ: params, code, environment, data and results, the differences first."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from logbuch.answers import BASELINE_TAG, is_label
from logbuch.errors import InvalidInput, LogbuchError
from logbuch.model import Noun, Run
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.recording.capture import DIFF_FILE, PACKAGES_FILE
from logbuch.stability.parts import SYSTEM

MOST_RUNS = 100
_CODE = {
    "mlflow.source.git.commit": "commit",
    "mlflow.source.git.branch": "branch",
    "mlflow.source.git.repoURL": "repository",
    "mlflow.source.git.dirty": "uncommitted changes",
    "logbuch.command": "command",
    "mlflow.source.name": "script",
}
_ENVIRONMENT = {
    "logbuch.python": "Python",
    "logbuch.os": "system",
    "logbuch.cpu": "CPU",
    "logbuch.gpu": "GPU",
    "logbuch.host": "host",
    "mlflow.user": "user",
}


class Side(StrEnum):
    """What a difference is about, in the order in which it is told."""

    PARAM = "param"
    CODE = "code"
    DATA = "data"
    ENVIRONMENT = "environment"
    PACKAGE = "package"
    METRIC = "metric"
    LABEL = "label"
    """Params that only name a run, or say where it ran: they are told last."""


class Difference(Noun, frozen=True, kw_only=True):
    """A name and its value in each run, in the order of the runs; null where a run has none.

    ``changes``, of metrics beside a baseline, are how far each run is from it as a share of its size; null where that
    is no finite number.
    """

    side: Side
    name: str
    values: tuple[str | None, ...]
    changes: tuple[float | None, ...] | None = None


class Comparison(Noun, frozen=True, kw_only=True):
    """Runs, all in which they differ, and how many things are equal in all of them."""

    run_ids: tuple[str, ...]
    names: tuple[str, ...]
    differences: tuple[Difference, ...]
    equal: int
    baseline: str | None = None
    """The ID of the experiment's baseline, if it is one of the runs; it is the first."""
    missing: tuple[str, ...] = ()
    """What could not be compared, as sentences."""


def diff_runs(run_ids: Sequence[str]) -> Comparison:
    """Compares two runs or more: params, commit and uncommitted changes, command, data sets, machine, packages, and
    last metrics but for those of the system.

    A single run is compared with the baseline of its experiment. InvalidInput for fewer than two runs or more than
    :data:`MOST_RUNS`; NotFound for a run that is not there.
    """
    client = LogbuchClient()
    wanted, baseline = _with_baseline(client, list(dict.fromkeys(run_ids)))
    if not 2 <= len(wanted) <= MOST_RUNS:
        alone = " A single one is compared with its experiment's baseline, if that is another." if wanted else ""
        raise InvalidInput(f"Give 2 to {MOST_RUNS} different runs, not {len(wanted)}.{alone}")
    runs = [client.get_run(run_id) for run_id in wanted]
    missing: list[str] = []
    files = _Files(client, missing)
    found: list[Difference] = []
    equal = 0
    for side, read in _sides(files).items():
        tables = [read(run) for run in runs]
        for name in dict.fromkeys(name for table in tables for name in table):
            values = tuple(table.get(name) for table in tables)
            if len(set(values)) > 1:
                changes = _changes(runs, name) if baseline and side is Side.METRIC else None
                found.append(Difference(side=side, name=name, values=values, changes=changes))
            else:
                equal += 1
    return Comparison(
        run_ids=tuple(wanted),
        names=tuple(run.info.run_name for run in runs),
        differences=tuple(found),
        equal=equal,
        baseline=baseline,
        missing=tuple(missing),
    )


def _with_baseline(client: LogbuchClient, wanted: list[str]) -> tuple[list[str], str | None]:
    """The runs, the baseline of the first one's experiment before them if it is among them or needed beside one."""
    if not 1 <= len(wanted) <= MOST_RUNS:
        return wanted, None
    tags = client.get_experiment(client.get_run(wanted[0]).info.experiment_id).tags
    pinned = tags.get(BASELINE_TAG)
    if pinned is None or (len(wanted) > 1 and pinned not in wanted):
        return wanted, None
    return list(dict.fromkeys([pinned, *wanted])), pinned


def _changes(runs: Sequence[Run], name: str) -> tuple[float | None, ...]:
    """How far a metric is from that of the first run."""
    base, *others = (run.data.metrics.get(name, math.nan) for run in runs)
    apart = [(value - base) / abs(base) if base else math.nan for value in others]
    return (None, *(change if math.isfinite(change) else None for change in apart))


def _sides(files: _Files) -> Mapping[Side, Callable[[Run], Mapping[str, str]]]:
    return {
        Side.PARAM: lambda run: {key: value for key, value in run.data.params.items() if not is_label(key)},
        Side.CODE: lambda run: _named(run, _CODE) | files.patch(run),
        Side.DATA: _data,
        Side.ENVIRONMENT: lambda run: _named(run, _ENVIRONMENT),
        Side.PACKAGE: files.packages,
        Side.METRIC: _metrics,
        Side.LABEL: lambda run: {key: value for key, value in run.data.params.items() if is_label(key)},
    }


def _named(run: Run, names: Mapping[str, str]) -> dict[str, str]:
    tags = run.data.tags
    return {name: tags[key] for key, name in names.items() if key in tags}


def _data(run: Run) -> Mapping[str, str]:
    return {used.dataset.name: used.dataset.digest for used in run.inputs.dataset_inputs}


def _metrics(run: Run) -> Mapping[str, str]:
    return {key: f"{value:.6g}" for key, value in sorted(run.data.metrics.items()) if not key.startswith(SYSTEM)}


class _Files:
    """What runs have recorded as files; each is fetched into a folder that goes at once."""

    def __init__(self, client: LogbuchClient, missing: list[str]) -> None:
        self._client, self._missing = client, missing

    def patch(self, run: Run) -> dict[str, str]:
        """The uncommitted changes, as a digest and their size."""
        if run.data.tags.get("mlflow.source.git.dirty") != "true":
            return {}
        text = self._text(run, DIFF_FILE)
        if text is None:
            return {}
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        changed = sum(line[:1] in "+-" and line[:3] not in ("+++", "---") for line in text.splitlines() if line)
        return {"changes": f"{changed} lines ({digest})"}

    def packages(self, run: Run) -> Mapping[str, str]:
        text = self._text(run, PACKAGES_FILE)
        pairs = (line.partition("==") for line in (text or "").splitlines())
        return {name: version for name, equals, version in pairs if equals}

    def _text(self, run: Run, path: str) -> str | None:
        with tempfile.TemporaryDirectory() as folder:
            try:
                return Path(self._client.download_artifacts(run.info.run_id, path, folder)).read_text(
                    "utf-8", "replace"
                )
            except (LogbuchError, OSError):
                self._missing.append(f"{run.info.run_name} has recorded no {path}.")
                return None
