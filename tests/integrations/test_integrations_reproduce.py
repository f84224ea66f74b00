"""``logbuch reproduce`` of real trainings with PyTorch: the same loss, bit for bit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

import logbuch
from support.repositories import Repository, curve, newest
from support.servers import Server

TRAIN = """
import sys
import torch
import logbuch
import net

torch.manual_seed(7)
inputs = torch.randn(256, 4)
targets = (inputs @ torch.tensor([1.0, -2.0, 3.0, 0.5])).tanh().unsqueeze(1)
model = torch.nn.Sequential(torch.nn.Linear(4, net.WIDTH), torch.nn.Dropout(0.1), torch.nn.Linear(net.WIDTH, 1))
optimizer = torch.optim.Adam(model.parameters(), float(sys.argv[1]))
with logbuch.start_run():
    logbuch.log_params({"lr": sys.argv[1], "seed": 7, "width": net.WIDTH})
    for step in range(40):
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        logbuch.log_metric("loss", loss.item(), step)
"""
ENVIRONMENT_TRAIN = """
import random
import logbuch
import net
try:
    import lantern
except ImportError:
    lantern = None
with logbuch.start_run():
    logbuch.log_param("seed", 1)
    random.seed(1)
    logbuch.log_metric("loss", random.random() + net.WIDTH)
    logbuch.set_tag("imported", f"lantern {lantern.VERSION}" if lantern else "nothing")
"""


@pytest.fixture
def repository(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A training below a folder of a repository, with a change that is not committed; it logs to a server."""
    for name in ("GIT", "PACKAGES"):
        monkeypatch.delenv(f"LOGBUCH_CAPTURE_{name}")
    made = Repository(tmp_path / "project", server.url)
    made.write(sub__train=TRAIN, sub__small=ENVIRONMENT_TRAIN, sub__net="WIDTH = 8\n")
    made.commit()
    made.write(sub__net="WIDTH = 16\n")
    return made


class Said(NamedTuple):
    answer: dict[str, object]
    told: str


def again(repository: Repository, folder: Path, run_id: str, *arguments: str, **variables: str) -> Said:
    """Does a run again from ``folder``: the command's answer, and what it told before."""
    command = [sys.executable, "-m", "logbuch", "reproduce", run_id, "--yes", "--json", "--into", "again", *arguments]
    environment = os.environ | {"LOGBUCH_TRACKING_URI": str(repository.store)} | variables
    folder.mkdir()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return Said(json.loads(done.stdout), done.stderr)


@pytest.mark.slow
def test_a_training_with_uncommitted_changes_gives_the_same_curve(repository: Repository, tmp_path: Path) -> None:
    run_id = repository.run("train.py", "0.01", folder=repository.folder / "sub")
    before = repository.state()
    repository.write(sub__net="WIDTH = 3\n")
    answer = again(repository, tmp_path / "elsewhere", run_id, "--env", "current").answer
    assert answer["same"]
    new = newest(repository.store)
    assert answer["new_run_id"] == new
    assert len(curve(run_id, "loss")) == 40
    assert curve(new, "loss") == curve(run_id, "loss")
    assert logbuch.get_run(new).data.params["width"] == "16"
    repository.write(sub__net="WIDTH = 16\n")
    assert repository.state() == before


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_recorded_packages_are_installed(repository: Repository, tmp_path: Path, installer: str) -> None:
    """From an index that has one of two; the tracker itself is lent to the environment by PYTHONPATH."""
    index = tmp_path / "index"
    wheel(index, "lantern", "1.5")
    wheel(index, "lantern", "2.0")
    run_id = repository.run("small.py", folder=repository.folder / "sub")
    with logbuch.start_run(run_id=run_id):
        logbuch.log_text("lantern==1.5\nno-such-package==9.9\nlantern-extra==1.0+cpu\n", "logbuch/requirements.txt")
    logbuch.flush()
    wheel(index, "lantern_extra", "1.0")
    lent = os.pathsep.join(part for part in sys.path if part)
    uv = Path(sys.executable).parent / "uv"
    assert uv.is_file()
    variables = {
        "PYTHONPATH": lent,
        "PATH": f"{uv.parent}{os.pathsep}{os.environ['PATH']}" if installer == "uv" else os.defpath,
        **dict.fromkeys(["PIP_NO_INDEX", "UV_NO_INDEX"], "1"),
        **dict.fromkeys(["PIP_FIND_LINKS", "UV_FIND_LINKS"], str(index)),
    }
    said = again(repository, tmp_path / "elsewhere", run_id, **variables)
    assert said.answer["same"]
    assert f"packages   2 packages, by {installer}" in said.told
    assert "The index has no no-such-package 9.9: it will be missing." in said.told
    assert "The index has no lantern-extra 1.0+cpu: 1.0 is taken, with what it needs." in said.told
    packages = tmp_path / "elsewhere" / "again" / "environment"
    assert [path.name for path in packages.glob("lib/python*/site-packages/lantern-*")] == ["lantern-1.5.dist-info"]
    kept = logbuch.artifacts.load_text(f"runs:/{said.answer['new_run_id']}/logbuch/requirements.txt")
    assert kept == "lantern==1.5\nlantern-extra==1.0\n"
    assert "lantern 1.5" in logbuch.get_run(str(said.answer["new_run_id"])).data.tags["imported"]


def wheel(index: Path, name: str, version: str) -> None:
    """A package that knows its version, as a wheel in a folder."""
    index.mkdir(exist_ok=True)
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(index / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{about}/RECORD": record}.items():
            archive.writestr(path, text)
