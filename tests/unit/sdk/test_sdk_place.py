from __future__ import annotations

import re
from pathlib import Path

import pytest

import logbuch
from logbuch.errors import InvalidInput
from logbuch.sdk.backends import place


def test_the_default_is_a_folder_here_and_stays_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = f"sqlite:///{tmp_path}/.logbuch/logbuch.db"
    assert logbuch.get_tracking_uri() == expected
    assert not logbuch.is_tracking_uri_set()
    monkeypatch.chdir("/")
    assert logbuch.get_tracking_uri() == expected


def test_the_environment_and_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://a:1")
    assert logbuch.get_tracking_uri() == "http://a:1"
    assert logbuch.is_tracking_uri_set()
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", "http://b:1")
    assert logbuch.get_tracking_uri() == "http://b:1"
    logbuch.set_tracking_uri("http://c:1")
    assert logbuch.get_tracking_uri() == "http://c:1"
    logbuch.set_tracking_uri("")
    assert logbuch.get_tracking_uri() == "http://b:1"


@pytest.mark.parametrize(
    ("uri", "database", "artifacts"),
    [
        ("sqlite:////x/y/m.db", "/x/y/m.db", "/x/y/artifacts"),
        ("sqlite:///m.db?timeout=3", "m.db", "artifacts"),
        ("/x/y", "/x/y/logbuch.db", "/x/y/artifacts"),
        ("./runs", "runs/logbuch.db", "runs/artifacts"),
        ("file:///x/a%20b", "/x/a b/logbuch.db", "/x/a b/artifacts"),
        ("file:runs", "runs/logbuch.db", "runs/artifacts"),
    ],
)
def test_places_in_this_process(uri: str, database: str, artifacts: str, tmp_path: Path) -> None:
    assert place.understand(uri) == (tmp_path / database, tmp_path / artifacts)


def test_a_server() -> None:
    assert place.understand("HTTPS://host/prefix") == "HTTPS://host/prefix"


@pytest.mark.parametrize(
    "uri",
    [
        "databricks",
        "databricks://profile",
        "databricks-uc",
        "uc",
        "uc:x",
        "localhost:5000",
        "postgresql://host/db",
        "databricks:x",
        "s3://b/c",
        "sqlite:///",
        "sqlite://",
        "file://host/x",
    ],
)
def test_places_that_are_none(uri: str) -> None:
    with pytest.raises(InvalidInput, match=r"sqlite:///FILE|file:///FOLDER"):
        place.understand(uri)
    with pytest.raises(InvalidInput):
        logbuch.set_tracking_uri(uri)


@pytest.mark.parametrize(
    ("uri", "way"),
    [
        (".logbuch", "./.logbuch; see it with: logbuch ui"),
        ("sqlite:///.logbuch/logbuch.db", "./.logbuch; see it with: logbuch ui"),
        ("/else where/.logbuch", "/else where/.logbuch; see it with: cd '/else where' && logbuch ui"),
        ("/x/y", "/x/y/logbuch.db; see it with: logbuch ui --backend-store-uri sqlite:////x/y/logbuch.db"),
    ],
)
def test_the_way_to_see_runs(uri: str, way: str) -> None:
    found = place.understand(uri)
    assert not isinstance(found, str)
    assert place.way_to_see(found) == way


@pytest.mark.parametrize("uri", ["runs", "sqlite:///m.db", "file:runs", Path("runs")])
def test_relative_places_are_pinned(uri: str | Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logbuch.set_tracking_uri(uri)
    monkeypatch.chdir("/")
    assert place.understand(logbuch.get_tracking_uri())[0].parent in (tmp_path, tmp_path / "runs")  # type: ignore[union-attr]


def test_where_the_folder_cannot_be_made_runs_go_to_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(place, "_default", None)
    monkeypatch.setenv("LOGBUCH_JOURNAL_FOLDER", str(tmp_path / "state" / "journals"))
    (tmp_path / ".logbuch").write_text("a file of this name")
    assert place.current() == f"sqlite:///{tmp_path}/state/.logbuch/logbuch.db"
    assert place.current() == f"sqlite:///{tmp_path}/state/.logbuch/logbuch.db"
    said = capsys.readouterr().err
    assert said == f"logbuch: {tmp_path}/.logbuch cannot be made, so runs go to {tmp_path}/state/.logbuch\n"


def test_journals_among_temporary_files_are_this_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may make folders there; and nobody's is made before it is needed."""
    monkeypatch.setattr(place.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("LOGBUCH_JOURNAL_FOLDER", "/proc/logbuch/journals")
    spare = tmp_path / f"logbuch-{place._user()}"
    assert (place.used_roots(), spare.exists()) == ([], False)
    assert next(place.spare_roots()) == spare / "journals"
    assert place.used_roots() == [spare / "journals"]
    spare.rename(tmp_path / "another")
    spare.symlink_to(tmp_path / "another")
    assert place.used_roots() == []
    assert next(place.spare_roots()).parent not in (spare, tmp_path / "another")


def test_without_any_folder_of_the_users_runs_go_to_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "_default", None)
    monkeypatch.setattr(place.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("LOGBUCH_JOURNAL_FOLDER", "/proc/logbuch/journals")
    (tmp_path / ".logbuch").write_text("a file of this name")
    found = place.current()
    assert found.startswith(f"sqlite:///{tmp_path}/logbuch-") and found.endswith("/.logbuch/logbuch.db")


@pytest.mark.parametrize("uri", ["localhost:5000", "tracking.example.org:80/tracker", "127.0.0.1:5000"])
def test_a_server_without_its_scheme_is_said_how_to_write(uri: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(f"to {uri!r}. Write http://{uri} for a server. Allowed are")):
        place.understand(uri)
    with pytest.raises(InvalidInput, match=r"'s3://bucket/x'\. Allowed are"):
        place.understand("s3://bucket/x")
