"""PyTorch's DataLoader with worker processes: what they print and log is the run's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import logbuch
from logbuch.store import logs, open_store

TRAINING = """
import sys
import torch
import logbuch

class Rows(torch.utils.data.Dataset):
    def __len__(self):
        return 8

    def __getitem__(self, number):
        print("row", number)
        print("careful", number, file=sys.stderr)
        logbuch.log_metric("loaded", float(number), step=number)
        return torch.tensor([float(number)])

if __name__ == "__main__":
    torch.set_num_threads(1)
    with logbuch.start_run() as run:
        for epoch in range(EPOCHS):
            loader = torch.utils.data.DataLoader(Rows(), batch_size=2, num_workers=2, multiprocessing_context=METHOD)
            for batch in loader:
                pass
        print("trained")
"""


@pytest.mark.slow
@pytest.mark.parametrize(("method", "epochs"), [("fork", 2), ("spawn", 1)])
def test_workers_of_a_dataloader(tmp_path: Path, method: str, epochs: int) -> None:
    script = tmp_path / "train.py"
    script.write_text(TRAINING.replace("METHOD", repr(method)).replace("EPOCHS", str(epochs)))
    environment = os.environ | {"LOGBUCH_CONSOLE": "wrap", "LOGBUCH_QUIET": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    (run,) = logbuch.search_runs(search_all_experiments=True, output_format="list")
    assert run.info.status == "FINISHED"
    assert len(logbuch.LogbuchClient().get_metric_history(run.info.run_id, "loaded")) == 8 * epochs
    store = open_store(f"sqlite:///{tmp_path}/.logbuch/logbuch.db", seal=False)
    lines = store.read(logs.page, run.info.run_id, 0, None, 1000).lines
    store.close()
    for text, stream in (("row", "stdout"), ("careful", "stderr")):
        heard = sorted(line for line in lines.texts if line.startswith(text))
        assert heard == sorted(epochs * [f"{text} {number}" for number in range(8)])
        places = [place for place, line in zip(lines.origin, lines.texts, strict=True) if line.startswith(text)]
        assert {lines.origins[place].stream for place in places} == {stream}
        assert all(lines.origins[place].source.startswith(f"{method.capitalize()}Process-") for place in places)
    assert "trained" in lines.texts
