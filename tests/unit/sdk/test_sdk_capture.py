from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import logbuch
from logbuch.sdk import capture, git


def commit(folder: Path) -> None:
    environment = os.environ | {
        f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    for command in (["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "work", str(tmp_path / "r")], check=True)
    folder = tmp_path / "r"
    (folder / "a.py").write_text("one\n")
    commit(folder)
    return folder


def test_a_clean_repository(repository: Path) -> None:
    state = git.state(repository)
    assert state is not None
    assert (len(state.commit), state.branch, state.dirty, state.url) == (40, "work", False, None)


def test_a_changed_repository(repository: Path) -> None:
    subprocess.run(["git", "remote", "add", "origin", "https://me:secret@host/r.git"], cwd=repository, check=True)
    (repository / "a.py").write_text("two\n")
    (repository / "sub").mkdir()
    state = git.state(repository / "sub")
    assert state is not None
    assert (state.dirty, state.url) == (True, "https://host/r.git")
    patch = git.diff(state.folder)
    assert patch is not None
    assert b"-one\n+two\n" in patch


def test_a_long_diff_is_cut(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "DIFF_BYTES", 100)
    (repository / "a.py").write_text("x\n" * 1000)
    patch = git.diff(repository)
    assert patch is not None
    assert len(patch) < 200
    assert patch.endswith(b"5 MB\n")


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git.state(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.state(tmp_path) is None


def test_hooks_of_the_repository_do_not_run(repository: Path, tmp_path: Path) -> None:
    script = repository / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\n")
    script.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", str(script)], cwd=repository, check=True)
    (repository / "a.py").write_text("two\n")
    git.state(repository)
    git.diff(repository)
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://token@host/a.git", "https://host/a.git"),
        ("ssh://git@host:22/a.git", "ssh://host:22/a.git"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("/srv/git/a", "/srv/git/a"),
    ],
)
def test_addresses_lose_their_credentials(url: str, shown: str) -> None:
    assert git.without_credentials(url) == shown


def test_tags_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["train.py", "--lr", "1 e", "--api-key", "s3cret", "--token=abc", "--n=1"]
    monkeypatch.setattr(sys, "orig_argv", ["/usr/bin/python3.11", *given])
    monkeypatch.setenv("LOGBUCH_RUN_CONTEXT", '{"job": 7}')
    tags = capture.tags()
    assert tags["logbuch.command"] == "python train.py --lr '1 e' --api-key '***' '--token=***' --n=1"
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["job"] == "7"
    assert {"mlflow.user", "mlflow.source.name", "logbuch.python", "logbuch.host", "logbuch.cwd"} <= tags.keys()
    monkeypatch.setenv("LOGBUCH_RUN_CONTEXT", "[nonsense")
    assert "job" not in capture.tags()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["/usr/bin/python3", "-m", "train", "--x"], "python -m train --x"),
        (
            ["/venv/bin/python", "/venv/bin/storyteller-train", "--config", "a.yaml"],
            "storyteller-train --config a.yaml",
        ),
        (["python"], "python"),
    ],
)
def test_the_command_is_what_one_would_type(monkeypatch: pytest.MonkeyPatch, given: list[str], shown: str) -> None:
    monkeypatch.setattr(sys, "orig_argv", given)
    assert capture.tags()["logbuch.command"] == shown


def test_a_script_below_the_folder_is_named_from_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "orig_argv", ["/usr/bin/python3", f"{tmp_path}/code/train.py", "/data"])
    assert capture.tags()["logbuch.command"] == "python code/train.py /data"


def test_packages() -> None:
    lines = capture.packages().splitlines()
    assert any(line.startswith("pytest==") for line in lines)
    assert lines == sorted(lines, key=lambda line: line.partition("==")[0].lower())


def test_a_run_records_repository_and_packages(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_CAPTURE_GIT", "true")
    monkeypatch.setenv("LOGBUCH_CAPTURE_PACKAGES", "true")
    monkeypatch.setattr(capture, "_code_folder", lambda: repository)
    (repository / "a.py").write_text("two\n")
    with logbuch.start_run() as run:
        tags = logbuch.get_run(run.info.run_id).data.tags  # a read waits for the thread that looks
        assert tags["mlflow.source.git.branch"] == "work"
        assert tags["mlflow.source.git.dirty"] == "true"
    assert "+two" in logbuch.load_text(f"runs:/{run.info.run_id}/logbuch/diff.patch")
    assert "pytest==" in logbuch.load_text(f"runs:/{run.info.run_id}/logbuch/requirements.txt")


# -- the script and its folder -----------------------------------------------------------------------------------------


def recorded(folder: Path, script: Path) -> tuple[dict[str, str], list[str]]:
    """Tags and files of a run that a script started in a folder has logged."""
    script.write_text(
        "import logbuch, os\n"
        "logbuch.set_tracking_uri(os.environ['PLACE'])\n"
        "with logbuch.start_run() as run: print(run.info.run_id)\n"
    )
    place = folder.parent / "runs"
    environment = os.environ | {"LOGBUCH_CAPTURE_GIT": "1", "LOGBUCH_QUIET": "1", "PLACE": str(place)}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    logbuch.set_tracking_uri(place)
    run_id = done.stdout.strip()
    files = [info.path for info in logbuch.LogbuchClient().list_artifacts(run_id, "logbuch/source")]
    return dict(logbuch.get_run(run_id).data.tags), files


def test_a_tracked_script_is_not_copied(repository: Path) -> None:
    (repository / ".sub").mkdir()
    script = repository / "train.py"
    script.write_text("")
    commit(repository)
    tags, files = recorded(repository / ".sub", script)
    assert tags["logbuch.git.folder"] == ".sub"
    assert ("logbuch.source.untracked" in tags, files) == (False, [])


def test_an_untracked_script_is_kept_and_counts_as_dirty(repository: Path) -> None:
    tags, files = recorded(repository, repository / "new.py")
    assert tags["logbuch.git.folder"] == ""
    assert (tags["logbuch.source.untracked"], tags["mlflow.source.git.dirty"]) == ("true", "true")
    assert files == ["logbuch/source/new.py"]


def test_without_a_repository_the_script_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").mkdir()
    tags, files = recorded(tmp_path / "plain", tmp_path / "plain" / "loose.py")
    assert (tags["logbuch.source.untracked"], files) == ("true", ["logbuch/source/loose.py"])
    assert "mlflow.source.git.dirty" not in tags


def test_programs_that_are_installed_are_no_scripts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__file__", str(Path(pytest.__file__)), raising=False)
    assert capture._script() is None
    (tmp_path / "x.py").touch()
    monkeypatch.setattr(main, "__file__", str(tmp_path / "x.py"))
    assert capture._script() == tmp_path / "x.py"
    monkeypatch.delattr(main, "__file__")
    assert capture._script() is None


def test_what_could_not_be_recorded_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> str:
        raise RuntimeError("no metadata")

    monkeypatch.setattr(capture, "packages", broken)
    monkeypatch.setenv("LOGBUCH_CAPTURE_GIT", "false")
    monkeypatch.setenv("LOGBUCH_CAPTURE_PACKAGES", "true")
    capture.Background(lambda tags: None, lambda name, content: None).finish(5)
    assert "could not be recorded" in caplog.text
    assert "no metadata" in caplog.text
