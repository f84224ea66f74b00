"""``logbuch sync``: where it looks, where it sends, what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from logbuch.errors import InvalidInput
from logbuch.sdk.backends.embedded import EmbeddedBackend
from logbuch.sdk.backends.place import in_folder
from logbuch.sdk.journal.journal import Journal
from logbuch.wire import ingest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGBUCH_JOURNAL_FOLDER", str(tmp_path / "none"))
    return tmp_path / ".logbuch"


def leave(home: Path) -> Path:
    """A journal of an embedded store, as a killed process leaves it."""
    journal = Journal(home / "journals", "sqlite:logbuch.db")
    journal.record(ingest.encode_record(ingest.NewRun("r", "", "0")), vital=True, counted=False)
    for step in range(100):
        journal.point("r", "m", 1.0, step, step)
    journal.close(remove=False)
    assert journal.folder is not None
    return journal.folder.path


def stored(home: Path) -> int:
    backend = EmbeddedBackend(*in_folder(home))
    found = len(backend.metric_history("r", "m", 1000, "")[0])
    backend.close()
    return found


def test_without_arguments_it_sends_what_lies_here(home: Path) -> None:
    path = leave(home)
    done = CliRunner().invoke(cli, ["sync"])
    assert done.exit_code == 0, done.output
    assert done.output == f"{path}: 100 records sent to sqlite:///{home}/logbuch.db\n"
    assert stored(home) == 100
    assert not path.exists()
    assert CliRunner().invoke(cli, ["sync"]).output == "Nothing is left to be sent.\n"


@pytest.mark.parametrize("variable", ["LOGBUCH_TRACKING_URI", "MLFLOW_TRACKING_URI"])
@pytest.mark.parametrize("uri", ["sqlite:///{}/logbuch.db", "file:{}", "{}"])
def test_without_arguments_it_looks_beside_the_database_of_the_environment_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, variable: str
) -> None:
    leave(home)
    moved = home.rename(tmp_path / "elsewhere")
    assert CliRunner().invoke(cli, ["sync"]).output == "Nothing is left to be sent.\n"
    monkeypatch.setenv(variable, uri.format(moved))
    done = CliRunner().invoke(cli, ["sync"])
    assert done.exit_code == 0, done.output
    assert stored(moved) == 100


def test_a_tracking_uri_that_means_nothing_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", "ftp://nowhere")
    done = CliRunner().invoke(cli, ["sync"])
    assert isinstance(done.exception, InvalidInput)
    assert "Runs cannot be sent to 'ftp://nowhere'." in done.exception.message


@pytest.mark.parametrize("below", ["", "journals", "journals/*"])
def test_a_folder_may_be_a_journal_or_hold_some_and_may_have_moved(home: Path, below: str, tmp_path: Path) -> None:
    leave(home)
    moved = home.rename(tmp_path / "moved")
    (given,) = moved.glob(below) if below else (moved,)
    assert CliRunner().invoke(cli, ["sync", str(given)]).exit_code == 0
    assert stored(moved) == 100


def test_a_journal_may_be_sent_elsewhere(home: Path, tmp_path: Path) -> None:
    path = leave(home)
    other = tmp_path / "other"
    done = CliRunner().invoke(cli, ["sync", str(path), "--tracking-uri", str(other)])
    assert done.exit_code == 0, done.output
    assert stored(other) == 100


def test_what_cannot_be_sent_stays_and_is_said(home: Path) -> None:
    path = leave(home)
    done = CliRunner().invoke(cli, ["sync", "--tracking-uri", "http://127.0.0.1:9"])
    assert done.exit_code == 1
    assert "the rest stays: No answer from the tracking server" in done.output
    assert path.exists()


def test_a_journal_whose_process_lives_is_left_alone(home: Path) -> None:
    journal = Journal(home / "journals", "sqlite:logbuch.db")
    journal.point("r", "m", 1.0, 0, 0)
    done = CliRunner().invoke(cli, ["sync"])
    assert done.exit_code == 0
    assert "is still running" in done.output
    journal.close(remove=True)
