"""Which workloads there are, on which servers they run, and running them one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from benchmarks import limits, servers
from benchmarks.figures import Figures, Findings, unit
from benchmarks.machine import Neighbours
from benchmarks.report import number
from benchmarks.servers import Maker, Server
from benchmarks.sizes import Sizes
from benchmarks.targets import BY_KEY, BY_KEY_POSTGRES, COPY
from benchmarks.workloads import artifacts, batch, client, search, series, single, start, wide

Measure = Callable[[Server, Sizes], Figures]

SHARED: dict[str, Measure] = {
    "start": start.measure,
    "log-metric": single.measure_metrics,
    "runs-create": single.measure_runs,
    "log-batch": batch.measure,
    "search": search.measure,
    "history": series.measure_history,
    "artifacts": artifacts.measure,
}
"""Workloads that every tracker is put to, one after the other on the same server."""

STRESS: dict[str, Measure] = {
    "long-series": series.measure_long,
    "wide": wide.measure,
}
"""Workloads that only Logbuch is put to, each on a server of its own."""

BIG_START, LARGE_SEARCH, CLIENT = "big-start", "large-search", "client"
USUAL = (*SHARED, LARGE_SEARCH, *STRESS, BIG_START, CLIENT)
HUGE: dict[str, Measure] = {"huge-search": search.measure_huge}
"""What takes so long that it is measured only where it is asked for."""
NAMES = (*USUAL, *HUGE)


@dataclass
class Bench:
    """One run of the benchmarks: what is chosen, how much of it, and what was found so far."""

    only: Collection[str]
    peers: Collection[str]
    sizes: Sizes
    findings: Findings
    neighbours: Neighbours

    def run(self) -> None:
        """Everything that is chosen; a workload that fails is noted, and the others go on."""
        self._limits()
        for name in self.peers:
            self._tracker(servers.MAKERS[name])
        for name in self.peers:
            if name.startswith("logbuch"):
                self._stress(name, servers.MAKERS[name])
        if CLIENT in self.only:
            self._clients()

    def _chosen(self, names: Collection[str]) -> list[str]:
        return [name for name in names if name in self.only]

    def _limits(self) -> None:
        single_requests = self._chosen(["log-metric", "runs-create"])
        if single_requests:
            self._with_server(servers.bare_asgi, {name: SHARED[name] for name in single_requests})
        if self._chosen(["log-metric", "log-batch"]):
            self._try("bare inserts", BY_KEY, lambda: limits.sqlite_inserts(min(self.sizes.seconds, 4)))
        if self._chosen(["artifacts"]):
            self._try("copy", COPY, lambda: artifacts.copy(self.sizes))
            self._with_server(lambda: servers.bare_asgi(keeping=True), {"bodies": artifacts.measure_bare})
        if self._chosen(["log-batch"]):
            self._try("decoding", "msgspec decoding", limits.decoding)

    def _tracker(self, make: Maker) -> None:
        chosen = self._chosen(SHARED)
        if chosen:
            self._with_server(make, {name: SHARED[name] for name in chosen})

    def _stress(self, name: str, make: Maker) -> None:
        workloads = {workload: (STRESS | HUGE)[workload] for workload in self._chosen(STRESS | HUGE)}
        if LARGE_SEARCH in self.only:
            workloads = {LARGE_SEARCH: self._large_search} | workloads
        if BIG_START in self.only and name == "logbuch-sqlite":
            workloads[BIG_START] = start.measure_big
        for workload, measure in workloads.items():
            self._with_server(make, {workload: measure})

    def _clients(self) -> None:
        self._try(CLIENT, "Logbuch (SQLite)", lambda: client.measure_ours(self.sizes))
        for peer in client.PEERS:
            if peer.installed():
                self._try(CLIENT, peer.subject, lambda peer=peer: client.measure(peer, self.sizes))  # type: ignore[misc]
            else:
                note = f"{peer.subject} is not installed here, or does not run on this Python."
                print(note, flush=True)
                self.findings.notes.append(note)

    def _large_search(self, server: Server, sizes: Sizes) -> Figures:
        figures, by_key = search.measure_large(server, sizes)
        if by_key:
            self.findings.add(BY_KEY if server.sqlite_file is not None else BY_KEY_POSTGRES, by_key)
        return figures

    def _with_server(self, make: Maker, workloads: dict[str, Measure]) -> None:
        try:
            with make() as server:
                for name, measure in workloads.items():
                    self._try(name, server.title, lambda measure=measure: measure(server, self.sizes))  # type: ignore[misc]
                    if not server.alive:
                        self._fail(f"{server.title} ended by itself: {server.log_tail()}")
                        break
                self.neighbours.own(server.database_cpu_seconds())
                self.findings.notes += server.notes
        except (OSError, RuntimeError) as error:
            self._fail(f"a server could not be measured: {error}")

    def _try(self, name: str, subject: str, measure: Callable[[], Figures]) -> None:
        begun = time.monotonic()
        print(f"{subject}: {name} …", flush=True)
        try:
            figures = measure()
        except Exception as error:  # noqa: BLE001  (what one workload does wrong must not cost the others' figures)
            self._fail(f"{subject}: {name}: {type(error).__name__}: {error}")
            return
        self.findings.add(subject, figures)
        for figure, value in figures.items():
            print(f"  {figure.removesuffix(f', {unit(figure)}')}: {number(value)} {unit(figure)}")
        print(f"  ({time.monotonic() - begun:.0f} s in all)", flush=True)

    def _fail(self, text: str) -> None:
        print(f"  FAILED: {text}", flush=True)
        self.findings.failures.append(text)
