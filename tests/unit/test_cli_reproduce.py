"""``logbuch reproduce``: runs of small programs, done again in this interpreter."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import logbuch
from logbuch.cli.main import cli
from logbuch.sdk.reproducing import comparison, datasets, packages, submodules
from logbuch.stability.parts import is_measured
from support.repositories import Repository, curve, newest, run_program

TRAIN = """
import random, sys
import logbuch
import net

random.seed(3)
with logbuch.start_run():
    logbuch.log_params({"seed": 3, "rate": sys.argv[1]})
    for step in range(5):
        logbuch.log_metric("loss", random.random() * float(sys.argv[1]) + net.MORE, step)
    logbuch.log_metric("steps_per_second", random.SystemRandom().random())
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store, and a folder of the test's own to work in."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("LOGBUCH_QUIET", "1")
    monkeypatch.setenv("LOGBUCH_CAPTURE_MACHINE", "false")
    monkeypatch.delenv("LOGBUCH_TRACKING_URI", raising=False)
    logbuch.set_tracking_uri(str(tmp_path / "store"))
    return tmp_path / "store"


@pytest.fixture
def repository(tmp_path: Path, store: Path) -> Repository:
    made = Repository(tmp_path / "project", store)
    made.write(train=TRAIN, net="MORE = 0\n", sub__train=TRAIN, sub__net="MORE = 1\n")
    made.commit()
    return made


def here() -> list[str]:
    """What this folder holds."""
    return sorted(path.name for path in Path().iterdir())


def ask(*arguments: str, env: str = "current", answer: str = "") -> Result:
    return CliRunner().invoke(cli, ["reproduce", *arguments, "--env", env], input=answer)


def again(run_id: str, *arguments: str, code: int = 0) -> str:
    """Does a run again; returns the new one."""
    done = ask(run_id, "--yes", "--into", "again", *arguments)
    assert done.exit_code == code, done.output + repr(done.exception)
    client = logbuch.LogbuchClient()
    runs = [client.get_run(run.info.run_id) for run in logbuch.search_runs(output_format="list")]
    found = [run for run in runs if run.data.tags.get("logbuch.reproduces") == run_id]
    assert len(found) == 1
    assert "mlflow.parentRunId" not in found[0].data.tags
    return str(found[0].info.run_id)


@pytest.mark.slow
def test_uncommitted_changes_are_restored_and_the_checkout_stays_as_it_is(repository: Repository) -> None:
    repository.write(net="MORE = 10\n")
    run_id = repository.run("train.py", "0.5")
    before = repository.state()
    new = again(run_id)
    assert curve(new, "loss") == curve(run_id, "loss")
    assert curve(new, "loss")[0][1] > 10
    assert repository.state() == before
    tags = logbuch.get_run(new).data.tags
    assert tags["mlflow.source.git.commit"] == repository.git("rev-parse", "HEAD")
    assert tags["logbuch.command"] == "python train.py 0.5"
    assert (tags["logbuch.git.folder"], tags["mlflow.source.git.dirty"]) == ("", "true")
    repository.write(net="MORE = 20\n")
    done = ask(new, "--yes", "--into", "third")  # what was done again can be done again
    assert done.exit_code == 0, done.output
    assert curve(newest(repository.store), "loss") == curve(run_id, "loss")


@pytest.mark.slow
def test_a_nested_working_folder_and_a_binary_change(repository: Repository) -> None:
    (repository.folder / "table.bin").write_bytes(bytes(range(256)))
    repository.commit()
    (repository.folder / "table.bin").write_bytes(bytes(reversed(range(256))))
    run_id = repository.run("train.py", "0.5", folder=repository.folder / "sub")
    new = again(run_id)
    assert curve(new, "loss") == curve(run_id, "loss")
    assert curve(new, "loss")[0][1] > 1
    assert Path("again/code/table.bin").read_bytes() == bytes(reversed(range(256)))
    assert logbuch.get_run(new).data.tags["logbuch.git.folder"] == "sub"


