"""git repositories with programs in them, and runs of those programs in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import logbuch

WHO = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


class Repository:
    """A repository in a folder; its programs log to ``store``, a folder or a server's address."""

    def __init__(self, folder: Path, store: Path | str) -> None:
        self.folder, self.store = folder, store
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=os.environ | WHO, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, **texts: str) -> None:
        """Writes modules by their names; ``__`` is a folder."""
        for name, text in texts.items():
            place = self.folder / (name.replace("__", "/") + ".py")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)

    def commit(self) -> str:
        self.git("add", ".")
        self.git("commit", "-qm", "more")
        return self.git("rev-parse", "HEAD")

    def state(self) -> str:
        """All that a checkout consists of, to be compared."""
        files = {str(path): path.read_bytes() for path in self._files()}
        return f"{self.git('status', '--porcelain')} {self.git('rev-parse', 'HEAD')} {sorted(files.items())}"

    def _files(self) -> Iterator[Path]:
        return (path for path in self.folder.glob("**/*") if path.is_file() and ".git" not in path.parts)

    def run(self, *arguments: str, folder: Path | None = None, command: tuple[str, ...] = ()) -> str:
        """Runs ``python`` with these arguments; returns the ID of the run that it made."""
        return run_program(self.store, folder or self.folder, *arguments, command=command)


def run_program(store: Path | str, folder: Path, *arguments: str, command: tuple[str, ...] = ()) -> str:
    """Runs ``python`` (or ``command``) in a folder; returns the ID of the newest run in the store."""
    environment = os.environ | {"LOGBUCH_TRACKING_URI": str(store), "LOGBUCH_QUIET": "1"}
    subprocess.run([*(command or (sys.executable,)), *arguments], cwd=folder, env=environment, check=True)
    return newest(store)


def newest(store: Path | str) -> str:
    """The ID of the run that was started last."""
    logbuch.set_tracking_uri(str(store))
    runs = logbuch.search_runs(search_all_experiments=True, output_format="list", max_results=1)
    return str(runs[0].info.run_id)


def curve(run_id: str, metric: str) -> list[tuple[int, float]]:
    """Steps and values of a metric."""
    points = logbuch.LogbuchClient().get_metric_history(run_id, metric)
    return [(point.step, point.value) for point in points]


def reproduced(store: Path | str, folder: Path, run_id: str, *arguments: str) -> str:
    """``logbuch reproduce`` with this interpreter, from a folder that is made here: what it prints, as JSON."""
    command = [sys.executable, "-m", "logbuch", "reproduce", run_id, "--yes", "--json", "--into", "again"]
    environment = os.environ | {"LOGBUCH_TRACKING_URI": str(store), "LOGBUCH_QUIET": "1"}
    folder.mkdir()
    done = subprocess.run(
        [*command, "--env", "current", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
