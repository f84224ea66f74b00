"""``logbuch import tensorboard``: event files written by PyTorch's SummaryWriter and by TensorBoard itself."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput
from logbuch.model import Run, ViewType
from logbuch.store import Store, histograms, open_store, search
from logbuch.store.metrics import series
from support.servers import Server

FIXTURE = Path(__file__).parent / "fixtures" / "tensorboard"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the fixture, which a test may damage."""
    return Path(shutil.copytree(FIXTURE, tmp_path / "logs"))


def bring(folder: Path, place: Path, *more: str) -> Result:
    arguments = ["import", "tensorboard", str(folder), "--backend-store-uri", f"sqlite:///{place}/logbuch.db"]
    return CliRunner().invoke(cli, [*arguments, "--report", str(place.parent / "report.json"), *more])


def report(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.parent / "report.json").read_text())
    return found


def runs(store: Store, experiment: str = "logs") -> Mapping[str, Run]:
    found = store.read(search.experiments, f"name = '{experiment}'", [], 10, "", ViewType.ALL)[0]
    ids = [one.experiment_id for one in found]
    return {run.info.run_name: run for run in store.read(search.runs, ids, "", [], 100, "", ViewType.ALL)[0]}


@pytest.fixture
def imported(folder: Path, tmp_path: Path) -> Callable[[], Store]:
    place = tmp_path / "store"
    done = bring(folder, place)
    assert done.exit_code == 0, done.output
    assert report(place)["missing"] == []
    return lambda: open_store(f"sqlite:///{place}/logbuch.db", seal=False)


def test_scalars_params_and_times_are_those_of_the_files(imported: Callable[[], Store]) -> None:
    store = imported()
    found = runs(store)
    assert found.keys() == {"torch", "tensors", "hp/one"}
    torch = found["torch"]
    loss = store.read(series.between, torch.info.run_id, "train/loss")
    assert loss.steps.tolist() == list(range(31))
    assert loss.timestamps.tolist() == [1_700_000_000_000 + 1000 * step for step in range(31)]
    assert loss.values[:2].tolist() == pytest.approx([1.0, 0.5])
    odd = store.read(series.between, torch.info.run_id, "odd_name_x_").values.tolist()
    assert math.isnan(odd[0])
    assert odd[1] == math.inf
    assert store.read(series.between, torch.info.run_id, "new").values.tolist() == [0.25, 0.5]
    assert torch.info.status == "FINISHED"
    assert found["hp/one"].data.params == {
        "lr": "0.1",
        "batch": "32",
        "opt": "adam",
        "flip": "1",
    }  # PyTorch writes a number
    assert found["tensors"].data.params == {"lr": "0.5", "layers": "3", "opt": "sgd", "flip": "True"}
    assert found["tensors"].data.metrics["loss"] == pytest.approx(0.2)
    store.close()


def test_histograms_are_the_same_of_old_summaries_and_tensors(imported: Callable[[], Store]) -> None:
    store = imported()
    for name in ("torch", "tensors"):
        found = store.read(histograms.read, runs(store)[name].info.run_id, "weights", 10)
        assert found.total == 1
        one = found.found[0]
        assert one.step == 5
        assert sum(one.counts) == 5
        assert (one.edges[0], one.edges[-1]) == (-1.0, 3.0)
    store.close()


def test_pictures_sounds_and_texts_are_files_of_the_run(imported: Callable[[], Store], tmp_path: Path) -> None:
    store = imported()
    root = tmp_path / "store" / "artifacts"
    run_id = runs(store)["torch"].info.run_id
    store.close()
    files = {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}
    mine = {path.partition("/artifacts/")[2]: content for path, content in files.items() if run_id in path}
    kinds = {path.partition("+")[0]: content for path, content in mine.items()}
    assert kinds["images/pic"].startswith(b"\x89PNG")
    assert kinds["media/audio/beep"].startswith(b"RIFF")
    assert kinds["text/note~text_summary"] == b"hello *world*"
    assert sum("images/pics" in path for path in files) == 2
    (curve,) = [json.loads(content) for path, content in files.items() if "media/pr-curve/" in path]
    assert curve["type"] == "pr-curve"
    (one,) = curve["curves"]
    assert len(one["thresholds"]) == len(one["precision"]) == len(one["recall"]) > 1
    assert one["thresholds"] == sorted(one["thresholds"], reverse=True)
    assert one["recall"] == sorted(one["recall"])
    assert (one["thresholds"][-1], one["recall"][-1]) == (0.0, 1.0)
    assert one["precision"][-1] == pytest.approx(one["positives"] / one["total"])
    assert 0 < one["average_precision"] <= 1