@pytest.mark.slow
def test_an_untracked_script_and_its_modules_are_laid_where_they_were(repository: Repository) -> None:
    repository.write(sub__own=TRAIN, sub__net="MORE = 7\n")
    repository.git("rm", "-q", "--cached", "sub/net.py")
    repository.git("commit", "-qm", "without")
    run_id = repository.run("sub/own.py", "0.5")
    new = again(run_id)
    assert curve(new, "loss") == curve(run_id, "loss")
    assert curve(new, "loss")[0][1] > 7
    assert Path("again/code/sub/own.py").is_file()


@pytest.mark.slow
def test_a_program_started_from_outside_of_its_repository(repository: Repository, tmp_path: Path) -> None:
    run_id = repository.run(str(repository.folder / "train.py"), "0.5", folder=tmp_path)
    repository.write(net="MORE = 99\n")
    done = ask(run_id, "--print")
    assert f"python {Path.cwd()}" in done.output.splitlines()[-1]
    assert curve(again(run_id), "loss") == curve(run_id, "loss")


@pytest.mark.slow
def test_changes_within_a_submodule_are_restored(repository: Repository, tmp_path: Path) -> None:
    part = Repository(tmp_path / "part", repository.store)
    part.write(size="SIZE = 1\n")
    part.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(part.folder), "lib/part")
    repository.write(
        train=TRAIN.replace("import net", "import net; sys.path.append('lib/part'); import size; net.MORE += size.SIZE")
    )
    repository.commit()
    (repository.folder / "lib" / "part" / "size.py").write_text("SIZE = 30\n")
    run_id = repository.run("train.py", "0.5")
    new = again(run_id)
    assert curve(new, "loss") == curve(run_id, "loss")
    assert curve(new, "loss")[0][1] > 30
    done = ask(run_id, "--yes", "--into", "other", "--command", "python -c 'raise SystemExit(5)'")
    assert done.exit_code == 4
    assert here() == ["again"]


@pytest.mark.slow
def test_a_submodule_whose_commit_was_never_pushed_comes_from_its_checkout(
    repository: Repository, tmp_path: Path
) -> None:
    part = Repository(tmp_path / "part", repository.store)
    part.write(size="SIZE = 1\n")
    part.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(part.folder), "lib/part")
    own = repository.folder / "lib" / "part"
    (own / "size.py").write_text("SIZE = 40\n")
    commit = ["git", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "not pushed"]
    subprocess.run(commit, cwd=own, check=True)
    repository.write(
        train=TRAIN.replace("import net", "import net; sys.path.append('lib/part'); import size; net.MORE += size.SIZE")
    )
    repository.commit()
    run_id = repository.run("train.py", "0.5")
    shutil.rmtree(part.folder)
    new = again(run_id)
    assert curve(new, "loss") == curve(run_id, "loss")
    assert curve(new, "loss")[0][1] > 40


@pytest.mark.slow
def test_a_submodule_whose_commit_is_nowhere_is_told_before_anything_runs(
    repository: Repository, tmp_path: Path
) -> None:
    part = Repository(tmp_path / "part", repository.store)
    part.write(size="SIZE = 1\n")
    part.commit()
    repository.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(part.folder), "lib/part")
    own = repository.folder / "lib" / "part"
    (own / "size.py").write_text("SIZE = 40\n")
    commit = ["git", "-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qam", "not pushed"]
    subprocess.run(commit, cwd=own, check=True)
    wanted = subprocess.run(["git", "rev-parse", "HEAD"], cwd=own, check=True, capture_output=True, text=True).stdout
    repository.commit()
    run_id = repository.run("train.py", "0.5")
    repository.git("clone", "-q", "--bare", str(repository.folder), str(tmp_path / "remote.git"))
    shutil.rmtree(own)
    remote = ("--repository", str(tmp_path / "remote.git"))
    for asked in ((), remote):
        done = ask(run_id, "--yes", "--into", "again", *asked)
        assert done.exit_code == 1
        assert f"Commit {wanted[:12]} of the submodule lib/part is not in {part.folder}." in done.output
    shutil.rmtree(part.folder)
    done = ask(run_id, "--print")
    assert done.exit_code == 1
    assert f"the submodule lib/part is not in {part.folder} (which cannot be read: fatal: " in done.output
    assert here() == []


