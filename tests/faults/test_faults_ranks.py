"""Distributed trainings: several processes with the environment that torchrun gives them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.servers import Server

pytestmark = pytest.mark.slow

BODY = """
import logbuch.sdk.ranks
logbuch.sdk.ranks.WAIT_SECONDS = float(os.environ.get("WAIT", "100"))  # one rank may have to wait long for its turn
logbuch.sdk.ranks._BRIEF_SECONDS, logbuch.sdk.ranks._EARLY_SECONDS = 30.0, 60.0
rank = int(os.environ["RANK"])
time.sleep(float(os.environ.get("LATE", "0")) * (rank == 0))
begin = time.monotonic()
with logbuch.start_run(run_name="ddp") as run:
    took = time.monotonic() - begin
    stay = os.environ.get("STAY", __file__)
    if rank == 1:
        open(stay, "a").close()
    logbuch.log_params({"lr": 0.1, "world": 2, "device": f"cuda:{rank}"})
    for step in range(200):
        logbuch.log_metric("loss", step + rank / 4, step=step)
    logbuch.log_metrics({"a": 1.0, "b": 2.0}, step=0)
    logbuch.log_text("by one", f"of{rank}.txt")
    while not os.path.exists(stay):  # rank 0, until rank 1 has found its run
        time.sleep(0.05)
    if os.environ.get("FAIL") == str(rank):
        raise RuntimeError("no memory left")
