"""Event files and W&B's records that are damaged or made to do harm: each is lost by itself, and named."""

from __future__ import annotations

import json
import tracemalloc
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.model import Run, ViewType
from logbuch.store import open_store, search
from logbuch.store.metrics import series
from logbuch.transfer.formats import protobuf
from logbuch.transfer.formats.protobuf import Message, Torn
from support import records

BFLOAT16, STRING, HALF = 14, 7, 19


def bring(kind: str, folder: Path, place: Path) -> tuple[Result, str]:
    """Imports a folder: what the command answers, and what its report misses."""
    report = place / "report.json"
    arguments = ["import", kind, str(folder), "--backend-store-uri", f"sqlite:///{place}/store/logbuch.db"]
    done = CliRunner().invoke(cli, [*arguments, "--report", str(report)])
    assert done.exit_code in (0, 1), done.exception
    missing: list[str] = json.loads(report.read_text())["missing"]
    assert done.exit_code == bool(missing)
    return done, "\n".join(missing)


def runs(place: Path) -> dict[str, Run]:
    store = open_store(f"sqlite:///{place}/store/logbuch.db", seal=False)
    found = store.read(search.runs, ["1"], "", [], 100, "", ViewType.ALL)[0]
    store.close()
    return {run.info.run_name: run for run in found}


