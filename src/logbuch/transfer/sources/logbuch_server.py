"""A running Logbuch server as a source: what MLflow's protocol tells, and what only Logbuch keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import Any

import msgspec

from logbuch.errors import EndpointNotFound
from logbuch.limits import AUDIT_PER_PAGE_DEFAULT, HISTOGRAMS_PER_ANSWER, LOG_LINES_PER_PAGE
from logbuch.registry import AuditEntry, MovedRegistration
from logbuch.sdk.backends.http import HttpBackend
from logbuch.store.histograms import Histogram
from logbuch.store.tx import LogLines
from logbuch.transfer import output
from logbuch.transfer.source import SourceRun
from logbuch.transfer.sources.tracking_server import TrackingServer

_NATIVE = "/api/logbuch/1"
_COLUMNS = ("steps", "timestamps", "edges", "counts", "nan", "infinite")


def is_logbuch(address: str) -> bool:
    """Whether the server at an address is a Logbuch. Raises Unavailable if nothing answers there."""
    with closing(HttpBackend(address)) as backend:
        try:
            backend.greet([])
        except EndpointNotFound:
            return False
        return True


class LogbuchServerSource(TrackingServer):
    """With histograms, console output and the audit trail of models."""

    one_by_one = False

    def histograms(self, run: SourceRun) -> Iterator[Histogram]:
        run_id = run.run.info.run_id
        with self._telling(f"histograms of run {run_id}"):
            for series in self._ask("GET", f"{_NATIVE}/runs/media", {"run_id": run_id})["media"]:
                if series["kind"] == "histogram" and None in series["paths"]:
                    yield from self._histograms(run_id, series["key"])

    def _histograms(self, run_id: str, key: str) -> Iterator[Histogram]:
        query = {"run_id": run_id, "key": key, "limit": HISTOGRAMS_PER_ANSWER}
        answer = self._ask("GET", f"{_NATIVE}/runs/histograms", query)
        columns = [answer[name] for name in _COLUMNS]
        if answer["total"] > len(columns[0]):
            self.report.lost(
                f"histograms {key!r} of run {run_id}",
                f"of {answer['total']:,} a server tells {len(columns[0]):,}; its database has all",
            )
        for row in zip(*columns, strict=True):
            yield Histogram(key, *row)

    def lines(self, run: SourceRun) -> Iterator[LogLines]:
        query = {"run_id": run.run.info.run_id, "limit": LOG_LINES_PER_PAGE}
        with self._telling(f"output of run {run.run.info.run_id}"):
            yield from output.of_pages(
                lambda after: output.page_in(self._ask("GET", f"{_NATIVE}/runs/logs", query | {"after": after}))
            )

    def registered_models(self) -> Iterable[MovedRegistration]:
        for found in super().registered_models():
            yield msgspec.structs.replace(found, history=tuple(self._history(found.model.name)))

    def _history(self, name: str) -> list[AuditEntry]:
        """The audit trail of a model, the oldest entry first."""
        found: list[dict[str, Any]] = []
        with self._telling(f"audit trail of model {name!r}"):
            query = {"name": name, "max_results": AUDIT_PER_PAGE_DEFAULT}
            found = list(self._pages("GET", f"{_NATIVE}/registry/audit", query, "entries"))
        return [msgspec.convert(entry | {"id": 0}, AuditEntry) for entry in reversed(found)]