print(run.info.run_id, took)
"""
Launch = Callable[..., list[tuple[int, str, str]]]


@pytest.fixture
def launch(program: Any) -> Launch:
    """Runs a program on some ranks; (exit code, stdout, stderr) of each."""

    def run(place: str, body: str = BODY, local: int = 2, **more: str) -> list[tuple[int, str, str]]:
        shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": str(local), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
        ranks = [program(body, place, RANK=str(rank), LOCAL_RANK=str(rank), **(shared | more)) for rank in range(2)]
        ended = [(process, *process.communicate(timeout=180)) for process in ranks]
        return [(process.returncode, out, err) for process, out, err in ended]

    return run


def points(server: Server, run_id: str, key: str) -> list[tuple[int, float]]:
    answer = server.get("metrics/get-history", run_id=run_id, metric_key=key).json()
    return sorted((int(point["step"]), float(point["value"])) for point in answer.get("metrics", ()))


def check(server: Server, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = server.get("runs/get", run_id=run_id).json()["run"]
    assert points(server, run_id, "loss") == [(step, float(step)) for step in range(200)]
    assert points(server, run_id, "rank1/loss") == [(step, step + 0.25) for step in range(200)]
    keys = {metric["key"] for metric in found["data"]["metrics"]}
    assert keys == {"loss", "a", "b", "rank1/loss", "rank1/a", "rank1/b"}
    params = {param["key"]: param["value"] for param in found["data"]["params"]}
    assert (params["lr"], params["world"]) == ("0.1", "2")
    files = server.get("artifacts/list", run_id=run_id).json()["files"]
    assert {"of0.txt", "of1.txt"} <= {file["path"] for file in files}
    return found


@pytest.mark.parametrize("embedded", [False, True])
def test_ranks_on_one_machine_share_a_run(
    make_server: Callable[..., Server], launch: Launch, tmp_path: Path, embedded: bool
) -> None:
    folder = tmp_path / ".logbuch"
    server = None if embedded else make_server()
    for _ in range(2):  # a second training is another run, though its environment is the same
        ended = launch(str(folder) if server is None else server.url, LATE="1")
        assert [code for code, _, _ in ended] == [0, 0], ended
        (first, _), (second, _) = (out.split() for _, out, _ in ended)
        assert first == second
    if server is None:
        server = make_server(f"sqlite:///{folder}/logbuch.db", "--default-artifact-root", str(folder / "artifacts"))
    found = check(server, first)
    assert found["info"]["status"] == "FINISHED"
    assert server.post("runs/search", {"experiment_ids": ["0"]}).json()["runs"].__len__() == 2


def test_ranks_without_a_server_meet_on_the_disk(
    make_server: Callable[..., Server], launch: Launch, sync: Callable[..., Any], tmp_path: Path
) -> None:
    port = free_port()
    ended = launch(f"http://127.0.0.1:{port}", LOGBUCH_FINISH_TIMEOUT="1")
    assert [code for code, _, _ in ended] == [0, 0], ended
    (first, _), (second, _) = (out.split() for _, out, _ in ended)
    assert first == second
    folder = tmp_path / "server"
    folder.mkdir()
    server = Server(folder, f"sqlite:///{folder}/logbuch.db", port=port).start()
    try:
        sync()  # a param of rank 1 that differs is set aside
        assert sync().returncode == 0
        check(server, first)
    finally:
        server.stop()


def test_ranks_on_other_machines_find_the_run_on_the_server(
    make_server: Callable[..., Server], launch: Launch, tmp_path: Path
) -> None:
    server = make_server()
    body = 'os.environ["LOGBUCH_JOURNAL_FOLDER"] += os.environ["RANK"]\n' + BODY  # no disk in common
    ended = launch(server.url, body, local=1, LATE="1", STAY=str(tmp_path / "met"))
    assert [code for code, _, _ in ended] == [0, 0], ended
    (first, _), (second, _) = (out.split() for _, out, _ in ended)
    assert first == second
    check(server, first)


def test_ranks_on_other_machines_without_a_server_wait_for_a_limited_time(launch: Launch, tmp_path: Path) -> None:
    body = 'os.environ["LOGBUCH_JOURNAL_FOLDER"] += os.environ["RANK"]\n' + BODY
    ended = launch("http://127.0.0.1:9", body, local=1, WAIT="1.0", LOGBUCH_FINISH_TIMEOUT="1")
    assert [code for code, _, _ in ended] == [0, 0], ended
    (first, _), (second, took) = (out.split() for _, out, _ in ended)
    assert first != second
    assert float(took) < 14  # and not ten seconds longer, for the run of rank 0
    assert "rank 1 found no run of rank 0 in 1 s and begins its own" in ended[1][2]


def test_a_rank_that_fails_says_why_the_run_ended(make_server: Callable[..., Server], launch: Launch) -> None:
    server = make_server()
    ended = launch(server.url, FAIL="1")
    assert [code for code, _, _ in ended] == [0, 1], ended
    found = server.get("runs/get", run_id=ended[0][1].split()[0]).json()["run"]
    tags = {tag["key"]: tag["value"] for tag in found["data"]["tags"]}
    assert tags["logbuch.error"].startswith("In rank 1:\nTraceback")
    assert "RuntimeError: no memory left" in tags["logbuch.error"]


def test_ranks_that_are_to_stay_apart(make_server: Callable[..., Server], launch: Launch) -> None:
    server = make_server()
    ended = launch(server.url, LOGBUCH_RANKS="apart")
    assert ended[0][1].split()[0] != ended[1][1].split()[0]


def test_a_run_that_is_named_is_joined_by_all(make_server: Callable[..., Server], launch: Launch) -> None:
    server = make_server()
    run_id = server.new_run()
    ended = launch(
        server.url, LOGBUCH_RUN_ID=run_id, LATE="1.5"
    )  # a param that differs is there before rank 0 logs its own
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert [out.split()[0] for _, out, _ in ended] == [run_id, run_id]
    assert check(server, run_id)["info"]["status"] == "FINISHED"


def test_real_ranks_of_pytorch_meet_in_its_store(make_server: Callable[..., Server], launch: Launch) -> None:
    server = make_server()
    body = (
        'os.environ["LOGBUCH_JOURNAL_FOLDER"] += os.environ["RANK"]\n'
        "import torch.distributed\n"
        'torch.distributed.init_process_group("gloo")\ntry:\n'
        + textwrap.indent(BODY + "torch.distributed.barrier()\n", "    ")
        + "finally:\n    torch.distributed.destroy_process_group()\n"
    )
    ended = launch(server.url, body, MASTER_PORT=str(free_port()))
    assert [code for code, _, _ in ended] == [0, 0], ended
    assert len({out.split()[0] for _, out, _ in ended}) == 1, ended
    check(server, ended[0][1].split()[0])