@pytest.mark.parametrize(
    "value",
    [
        records.tensor("x", "scalars", records.whole(1, HALF) + records.whole(13, 70000)),
        records.tensor("x", "scalars", records.whole(1, BFLOAT16) + records.whole(13, 2**64 - 1)),
        records.tensor("x", "images", records.whole(1, STRING) + 2 * records.blob(8, b"1") + records.whole(8, 10**12)),
        records.tensor("x", "audio", records.whole(1, STRING) + records.whole(8, 10**12)),
        records.tensor("x", "text", records.whole(1, STRING) + records.whole(8, 5)),
        records.tensor("x", "histograms", records.whole(1, HALF) + records.whole(13, 70000)),
        records.whole(1, 5) + records.scalar("", 1.0),
        records.tensor("x", "pr_curves", records.whole(1, 1) + records.blob(4, b"12345678")),
        records.tensor("x", "mesh", records.whole(1, 1) + records.blob(4, b"12345678")),
    ],
    ids=count(),
)
def test_a_value_of_tensorboard_that_is_none_is_lost_alone(value: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    records.events(folder / "a" / "events.out.tfevents.1", value, records.scalar("loss", 0.5))
    records.events(folder / "b" / "events.out.tfevents.1", records.scalar("loss", 0.25))
    _, told = bring("tensorboard", folder, tmp_path)
    assert told
    assert {name: run.data.metrics for name, run in runs(tmp_path).items()} == {"a": {"loss": 0.5}, "b": {"loss": 0.25}}


def test_a_param_of_tensorboard_that_is_cut_is_told(tmp_path: Path) -> None:
    pair = records.blob(1, b"note") + records.blob(2, records.blob(3, b"x" * 6001))
    session = records.blob(1, b"hparams") + records.blob(2, records.blob(3, records.blob(1, pair)))
    value = records.blob(1, b"_hparams_/session_start_info") + records.blob(9, records.blob(1, session))
    records.events(tmp_path / "logs" / "a" / "events.out.tfevents.1", value)
    _, told = bring("tensorboard", tmp_path / "logs", tmp_path)
    assert "the end of param 'note'" in told
    assert len(runs(tmp_path)["a"].data.params["note"]) == 6000


@pytest.mark.parametrize(
    "bad",
    [
        records.history(1, {"loss": "9", "_timestamp": "null"}),
        records.history(1, {"loss": "9", "_timestamp": "1e300"}),
        records.history(1, {"loss": "9", "_timestamp": "NaN"}),
        records.history(1, {"loss": "9", "deep": "[" * 20000}),
        records.history(1, {"loss": "9", "deep": "[" * 500 + "]" * 500}),
        records.history(1, {"loss": "9", "long": "1" * 5000}),
        records.history(1, {"loss": "9", "large": "1" * 400}),
        records.blob(2, records.blob(1, records.whole(2, 5) + records.blob(16, b"1"))),
        records.summary(["deep"] * 2000, "1"),
        records.summary(["deep"], '{"a":' * 900 + "1" + "}" * 900),
        records.summary(["large"], "1" * 400),
        records.blob(5, records.blob(1, records.blob(1, b"deep") + records.blob(16, b"[" * 990 + b"]" * 990))),
        records.history(1, {"h": '{"_type": "histogram", "bins": ["a", null], "values": [{}]}'}),
        records.history(1, {"p": '{"_type": "images/separated", "filenames": 5}'}),
        records.history(1, {"p": '{"_type": "image-file", "path": "\\ud800.png"}'}),
    ],
    ids=count(),
)
def test_a_record_of_wandb_that_is_none_is_lost_alone(bad: bytes, tmp_path: Path) -> None:
    rows = [records.history(step, {"loss": f"{step}.5", "_timestamp": "1700000000"}) for step in (0, 2)]
    records.wandb_run(tmp_path / "wandb", "aaaa1111", rows[0], bad, rows[1])
    records.wandb_run(tmp_path / "wandb", "bbbb2222", rows[0])
    _, told = bring("wandb", tmp_path / "wandb", tmp_path)
    assert told or b"filenames" in bad
    assert runs(tmp_path).keys() == {"aaaa1111", "bbbb2222"}
    store = open_store(f"sqlite:///{tmp_path}/store/logbuch.db", seal=False)
    loss = store.read(series.between, "aaaa1111", "loss")
    store.close()
    assert (loss.steps.tolist(), loss.values.tolist()) == ([0, 2], [0.5, 2.5])
    assert set(loss.timestamps.tolist()) == {1_700_000_000_000}


def test_a_text_of_wandb_that_is_cut_is_told(tmp_path: Path) -> None:
    item = records.blob(1, b"note") + records.blob(16, json.dumps("x" * 6001).encode())
    records.wandb_run(tmp_path / "wandb", "aaaa1111", records.blob(5, records.blob(1, item)))
    _, told = bring("wandb", tmp_path / "wandb", tmp_path)
    assert "the end of param 'note'" in told


def test_links_that_lead_out_of_wandbs_folder_are_told_and_not_followed(tmp_path: Path) -> None:
    place = records.wandb_run(tmp_path / "wandb", "aaaa1111", records.history(0, {"loss": "1"}))
    (tmp_path / "secret").write_text("top")
    (tmp_path / "folder").mkdir()
    (place / "files" / "own.txt").write_text("mine")
    (place / "files" / "inside.txt").symlink_to(place / "files" / "own.txt")
    (place / "files" / "out.txt").symlink_to(tmp_path / "secret")
    (place / "files" / "folder").symlink_to(tmp_path / "folder")
    other = records.wandb_run(tmp_path / "wandb", "bbbb2222")
    (other / "files").rmdir()
    (other / "files").symlink_to(tmp_path)
    _, told = bring("wandb", tmp_path / "wandb", tmp_path)
    for name in ("'out.txt'", "'folder'", "'secret'"):
        assert f"file {name} of run" in told
    kept = {file.name: file.read_text() for file in (tmp_path / "store" / "artifacts").rglob("*.txt")}
    assert kept == {"own.txt": "mine", "inside.txt": "mine"}


@pytest.mark.parametrize("field", [records.blob(1, b""), records.whole(1, 2**32 - 1)], ids=count())
def test_a_message_of_countless_fields_is_refused_before_it_fills_the_memory(field: bytes) -> None:
    content = field * 1_000_000
    tracemalloc.start()
    try:
        with pytest.raises(Torn, match="more than"):
            Message(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 300 * protobuf.FIELDS


def test_a_message_keeps_as_many_fields_as_are_allowed() -> None:
    found: Any = Message(records.whole(3, 7) * protobuf.FIELDS)
    assert len(found.integers(3)) == protobuf.FIELDS