@pytest.mark.parametrize(
    ("base", "address", "found"),
    [
        ("https://host/team/code.git", "../part.git", "https://host/team/part.git"),
        ("https://host/team/code.git/", "../../other/part.git", "https://host/other/part.git"),
        ("git@host:code.git", "../part.git", "git@host:part.git"),
        ("git@host:team/code.git", "./part", "git@host:team/code.git/part"),
        ("/repositories/code", "../part", "/repositories/part"),
        ("https://host/code.git", "ssh://else/part.git", "ssh://else/part.git"),
    ],
)
def test_relative_addresses_of_submodules(base: str, address: str, found: str) -> None:
    assert submodules.resolved(base, address) == found


@pytest.mark.slow
def test_a_script_that_was_in_no_repository(store: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "train.py").write_text(TRAIN.replace("import net", "").replace("+ net.MORE", ""))
    run_id = run_program(store, tmp_path / "plain", "train.py", "0.25")
    shutil.rmtree(tmp_path / "plain")
    assert curve(again(run_id), "loss") == curve(run_id, "loss")


@pytest.mark.slow
def test_a_commit_that_only_the_remote_has_is_cloned(repository: Repository, tmp_path: Path) -> None:
    repository.git("clone", "-q", "--bare", str(repository.folder), str(tmp_path / "remote.git"))
    repository.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    run_id = repository.run("train.py", "0.5")
    shutil.rmtree(repository.folder)
    assert curve(again(run_id), "loss") == curve(run_id, "loss")
    made = subprocess.run(["git", "remote", "get-url", "origin"], cwd="again/code", capture_output=True, text=True)
    assert made.stdout.strip() == str(tmp_path / "remote.git")


def test_what_logbuch_run_was_told_is_told_again(repository: Repository) -> None:
    repository.write(plain="print(sum(map(int, [1, 2])))\n")
    repository.commit()
    scripts = Path(sys.executable).parent / "logbuch"
    arguments = ("run", "-p", "a=1", "--tracking-uri", str(repository.store), "plain.py", "x")
    run_id = repository.run(*arguments, command=(sys.executable, str(scripts)))
    new = logbuch.get_run(again(run_id))
    assert new.data.params == {"a": "1"}
    assert new.data.tags["logbuch.command"] == "python plain.py x"


def test_a_commit_that_is_gone_is_one_line(repository: Repository) -> None:
    repository.write(net="MORE = 1\n")
    gone = repository.commit()
    run_id = repository.run("train.py", "0.5")
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "-q", "--prune=now")
    done = ask(run_id, "--yes")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert f"Commit {gone[:12]} is not in {repository.folder}." in done.stderr
    assert "--repository" in done.stderr
    hostile = ask(run_id, "--yes", "--repository", "ext::sh -c touch% gone")  # git would start a program for it
    assert (hostile.exit_code, hostile.stderr.count("\n")) == (1, 1)
    assert "cannot be read: fatal: transport 'ext' not allowed" in hostile.stderr
    assert here() == []


@pytest.mark.slow
def test_changes_that_were_not_recorded_stop_it_unless_anyway(repository: Repository) -> None:
    repository.write(net="MORE = 10\n")
    os.environ["LOGBUCH_CAPTURE_GIT"] = "false"
    try:
        run_id = repository.run("train.py", "0.5")
    finally:
        del os.environ["LOGBUCH_CAPTURE_GIT"]
    client = logbuch.LogbuchClient()
    assert "no commit and no script" in ask(run_id, "--yes").stderr
    client.set_tag(run_id, "mlflow.source.git.commit", repository.git("rev-parse", "HEAD"))
    client.set_tag(run_id, "mlflow.source.git.dirty", "true")
    client.set_tag(run_id, "logbuch.git.folder", "")
    logbuch.flush()
    done = ask(run_id, "--yes")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "uncommitted changes, and they were not recorded" in done.stderr
    done = ask(run_id, "--yes", "--anyway", "--json")
    assert done.exit_code == 3
    answer = json.loads(done.stdout)
    verdicts = {one["metric"]: (one["verdict"], one["parts_at"]) for one in answer["metrics"]}
    assert verdicts == {"loss": ("different", 0), "steps_per_second": ("measured", None)}
    assert not answer["same"]