def test_run_again_it_takes_what_is_new_and_nothing_twice(
    folder: Path, imported: Callable[[], Store], tmp_path: Path
) -> None:
    imported().close()
    place = tmp_path / "store"
    first = report(place)["target"]
    later = folder / "torch" / "events.out.tfevents.1700000030.host.1.1.b"
    late = folder / "torch" / "events.out.tfevents.1700000040.host.1.2.c"
    late.write_bytes(later.read_bytes().replace(b"train/loss", b"trainXloss"))
    done = bring(folder, place)
    assert "record 2 of" in done.output  # its checksum is no longer that of its content
    again = report(place)
    assert again["target"] == first
    assert again["already_there"] == {name: first[name] for name in ("runs", "points", "files", "histograms")}


def test_a_session_of_add_hparams_belongs_to_the_training_in_whose_folder_it_is(folder: Path, tmp_path: Path) -> None:
    """PyTorch writes it to a folder of its own, mostly at the end: an import before that gets it later."""
    place, session = tmp_path / "store", folder / "hp" / "one"
    shutil.move(session, tmp_path / "session")
    assert bring(folder, place).exit_code == 0
    shutil.copytree(tmp_path / "session", folder / "torch" / "1700000031.25")
    assert bring(folder, place).exit_code == 0
    store = open_store(f"sqlite:///{place}/logbuch.db", seal=False)
    found = runs(store)
    assert found.keys() == {"torch", "tensors"}
    assert found["torch"].data.params["lr"] == "0.1"
    assert found["torch"].data.tags["logbuch.tensorboard.folder"] == "torch"
    assert len(store.read(series.between, found["torch"].info.run_id, "train/loss").steps) == 31
    store.close()


def test_several_sessions_in_a_folder_and_one_without_a_training_stay_apart(folder: Path, tmp_path: Path) -> None:
    for name in ("torch/1700000031.25", "torch/1700000032.5", "1700000033.5"):
        shutil.copytree(folder / "hp" / "one", folder / name)
    assert bring(folder, tmp_path / "store").exit_code == 0
    store = open_store(f"sqlite:///{tmp_path}/store/logbuch.db", seal=False)
    found = runs(store)
    assert found.keys() == {
        "torch", "tensors", "hp/one", "torch/1700000031.25", "torch/1700000032.5", "1700000033.5"
    }  # fmt: skip
    assert found["torch"].data.params == {}
    store.close()


def test_a_torn_file_gives_all_whole_records(folder: Path, tmp_path: Path) -> None:
    file = folder / "torch" / "events.out.tfevents.1700000000.host.1.0.a"
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    garbage = folder / "garbage" / "events.out.tfevents.1.host"
    garbage.parent.mkdir()
    garbage.write_bytes(b"no events at all, but long enough for a head")
    place = tmp_path / "store"
    assert bring(folder, place).exit_code == 1
    told = "\n".join(report(place)["missing"])
    assert f"the last record of {file}: it is cut short" in told
    assert str(garbage) in told
    assert report(place)["target"]["runs"] == 3
    file.write_bytes(whole)
    garbage.unlink()
    bring(folder, place)
    assert report(place)["target"]["points"] == 31 + 2 + 2 + 5 + 1


def test_a_server_takes_them_too(folder: Path, make_server: Callable[..., Server], tmp_path: Path) -> None:
    server = make_server()
    arguments = ["import", "tensorboard", str(folder), "--tracking-uri", server.url, "--experiment", "boards"]
    for _ in range(2):
        done = CliRunner().invoke(cli, [*arguments, "--report", str(tmp_path / "report.json")])
        assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "report.json").read_text())
    assert found["already_there"]["histograms"] == found["source"]["histograms"] == 2
    server.stop()
    store = open_store(server.store_uri, seal=False)
    mine = runs(store, "boards")["torch"]
    assert store.read(histograms.read, mine.info.run_id, "weights", 10).total == 1
    store.close()


def test_a_folder_without_events_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "else").mkdir()
    error = bring(tmp_path / "else", tmp_path / "store").exception
    assert isinstance(error, InvalidInput)
    assert "no folder of TensorBoard's" in error.message
    assert not (tmp_path / "store").exists()
