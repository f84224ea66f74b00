"""A real notebook kernel: cells that are run again, that fail, that are interrupted; and the kernel's end."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

import logbuch
from logbuch.store import logs, open_store

pytestmark = [
    pytest.mark.slow,
    # What the kernel's own libraries do in this process.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning"),
]
SECONDS = 60


class Notebook:
    """Runs cells, as a notebook does."""

    def __init__(self, folder: Path) -> None:
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(folder), extra_arguments=["--HistoryManager.enabled=False"])
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=SECONDS)

    def begin(self, cell: str) -> str:
        return str(self._client.execute(cell))

    def until_printed(self, text: str) -> None:
        while text not in self._next("stream").get("text", ""):
            pass

    def end(self, cell: str) -> tuple[str, str]:
        """What a cell that has been begun prints until its end, and the name of the error that ended it."""
        printed = error = ""
        while True:
            message = self._message()
            if message["parent_header"].get("msg_id") != cell:
                continue
            kind, content = message["msg_type"], message["content"]
            printed += content["text"] if kind == "stream" else ""
            error = content["ename"] if kind == "error" else error
            if kind == "status" and content["execution_state"] == "idle":
                return printed, error

    def run(self, cell: str) -> tuple[str, str]:
        return self.end(self.begin(cell))

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def close(self) -> None:
        self._client.stop_channels()
        if self._manager.is_alive():
            self._manager.shutdown_kernel()
        self._manager.cleanup_resources()

    def _next(self, kind: str) -> dict[str, Any]:
        message = self._message()
        return dict(message["content"]) if message["msg_type"] == kind else {}

    def _message(self) -> dict[str, Any]:
        try:
            return dict(self._client.get_iopub_msg(timeout=SECONDS))
        except queue.Empty:
            pytest.fail("the kernel says nothing")


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    monkeypatch.setenv("LOGBUCH_CONSOLE", "auto")
    monkeypatch.setenv("LOGBUCH_QUIET", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    found = Notebook(tmp_path)
    yield found
    found.close()


def statuses() -> dict[str, str]:
    found = logbuch.search_runs(search_all_experiments=True, output_format="list")
    return {run.info.run_name: str(run.info.status) for run in found}


def test_cells_and_what_becomes_of_their_runs(notebook: Notebook, tmp_path: Path) -> None:
    def begin(name: str) -> str:
        printed, error = notebook.run(f"import logbuch\nrun = logbuch.start_run(run_name={name!r})")
        assert error == ""
        return printed

    assert begin("first") == ""
    assert notebook.run("logbuch.log_metric('m', 1.0); print('no block')") == ("no block\n", "")
    assert "Run first was still active from an earlier cell: ended as FINISHED." in begin("again")
    assert notebook.run("raise ValueError('boom')")[1] == "ValueError"
    assert "ended as FAILED" in begin("after an error")
    cell = notebook.begin("import time\nprint('waiting')\ntime.sleep(60)")
    notebook.until_printed("waiting")
    notebook.interrupt()
    assert notebook.end(cell)[1] == "KeyboardInterrupt"
    assert "ended as KILLED" in begin("after an interrupt")
    notebook.run("logbuch.end_run()")
    block = "with logbuch.start_run(run_name='block') as run:\n    print('heard')\n    print('and seen')\n"
    block += "print(run.info.run_id)"
    printed, _ = notebook.run(block)
    assert printed.splitlines()[:2] == ["heard", "and seen"]
    assert begin("until the kernel ends") == ""
    notebook.close()
    assert statuses() == {
        "first": "FINISHED",
        "again": "FAILED",
        "after an error": "KILLED",
        "after an interrupt": "FINISHED",
        "block": "FINISHED",
        "until the kernel ends": "FINISHED",
    }
    found = logbuch.search_runs(search_all_experiments=True, output_format="list", filter_string="run_name = 'again'")
    assert "boom" in found[0].data.tags["logbuch.error"]
    assert found[0].data.tags["mlflow.source.type"] == "NOTEBOOK"
    store = open_store(f"sqlite:///{tmp_path}/.logbuch/logbuch.db", seal=False)
    page = store.read(logs.page, printed.split()[-1], 0, None, 10)
    store.close()
    assert list(page.lines.texts) == ["heard", "and seen"]
