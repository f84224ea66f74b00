"""How much of each workload is done: ``--quick`` proves that everything works, the plain form measures."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Sizes:
    """Amounts of work. Slow servers get fewer points, which favours them: their databases stay small."""

    seconds: float = 6.0
    """Of load by single requests."""
    quiet_seconds: float = 3.0
    """How long a server must have rested before its CPU time is read."""
    batch_points: int = 1_000_000
    slower: tuple[tuple[str, int], ...] = (("mlflow", 10), ("fasttrackml", 5))
    """By what the points of batches are divided, by kind of server."""
    lanes: int = 4
    """Runs that log batches at the same time, each over a connection of its own."""
    runs: int = 10_000
    deep_page: int = 50
    large_runs: int = 100_000
    large_deep_page: int = 500
    huge_runs: int = 1_000_000
    huge_deep_page: int = 5_000
    repetitions: int = 20
    query_seconds: float = 8.0
    """A query is repeated no longer than that, but at least thrice."""
    history_points: int = 1_000_000
    long_points: int = 10_000_000
    wide: tuple[int, int, int] = (40, 1500, 150)
    """Runs, keys, steps."""
    big_gb: float = 1.0
    client_steps: int = 20_000
    client_points: int = 1_000_000
    client_pairs: int = 3
    """Of trainings, one of which is tracked from its middle on."""
    client_portion: int = 50
    """Steps, of some 10 ms each, that one of them does while the other is stopped."""
    client_rounds: tuple[int, int] = (10, 20)
    """Portions of each before and after."""
    large_file_bytes: int = 1024**3
    small_files: int = 1000

    def points_for(self, kind: str) -> int:
        return self.batch_points // dict(self.slower).get(kind, 1)


PLAIN = Sizes()
QUICK = Sizes(
    large_file_bytes=64 * 1024**2,
    small_files=200,
    seconds=2.0,
    quiet_seconds=1.0,
    batch_points=80_000,
    lanes=1,
    runs=1_000,
    deep_page=5,
    large_runs=3_000,
    large_deep_page=20,
    huge_runs=6_000,
    huge_deep_page=50,
    repetitions=7,
    query_seconds=3.0,
    history_points=50_000,
    long_points=500_000,
    wide=(6, 300, 50),
    big_gb=0.2,
    client_steps=4_000,
    client_points=50_000,
    client_pairs=1,
    client_portion=5,
    client_rounds=(2, 4),
)


def chosen(*, quick: bool, full_wide: bool, big_gb: float | None) -> Sizes:
    """The sizes of a form of the command."""
    sizes = QUICK if quick else PLAIN
    if full_wide:
        sizes = replace(sizes, wide=(1500, 1500, 150))
    return sizes if big_gb is None else replace(sizes, big_gb=big_gb)
