"""Where a training logs to, and that it trains on where it cannot: no Logbuch, no server, a stock MLflow server."""

from __future__ import annotations

import ast
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import checkpoints
import httpx
import pytest
import tracking
import train_lora
import utils

import logbuch
from support.fresh import fresh
from support.mlflow_server import mlflow_server
from support.readback import steps
from support.servers import Server

__all__ = ["fresh"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.slow,
]
ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "training" / "lora" / "train_lora.py"


def options(material: Any, *more: object) -> list[str]:
    given = ["--test_mode", "--model_name", material.model, "--data_dir", material.data, "--max_seq_length", 512]
    return [str(one) for one in (*given, "--precision", "fp32", *more)]


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens, and nobody else can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def saved() -> bool:
    return Path("models/standard_r8_qkvo_test/adapter_model.safetensors").exists()


def test_without_logbuch(material: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(tracking, "mlflow", None)
    assert train_lora.main(options(material)) == 0
    assert saved()
    assert "Logbuch is not installed" in capsys.readouterr().out


def test_logbuch_is_not_needed_for_an_import() -> None:
    blocked = "import sys; sys.modules['logbuch'] = None; import tracking; assert tracking.mlflow is None"
    done = subprocess.run([sys.executable, "-c", blocked], cwd=PROGRAM.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("program", sorted(PROGRAM.parent.glob("*.py")), ids=lambda path: path.stem)
def test_of_logbuch_the_package_alone_is_imported(program: Path) -> None:
    for node in ast.walk(ast.parse(program.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] != "logbuch", f"{program.name}, line {node.lineno}"
        elif isinstance(node, ast.Import):
            assert all(not one.name.startswith("logbuch.") for one in node.names), f"{program.name}, line {node.lineno}"


def test_no_mlflow_logs_nothing(material: Any, shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", shared_server.url)
    assert train_lora.main(options(material, "--no_mlflow", "--mlflow_experiment_name", "never made")) == 0
    assert saved()
    assert not Path("models/standard_r8_qkvo_test/run.json").exists()
    logbuch.set_tracking_uri(shared_server.url)
    assert logbuch.get_experiment_by_name("never made") is None


def test_with_the_server_down(material: Any, nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_lora.main(options(material, "--mlflow_tracking_uri", nobody)) == 0
    assert saved()
    assert f"No answer from {nobody}" in capsys.readouterr().out
    assert list(Path(os.environ["LOGBUCH_JOURNAL_FOLDER"]).rglob("*")), "nothing was kept for later"


def test_the_seeds_setup(shared_server: Server, nobody: str, capsys: pytest.CaptureFixture[str]) -> None:
    config = SimpleNamespace(mlflow_tracking_uri=shared_server.url, mlflow_experiment_name="the seed's")
    experiment_id = utils.setup_mlflow(config)
    assert experiment_id == utils.setup_mlflow(config)
    found = logbuch.get_experiment_by_name("the seed's")
    assert found is not None and found.experiment_id == experiment_id
    assert not utils.setup_mlflow(SimpleNamespace(mlflow_tracking_uri=nobody, mlflow_experiment_name="x"))
    refused = SimpleNamespace(mlflow_tracking_uri=shared_server.url, mlflow_experiment_name="")
    assert utils.setup_mlflow(refused) is None
    assert "Training without a tracker" in capsys.readouterr().out


def test_checkpoints_are_kept_if_wanted(material: Any, shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", shared_server.url)
    more = ("--log_model_checkpoints", "true", "--log_model", "false", "--mlflow_experiment_name", "lora checkpoints")
    assert train_lora.main(options(material, *more)) == 0
    (run,) = logbuch.search_runs(experiment_names=["lora checkpoints"], output_format="list")
    found = [item.path for item in logbuch.LogbuchClient().list_artifacts(run.info.run_id, "checkpoints")]
    assert found == ["checkpoints/checkpoint-2", "checkpoints/checkpoint-4"]
    assert "lora_adapter" not in [item.path for item in logbuch.LogbuchClient().list_artifacts(run.info.run_id)]


# -- processes ---------------------------------------------------------------------------------------------------------


def begin(material: Any, url: str, experiment: str) -> subprocess.Popen[str]:
    """A training in a process of its own, of more steps than it can take before somebody ends it."""
    many = 100_000
    usual = {"PYTHONUNBUFFERED": "1", "LOGBUCH_FINISH_TIMEOUT": "60"}
    more = ("--max_steps", many, "--eval_steps", many, "--save_steps", many, "--mlflow_experiment_name", experiment)
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *options(material, "--num_epochs", 999, *more)],
        env=os.environ | {"LOGBUCH_TRACKING_URI": url, "OMP_NUM_THREADS": "1"} | usual,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def end(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """Sends the signal after some steps; what was printed."""
    assert process.stdout is not None
    said, logged = "", 0
    for line in process.stdout:
        said += line
        logged += "'loss'" in line
        if logged == 3:
            break
    process.send_signal(how)
    return said + process.communicate(timeout=120)[0]


def test_sigterm_saves_a_checkpoint(material: Any, shared_server: Server) -> None:
    process = begin(material, shared_server.url, "lora sigterm")
    said = end(process, signal.SIGTERM)
    assert process.returncode == 143, said
    assert "Go on with --resume" in said
    logbuch.set_tracking_uri(shared_server.url)
    (run,) = logbuch.search_runs(experiment_names=["lora sigterm"], output_format="list")
    assert run.info.status == "KILLED"
    (checkpoint,) = Path("models/standard_r8_qkvo_test").glob("checkpoint-*")
    step = int(checkpoint.name.removeprefix("checkpoint-"))
    assert checkpoints.is_whole(checkpoint)
    assert steps(run, "train/loss") == list(range(1, step + 1))
    assert not Path("models/standard_r8_qkvo_test/adapter_model.safetensors").exists()


def test_ctrl_c_ends_the_run_as_killed(
    material: Any, shared_server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer import LoraTrainer

    step = LoraTrainer.training_step

    def interrupted(self: Any, *more: Any) -> Any:
        if self.state.global_step == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(self, *more)

    monkeypatch.setenv("LOGBUCH_TRACKING_URI", shared_server.url)
    monkeypatch.setattr(LoraTrainer, "training_step", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert train_lora.main(options(material, "--mlflow_experiment_name", "lora ctrl-c")) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert "Interrupted. Go on with --resume" in capsys.readouterr().err
    (run,) = logbuch.search_runs(experiment_names=["lora ctrl-c"], output_format="list")
    assert run.info.status == "KILLED"
    assert steps(run, "train/loss") == [1, 2]


def test_two_trainings_do_not_share_a_folder(
    material: Any, shared_server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second is refused before it touches a run: with --resume that would be the first one's."""
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", shared_server.url)
    with checkpoints.claimed(Path("models/standard_r8_qkvo_test")):
        assert train_lora.main(options(material, "--mlflow_experiment_name", "lora refused")) == 2
    assert "another training writes to models/standard_r8_qkvo_test" in capsys.readouterr().err
    logbuch.set_tracking_uri(shared_server.url)
    assert logbuch.get_experiment_by_name("lora refused") is None
    assert train_lora.main(options(material, "--no_mlflow")) == 0


# -- a stock MLflow server ---------------------------------------------------------------------------------------------


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[str]:
    with mlflow_server(tmp_path / "mlflow") as address:
        yield address


def test_a_stock_mlflow_server(material: Any, stock: str) -> None:
    assert train_lora.main(options(material, "--mlflow_tracking_uri", stock)) == 0

    def ask(path: str, **body: Any) -> Any:
        answer = httpx.post(f"{stock}/api/2.0/mlflow/{path}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    logbuch.flush()
    (run,) = ask("runs/search", experiment_ids=["1"])["runs"]
    assert (run["info"]["run_name"], run["info"]["status"]) == ("standard", "FINISHED")
    metrics = {one["key"] for one in run["data"]["metrics"]}
    assert {"train/loss", "eval/loss", "epoch", "final_eval_loss", "train/tokens_per_second"} <= metrics
    params = {one["key"]: one["value"] for one in run["data"]["params"]}
    assert (params["lora_rank"], params["lora_target_modules"]) == ("8", "q_proj,k_proj,v_proj,o_proj")
    listed = httpx.get(f"{stock}/api/2.0/mlflow/artifacts/list", params={"run_id": run["info"]["run_id"]}).json()
    names = {one["path"] for one in listed["files"]}
    assert {"lora_adapter", "samples"} <= names
    (model,) = ask("logged-models/search", experiment_ids=["1"])["models"]
    assert (model["info"]["source_run_id"], model["info"]["status"]) == (run["info"]["run_id"], "LOGGED_MODEL_READY")
