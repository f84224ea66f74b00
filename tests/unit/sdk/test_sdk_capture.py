from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import logbuch
from logbuch.sdk.recording import capture, git, machine
from logbuch.sdk.recording.redaction import Redactor


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


def git_in(folder: Path, *arguments: str) -> None:
    environment = os.environ | {
        f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    subprocess.run(["git", "-c", "protocol.file.allow=always", *arguments], cwd=folder, env=environment, check=True)


def test_a_repository_before_its_first_commit(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "-b", "work", str(tmp_path)], check=True)
    (tmp_path / "a.py").write_text("one\n")
    git_in(tmp_path, "add", "a.py")
    state = git.state(tmp_path)
    assert state is not None
    assert (state.commit, state.branch, state.dirty) == (None, "work", True)
    assert b"+one" in (git.diff(tmp_path, commit=False) or b"")


def test_a_worktree_and_a_detached_head(repository: Path, tmp_path: Path) -> None:
    git_in(repository, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"))
    (tmp_path / "tree" / "a.py").write_text("elsewhere\n")
    state = git.state(tmp_path / "tree")
    assert state is not None
    assert (state.folder, state.branch, state.dirty) == (tmp_path / "tree", None, True)
    assert b"+elsewhere" in (git.diff(state.folder) or b"")
    assert git.state(repository) is not None
    assert not git.state(repository).dirty  # type: ignore[union-attr]


def test_changes_within_a_submodule(repository: Path, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    (inner / "lib.py").write_text("one\n")
    commit(inner)
    git_in(repository, "submodule", "--quiet", "add", str(inner), "vendor/lib")
    commit(repository)
    assert git.state(repository) is not None
    assert (git.state(repository).dirty, git.state(repository).modules) == (False, ())  # type: ignore[union-attr]
    (repository / "vendor" / "lib" / "lib.py").write_text("two\n")
    state = git.state(repository)
    assert state is not None
    assert (state.dirty, state.modules) == (True, ("vendor/lib",))
    kept: dict[str, bytes] = {}
    watch = capture.Background(lambda tags: None, kept.__setitem__)
    watch.finish(10)
    watch._keep_changes(state)
    assert b"+two" in kept["logbuch/diff-vendor~lib.patch"]


def test_binary_changes_apply_again_unless_they_are_too_long(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "w.bin").write_bytes(bytes(range(256)))
    commit(repository)
    (repository / "w.bin").write_bytes(os.urandom(4000))
    patch = git.diff(repository)
    assert patch is not None
    assert b"GIT binary patch" in patch
    subprocess.run(["git", "clone", "-q", str(repository), str(tmp_path / "again")], check=True)
    subprocess.run(["git", "apply"], input=patch, cwd=tmp_path / "again", check=True)
    assert (tmp_path / "again" / "w.bin").read_bytes() == (repository / "w.bin").read_bytes()
    monkeypatch.setattr(git, "DIFF_BYTES", 1000)
    patch = git.diff(repository)
    assert patch is not None
    assert b"Binary files" in patch
    assert b"left out what binary files contain" in patch


def test_the_remote_of_the_branch_comes_first(repository: Path) -> None:
    git_in(repository, "remote", "add", "backup", "https://me:pw@backup/r.git")
    assert git.state(repository).url == "https://backup/r.git"  # type: ignore[union-attr]
    git_in(repository, "remote", "add", "origin", "https://origin/r.git")
    assert git.state(repository).url == "https://origin/r.git"  # type: ignore[union-attr]
    git_in(repository, "config", "branch.work.remote", "backup")
    assert git.state(repository).url == "https://backup/r.git"  # type: ignore[union-attr]


def test_untracked_files_are_named_and_loaded_modules_kept(repository: Path) -> None:
    (repository / ".gitignore").write_text("ignored.txt\n")
    commit(repository)
    (repository / "ignored.txt").touch()
    (repository / "pack").mkdir()
    (repository / "pack" / "helper_of_mine.py").write_text("API_KEY = 'abcdefgh'\nuse = 1\n")
    (repository / "notes.txt").touch()
    script = repository / "train.py"
    script.write_text(
        "import sys, os, logbuch\n"
        "sys.path.insert(0, 'pack')\n"
        "import helper_of_mine\n"
        "logbuch.set_tracking_uri(os.environ['PLACE'])\n"
        "with logbuch.start_run() as run: print(run.info.run_id)\n"
    )
    place = repository.parent / "runs"
    environment = os.environ | {"LOGBUCH_CAPTURE_GIT": "1", "LOGBUCH_QUIET": "1", "PLACE": str(place)}
    command = [sys.executable, "-B", str(script)]
    done = subprocess.run(command, cwd=repository, env=environment, capture_output=True, text=True, check=True)
    logbuch.set_tracking_uri(place)
    run_id = done.stdout.strip()
    names = logbuch.load_text(f"runs:/{run_id}/logbuch/untracked.txt").split()
    assert names == ["notes.txt", "pack/helper_of_mine.py", "train.py"]
    kept = logbuch.load_text(f"runs:/{run_id}/logbuch/source/pack/helper_of_mine.py")
    assert kept == "API_KEY = ***\nuse = 1\n"
    files = [info.path for info in logbuch.LogbuchClient().list_artifacts(run_id, "logbuch/source")]
    assert files == ["logbuch/source/pack", "logbuch/source/train.py"]


def test_secrets_in_a_diff_are_hidden_and_that_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_CAPTURE_GIT", "true")
    monkeypatch.setattr(capture, "_code_folder", lambda: repository)
    (repository / "a.py").write_text("password = 'hunter2'\n")
    kept: dict[str, bytes] = {}
    capture.Background(lambda tags: None, kept.__setitem__).finish(10)
    assert b"hunter2" not in kept["logbuch/diff.patch"]
    assert b"+password = ***" in kept["logbuch/diff.patch"]
    assert b"has hidden secrets" in kept["logbuch/diff.patch"]


def test_a_command_line_loses_secrets_of_known_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    given = ["train.py", "--hub", "https://me:hunter2@host/x", "hf_" + "a1" * 17, "--max-tokens=512"]
    monkeypatch.setattr(sys, "orig_argv", ["/usr/bin/python3.11", *given])
    command = capture.tags()["logbuch.command"]
    assert "hunter2" not in command
    assert "hf_" not in command


# -- the machine -------------------------------------------------------------------------------------------------------


def test_a_run_knows_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_CAPTURE_MACHINE", "true")
    monkeypatch.setenv("NCCL_DEBUG", "INFO")
    monkeypatch.setenv("NCCL_TOKEN", "abcdefgh")
    monkeypatch.setenv("HOME_SECRETS", "never")
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "1")
    monkeypatch.setenv("TF_VAR_database", "never")
    with logbuch.start_run() as run:
        tags = logbuch.get_run(run.info.run_id).data.tags
    assert " cores" in tags["logbuch.cpu"]
    assert tags["logbuch.os"]
    found = logbuch.load_dict(f"runs:/{run.info.run_id}/{capture.MACHINE_FILE}")
    assert found["python"]["version"] == tags["logbuch.python"]
    assert found["cpu"]["cores"] == os.cpu_count()
    assert found["environment"]["NCCL_DEBUG"] == "INFO"
    assert found["environment"]["NCCL_TOKEN"] == "***"
    assert "HOME_SECRETS" not in found["environment"]
    assert found["environment"]["TF_DETERMINISTIC_OPS"] == "1"
    assert "TF_VAR_database" not in found["environment"], "Terraform's"


def test_gpus_are_counted_by_model() -> None:
    found = machine.describe(Redactor({}))
    found["gpu"]["devices"] = [{"model": "H100"}, {"model": "A100"}, {"model": "H100"}, {}]
    assert machine.tags(found)["logbuch.gpu"] == "2 × H100, 1 × A100, 1 × GPU"
    assert "logbuch.gpu" not in machine.tags(machine.describe(Redactor({})))


def test_only_the_variables_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_CAPTURE_ENV", " MY_*, ONE")
    monkeypatch.setenv("MY_URL", "https://me:hunter2@host/")
    monkeypatch.setenv("ONE", "1")
    monkeypatch.setenv("ONES", "2")
    assert machine.environment(Redactor({})) == {"MY_URL": "https://***@host/", "ONE": "1"}


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