def test_changes_that_do_not_apply_are_told_before(repository: Repository) -> None:
    repository.write(net="MORE = 10\n")
    run_id = repository.run("train.py", "0.5")
    with logbuch.start_run(run_id=run_id):
        logbuch.log_text("--- a/net.py\n+++ b/net.py\n@@ -1 +1 @@\n-other\n+line\n", "logbuch/diff.patch")
    logbuch.flush()
    done = ask(run_id, "--yes")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "do not apply" in done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("python train.py --token '***'", "secrets were hidden"),
        ("python 'train.py", "cannot be read"),
        ("", "no command"),
        ("python", "typed in"),
    ],
)
def test_a_command_that_cannot_be_run(repository: Repository, command: str, said: str) -> None:
    run_id = repository.run("train.py", "0.5")
    logbuch.LogbuchClient().set_tag(run_id, "logbuch.command", command)
    logbuch.flush()
    done = ask(run_id, "--yes")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert said in done.stderr
    assert "--command" in done.stderr
    again(run_id, "--command", "python train.py 0.5")


@pytest.mark.parametrize(
    ("tag", "value"),
    [("logbuch.git.folder", "../.."), ("logbuch.git.folder", "/etc"), ("mlflow.source.git.commit", "--upload-pack=x")],
)
def test_hostile_tags_are_refused(repository: Repository, tag: str, value: str) -> None:
    run_id = repository.run("train.py", "0.5")
    logbuch.LogbuchClient().set_tag(run_id, tag, value)
    logbuch.flush()
    done = ask(run_id, "--yes")
    assert done.exit_code == 1
    assert tag in str(done.exception)


