"""``logbuch import wandb``: a run that the real client of W&B (0.31) has written offline."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput
from logbuch.model import Run, ViewType
from logbuch.store import Store, histograms, logs, open_store, search
from logbuch.store.metrics import series

FIXTURE = Path(__file__).parent / "fixtures" / "wandb"
RUN = "8xs9q1q5"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "wandb"))


def bring(folder: Path, place: Path, *more: str) -> Result:
    arguments = ["import", "wandb", str(folder), "--backend-store-uri", f"sqlite:///{place}/logbuch.db"]
    return CliRunner().invoke(cli, [*arguments, "--report", str(place.parent / "report.json"), *more])


def report(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.parent / "report.json").read_text())
    return found


def only_run(store: Store) -> Run:
    experiments = store.read(search.experiments, "name = 'vision'", [], 10, "", ViewType.ALL)[0]
    ids = [one.experiment_id for one in experiments]
    (found,) = store.read(search.runs, ids, "", [], 10, "", ViewType.ALL)[0]
    return found


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> Iterator[Store]:
    done = bring(folder, tmp_path / "store")
    assert done.exit_code == 0, done.output
    opened = open_store(f"sqlite:///{tmp_path}/store/logbuch.db", seal=False)
    yield opened
    opened.close()


def test_head_config_history_and_summary_are_those_of_the_run(store: Store) -> None:
    run = only_run(store)
    assert (run.info.run_id, run.info.run_name, run.info.status) == (RUN, "first", "FINISHED")
    assert run.data.params == {"lr": "0.1", "net.depth": "12", "list": "[1, 2]"}
    wanted = {"wandb.tags": "a, b", "wandb.group": "g", "wandb.job_type": "train", "mlflow.note.content": "why"}
    assert wanted.items() <= run.data.tags.items()
    loss = store.read(series.between, RUN, "loss")
    assert loss.steps.tolist() == list(range(20))
    assert loss.values.tolist() == [1 / (1 + step) for step in range(20)]
    assert store.read(series.between, RUN, "val/acc").steps.tolist() == list(range(1, 20, 2))
    assert store.read(series.between, RUN, "late").steps.tolist() == [100]
    assert math.isnan(run.data.metrics["odd"])
    assert run.data.metrics["inf"] == math.inf
    assert run.data.metrics["best"] == 0.5  # it stands in the summary alone
    assert any(key.startswith("system/") for key in run.data.metrics)
    assert run.info.end_time is not None
    assert 0 < run.info.end_time - run.info.start_time < 60_000


def test_histograms_output_and_files_come_along(store: Store, tmp_path: Path) -> None:
    one = store.read(histograms.read, RUN, "hist", 10).found[0]
    assert (one.step, sum(one.counts), one.edges[0], one.edges[-1]) == (20, 3, 1.0, 3.0)
    texts = store.read(logs.page, RUN, None, None, 1000).lines.texts
    assert [text for text in texts if text.startswith("step")] == [f"step {number}" for number in range(20)]
    assert "whole line" in texts
    files = [file.name for file in (tmp_path / "store" / "artifacts").rglob("*") if file.is_file()]
    assert sum(name.startswith("pic+step+21+") for name in files) == 1
    assert "output.log" in files


def test_run_again_nothing_is_taken_twice(folder: Path, store: Store, tmp_path: Path) -> None:
    first = report(tmp_path / "store")["target"]
    done = bring(folder, tmp_path / "store")
    assert done.exit_code == 0, done.output
    again = report(tmp_path / "store")
    assert again["target"] == first
    for noun in ("points", "lines", "histograms", "files"):
        assert again["already_there"][noun] == first[noun]
    assert store.read(logs.page, RUN, None, None, 1).head.total == first["lines"]


def test_a_file_that_is_cut_short_gives_what_is_whole_and_the_rest_later(folder: Path, tmp_path: Path) -> None:
    file = next(folder.glob("*/run-*.wandb"))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    place = tmp_path / "store"
    done = bring(folder, place)
    assert done.exit_code == 1
    assert f"the last record of {file}: it is cut short" in report(place)["missing"]
    store = open_store(f"sqlite:///{place}/logbuch.db", seal=False)
    assert only_run(store).info.status == "KILLED"
    store.close()
    file.write_bytes(whole)
    assert bring(folder, place).exit_code == 0
    store = open_store(f"sqlite:///{place}/logbuch.db", seal=False)
    assert only_run(store).info.status == "FINISHED"
    assert store.read(series.between, RUN, "loss").steps.tolist() == list(range(20))
    texts = store.read(logs.page, RUN, None, None, 1000).lines.texts
    assert [text for text in texts if text.startswith("step")] == [f"step {number}" for number in range(20)]
    store.close()


def test_what_is_damaged_or_missing_is_named(folder: Path, tmp_path: Path) -> None:
    file = next(folder.glob("*/run-*.wandb"))
    content = bytearray(file.read_bytes())
    content[13_900:13_910] = bytes(10)
    file.write_bytes(content)
    next(folder.rglob("*.png")).unlink()
    other = folder / "offline-run-x" / "run-other.wandb"
    other.parent.mkdir()
    other.write_bytes(b"something else")
    done = bring(folder, tmp_path / "store")
    assert done.exit_code == 1, done.output
    told = "\n".join(report(tmp_path / "store")["missing"])
    assert f"block 1 of {file}" in told
    assert ".png' of run" in told
    assert str(other) in told
    assert report(tmp_path / "store")["target"]["runs"] == 1


def test_a_folder_without_runs_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    error = bring(tmp_path / "else", tmp_path / "store").exception
    assert isinstance(error, InvalidInput)
    assert "no folder of W&B's" in error.message
