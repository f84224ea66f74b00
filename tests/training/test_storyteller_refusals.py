"""What cannot be trained is one clear line, ends the run as FAILED with the reason, and leaves nothing half-written."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import logbuch
from storyteller import checkpoints, configfile, tokenizer
from storyteller.checkpoints import Progress
from storyteller.commands.train import main
from storyteller.config import Config
from storyteller.errors import TrainingError
from storyteller.model import Storyteller
from support import readback
from support.servers import Server
from support.storytelling import config


@pytest.fixture
def own(stories: Path, tmp_path: Path) -> Path:
    """Data that a test may spoil."""
    return Path(shutil.copytree(stories, tmp_path / "data", ignore=shutil.ignore_patterns(".tokens")))


@pytest.fixture
def refused(
    own: Path, tmp_path: Path, shared_server: Server, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """Runs the command on a configuration; gives the line that it says, which must be the run's reason too."""
    logbuch.set_tracking_uri(shared_server.url)

    def run(chosen: Config, *arguments: str) -> str:
        file = tmp_path / "own.yaml"
        file.write_text(yaml.safe_dump(configfile.plain(chosen)))
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(file), *arguments])
        assert ended.value.code == 1
        said = [line for line in capsys.readouterr().err.splitlines() if line.startswith(Path(sys.argv[0]).name)]
        (line,) = said
        found = logbuch.get_experiment_by_name(str(tmp_path))
        ended_run = readback.runs(found.experiment_id)[-1]
        assert ended_run.info.status == "FAILED"
        assert line.partition(": ")[2] in ended_run.data.tags["logbuch.error"]
        return line.partition(": ")[2]

    yield run


@pytest.fixture
def told(own: Path, tmp_path: Path, shared_server: Server) -> Callable[..., Config]:
    def make(*overrides: str, **model: object) -> Config:
        tracker = [f"training.mlflow_tracking_uri={shared_server.url}", f"training.mlflow_experiment_name={tmp_path}"]
        return config(own, tmp_path / "out", *tracker, "training.max_steps=2", *overrides, **model)

    return make


def test_missing_data(refused: Callable[..., str], told: Callable[..., Config], own: Path, tmp_path: Path) -> None:
    (own / "val.jsonl").unlink()
    assert refused(told()) == f"There is no data file {own / 'val.jsonl'}: storyteller-preprocess makes it."
    (own / "tokenizer.json").unlink()
    assert refused(told()) == f"There is no tokenizer {own / 'tokenizer.json'}: storyteller-tokenizer makes it."
    assert not (tmp_path / "out").exists()


def test_a_row_without_a_text(refused: Callable[..., str], told: Callable[..., Config], own: Path) -> None:
    with (own / "train.jsonl").open("a") as file:
        file.write('{"story": "once"}\n')
    assert refused(told()) == f"{own / 'train.jsonl'}, line 51: a row without a text."
    assert list((own / ".tokens").glob("*")) == []


def test_a_damaged_tokenizer(refused: Callable[..., str], told: Callable[..., Config], own: Path) -> None:
    (own / "tokenizer.json").write_text("{")
    assert refused(told()).startswith(f"Tokenizer {own / 'tokenizer.json'} cannot be read: ")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_machine_without_a_compiler(
    refused: Callable[..., str], told: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor import config as inductor

    monkeypatch.setattr(inductor.cpp, "cxx", ("no-such-compiler",))
    said = refused(told("training.compile=true"))
    assert said.startswith("The model cannot be compiled: ")
    assert "No working C++ compiler found" in said
    assert said.endswith("On a processor that takes a C++ compiler; training.compile=false does without.")


def test_a_sequence_longer_than_the_context(refused: Callable[..., str], told: Callable[..., Config]) -> None:
    said = refused(told("training.sequence_length=33"))
    assert said == "Invalid training.sequence_length 33: the model's context, model.max_sequence_length, is 32."


def test_a_vocabulary_smaller_than_the_tokenizers(refused: Callable[..., str], told: Callable[..., Config]) -> None:
    assert "Invalid model.vocab_size 100: the tokenizer has" in refused(told(vocab_size=100))


def test_a_checkpoint_of_another_model(
    refused: Callable[..., str], told: Callable[..., Config], tmp_path: Path
) -> None:
    known = tokenizer.load(tmp_path / "data" / "tokenizer.json")
    chosen = told()
    place = checkpoints.save(tmp_path / "out", Storyteller(chosen.model), known, chosen, {}, Progress(step=1))
    said = refused(told(num_layers=3), "--resume", str(place))
    assert said == f"Invalid model.num_layers 3: checkpoint {place} has 2."


@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt"])
def test_no_space_for_a_checkpoint(told: Callable[..., Config], tmp_path: Path, name: str) -> None:
    """A limit to the size of files stands for a full disk: each way of writing meets it."""
    import torch

    known = tokenizer.load(tmp_path / "data" / "tokenizer.json")
    chosen = told()
    large = {"model.safetensors": Storyteller(chosen.model), "optimizer.pt": Storyteller(told(num_layers=1).model)}
    states = {"optimizers": [{"state": torch.zeros(300_000 if name == "optimizer.pt" else 1)}]}
    limit = sum(weight.numel() for weight in large[name].parameters()) * 4 // 2
    limit = 1_000_000 if name == "optimizer.pt" else limit
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(TrainingError) as caught:
            checkpoints.save(tmp_path / "out", large[name], known, chosen, states, Progress(step=7))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).startswith("Checkpoint step_00000007 could not be saved, nothing of it is left: ")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_whose_disk_is_full(
    refused: Callable[..., str], told: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storyteller.weights.save_file", full)
    said = refused(told("training.evaluation.every=0", "training.save_every=1"))
    assert said.startswith("Checkpoint step_00000001 could not be saved, nothing of it is left: ")
    assert said.endswith("cannot be written: No space left on device.")
    assert list((tmp_path / "out").iterdir()) == []