def test_no_shell_reads_the_command(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    again(run_id, "--command", "python train.py 0.5 ; touch ../../../gone")
    assert not Path("gone").exists()


@pytest.mark.slow
def test_nothing_runs_without_a_yes(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    for answer in ("n\n", ""):
        done = ask(run_id, answer=answer)
        assert done.exit_code == 1
        assert "python train.py 0.5" in done.stderr
        assert "nothing was run" in done.stderr
    assert here() == []
    assert newest(repository.store) == run_id
    assert ask(run_id, answer="y\n").exit_code == 0
    name = logbuch.get_run(run_id).info.run_name
    assert here() == [name]


@pytest.mark.slow
def test_the_printed_plan_is_what_a_shell_takes(repository: Repository) -> None:
    repository.write(net="MORE = 10\n", sub__own="print('here')\n")
    run_id = repository.run("train.py", "0.5")
    done = ask(run_id, "--print", "--into", "by hand")
    assert done.exit_code == 0
    assert here() == []
    lines = "\n".join(["set -e", *done.stdout.splitlines()])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "LOGBUCH_TRACKING_URI": str(repository.store)}
    subprocess.run(["bash", "-c", lines], env=environment, check=True)
    assert curve(newest(repository.store), "loss") == curve(run_id, "loss")
    assert "sub/own.py" in done.stdout  # git did not know it, and the program had not loaded it


@pytest.mark.slow
def test_a_program_that_fails_leaves_nothing_but_its_run(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    done = ask(run_id, "--yes", "--into", "again", "--command", "python -c 'raise SystemExit(5)'")
    assert done.exit_code == 4
    assert here() == []
    assert repository.git("worktree", "list").count("\n") == 0
    new = logbuch.get_run(newest(repository.store))
    assert (new.info.status, new.data.tags["logbuch.exit_code"]) == ("FAILED", "5")
    done = ask(run_id, "--yes", "--keep", "--into", "again", "--command", "python -c 'raise SystemExit(5)'")
    assert (done.exit_code, here()) == (4, ["again"])


@pytest.mark.slow
@pytest.mark.parametrize("when", ["while the code is restored", "while the program runs"])
def test_what_is_ended_by_a_signal_leaves_nothing(repository: Repository, tmp_path: Path, when: str) -> None:
    repository.write(net="MORE = 10\n")
    run_id = repository.run("train.py", "0.5")
    mark = tmp_path / "begun"
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text(
        f'#!/bin/sh\ncase "$*" in *nowarn*) touch "{mark}"; exec sleep 60;; esac\nexec {shutil.which("git")} "$@"\n'
    )
    slow.chmod(0o755)
    restoring = when == "while the code is restored"
    path = f"{slow.parent}{os.pathsep}{os.environ['PATH']}" if restoring else os.environ["PATH"]
    program = f"python -c \"import pathlib, time; pathlib.Path('{mark}').touch(); time.sleep(60)\""
    command = [sys.executable, "-m", "logbuch", "reproduce", run_id, "--yes", "--env", "current", "--command", program]
    environment = os.environ | {"LOGBUCH_TRACKING_URI": str(repository.store), "PATH": path}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(2400):
            if mark.exists():
                break
            time.sleep(0.05)
        assert here()
        process.send_signal(signal.SIGTERM)
        assert process.wait(90) == (143 if restoring else 4)
    assert here() == []
    assert repository.git("worktree", "list").count("\n") == 0
    if not restoring:
        assert logbuch.get_run(newest(repository.store)).info.status == "KILLED"


@pytest.mark.slow
def test_other_values_are_told_with_their_step_and_tolerated_if_asked(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    done = ask(run_id, "--yes", "--command", "python train.py 0.5000001", "--tolerance", "0.001")
    assert done.exit_code == 0
    assert "within tolerance" in done.stdout
    done = ask(run_id, "--yes", "--command", "python train.py 0.5000001")
    assert done.exit_code == 3
    assert "different, from step 0" in done.stdout
    assert "The param rate is another: 0.5, now 0.5000001." in done.stdout


def test_the_answer_as_json_stands_alone(repository: Repository) -> None:
    repository.write(loud=TRAIN + "print('LOUD')\n")
    repository.commit()
    run_id = repository.run("loud.py", "0.5")
    command = [sys.executable, "-m", "logbuch", "reproduce", run_id, "--yes", "--json", "--env", "current"]
    environment = os.environ | {"LOGBUCH_TRACKING_URI": str(repository.store)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert answer["same"]
    assert answer["metrics"][0] | {"second": None} == {
        "metric": "loss", "verdict": "equal", "first": answer["metrics"][0]["second"], "second": None, "parts_at": None
    }  # fmt: skip
    assert "LOUD" in done.stderr


def test_a_folder_that_is_not_free_is_refused(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    Path("full").mkdir()
    Path("full/file").touch()
    assert "not empty" in str(ask(run_id, "--yes", "--into", "full").exception)
    inside = repository.folder / "sub" / "again"
    assert "within the checkout" in str(ask(run_id, "--yes", "--into", str(inside)).exception)
    os.chdir(repository.folder)
    assert ask(run_id, "--yes").exit_code == 0
    assert (repository.folder.parent / logbuch.get_run(run_id).info.run_name / "code").is_dir()


def test_an_unknown_run_is_one_line(store: Path) -> None:
    logbuch.set_experiment("known")
    done = ask("0" * 32)
    assert done.exit_code == 1
    assert "0" * 32 in str(done.exception)


@pytest.mark.slow
def test_data_sets_are_checked_and_brought_along(repository: Repository) -> None:
    (repository.folder / ".gitignore").write_text("*.csv\n")
    table = repository.folder / "table.csv"
    table.write_text("1\n2\n")
    repository.write(
        data="import logbuch, hashlib, pathlib\n"
        "content = pathlib.Path('table.csv').read_bytes()\n"
        "with logbuch.start_run():\n"
        "    found = hashlib.sha256(content).hexdigest()\n"
        "    logbuch.log_input(logbuch.data.Dataset('table', digest=found[:32], source='table.csv'))\n"
        "    logbuch.log_metric('size', len(content))\n"
    )
    repository.commit()
    run_id = repository.run("data.py")
    assert logbuch.get_run(again(run_id)).data.metrics == {"size": 4.0}
    table.write_text("1\n2\n3\n")
    done = ask(run_id, "--print")
    assert f"# The data set 'table' has changed: {table} has another hash" in done.stdout
    table.unlink()
    assert f"# The data set 'table' is gone: there is no {table}." in ask(run_id, "--print").stdout


@pytest.mark.parametrize("name", ["sha256", "md5", "sha1", "blake2b"])
def test_a_digest_of_a_known_kind_is_known(tmp_path: Path, name: str) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"x")
    digest = hashlib.new(name, b"x").hexdigest()
    other = logbuch.data.Dataset("d", digest="0" * len(digest), source="data").to_noun()
    same = logbuch.data.Dataset("d", digest=digest, source="data").to_noun()
    assert datasets.problem(same, file) is None
    assert datasets.problem(other, file) is not None


def test_a_machine_without_the_gpu_is_told(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    client = logbuch.LogbuchClient()
    client.set_tag(run_id, "logbuch.gpu", "2 × H100")
    client.set_tag(run_id, "logbuch.python", "3.1.4")
    logbuch.flush()
    said = ask(run_id, "--print").stdout
    assert "# The run had a GPU (2 × H100); there is none here." in said
    assert "# The run had Python 3.1.4;" in said


def test_one_of_several_processes_does_not_wait_for_the_others(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGBUCH_CAPTURE_MACHINE", "true")
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_PORT": "29500", "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(name, value)
    run_id = repository.run("train.py", "0.5")
    done = ask(run_id, "--print")
    assert done.exit_code == 1
    assert (
        "# It was one of 2 processes that trained together (WORLD_SIZE=2). Start all, such as by "
        "--command 'torchrun --nproc-per-node 2 train.py 0.5'; --anyway runs one alone.\n"
    ) in done.stdout
    for arguments in (("--anyway",), ("--command", "python train.py 0.5")):
        done = ask(run_id, "--print", *arguments)
        assert done.exit_code == 0
        *variables, python, script, rate = done.stdout.splitlines()[-1].split()
        assert [python, script, rate] == ["python", "train.py", "0.5"]
        names = {name for name, _, _ in (each.partition("=") for each in variables)}  # some are this machine's
        assert "OMP_NUM_THREADS=1" in variables
        assert not names & {"WORLD_SIZE", "RANK", "MASTER_PORT"}


def test_a_package_from_a_folder_is_told_unless_it_is_in_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, folder = tmp_path / "site", tmp_path / "thing"
    (site / "thing-1.5.dist-info").mkdir(parents=True)
    folder.mkdir()
    (site / "thing-1.5.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.5\n")
    about = {"url": folder.as_uri(), "dir_info": {"editable": True}}
    (site / "thing-1.5.dist-info" / "direct_url.json").write_text(json.dumps(about))
    monkeypatch.syspath_prepend(str(site))
    lines, problems = packages._own({"thing": "1.5", "other": "1"}, lambda path: None)
    assert lines == {"thing": f"-e {folder}"}
    assert [str(one) for one in problems] == [f"thing 1.5 is installed from {folder} as it is now, not as it was."]
    moved = tmp_path / "again"
    assert packages._own({"thing": "1.5"}, lambda path: moved) == ({"thing": f"-e {moved}"}, [])
    assert packages._own({"thing": "1.4"}, lambda path: None) == ({}, [])


def test_packages_that_differ_are_told(repository: Repository) -> None:
    run_id = repository.run("train.py", "0.5")
    with logbuch.start_run(run_id=run_id):
        logbuch.log_text("no-such-package==1.0\nclick==0.0.1\n", "logbuch/requirements.txt")
    logbuch.flush()
    said = ask(run_id, "--print").stdout
    assert "no-such-package 1.0 (not here), click 0.0.1 (" in said


@pytest.mark.parametrize(
    ("first", "second", "tolerance", "verdict"),
    [
        (1.0, 1.0, 0.0, "equal"),
        (float("nan"), float("nan"), 0.0, "equal"),
        (0.0, -0.0, 0.0, "within tolerance"),
        (1.0, 1.01, 0.02, "within tolerance"),
        (1.0, 1.01, 0.001, "different"),
        (1.0, float("nan"), 1.0, "different"),
        (float("inf"), 1.0, 1.0, "different"),
        (1.0, None, 1.0, "missing"),
    ],
)
def test_how_values_compare(first: float, second: float | None, tolerance: float, verdict: str) -> None:
    assert comparison._compared("loss", first, second, tolerance).verdict == verdict


def test_speeds_and_durations_are_measured() -> None:
    for key in (
        "tokens_per_second time train/step_time epoch_seconds eval_runtime samples/s train/mfu train/memory_gb "
        "train/peak_memory_megabytes gpu_mem_allocated_MiB tflops"
    ).split():
        assert is_measured(key), key
    for key in ("loss", "eval/accuracy", "timestep", "lr", "steps", "grad_norm", "time_steps", "memory_loss", "gb"):
        assert not is_measured(key), key
