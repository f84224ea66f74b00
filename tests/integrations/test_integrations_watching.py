"""Gradients and parameters of plain PyTorch: as the optimizer gets them, and no more."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import httpx
import numpy as np
import pytest
import torch

import logbuch
from logbuch.errors import InvalidInput
from logbuch.pytorch import watch
from support.servers import Server


@pytest.fixture
def run(experiment: str) -> Any:
    with logbuch.start_run() as begun:
        yield begun


def asked(server: Server, path: str, **query: Any) -> Any:
    answer = httpx.get(f"{server.url}/api/logbuch/1/runs/{path}", params=query, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def media(server: Server, run: Any) -> dict[str, list[int]]:
    """The steps of all histograms by key."""
    found = asked(server, "media", run_id=run.info.run_id)["media"]
    return {series["key"]: series["steps"] for series in found if series["kind"] == "histogram"}


def histogram(server: Server, run: Any, key: str) -> dict[str, Any]:
    """The first histogram of a key."""
    found = asked(server, "histograms", run_id=run.info.run_id, key=key)
    return {column: values[0] for column, values in found.items() if isinstance(values, list)}


def model() -> torch.nn.Module:
    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))


def loss(net: torch.nn.Module, factor: float = 1.0) -> torch.Tensor:
    return (net(torch.ones(5, 4) * factor) ** 2).mean()


def norm(net: torch.nn.Module) -> float:
    return float(
        torch.linalg.vector_norm(torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None]))
    )


def history(key: str) -> dict[int, float]:
    active = logbuch.active_run()
    assert active is not None
    return {p.step: p.value for p in logbuch.LogbuchClient().get_metric_history(active.info.run_id, key)}


def test_gradients_at_every_nth_step(run: Any) -> None:
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    expected = {}
    with watch(net, log_freq=2):
        for number in range(5):
            optimizer.zero_grad()
            loss(net).backward()
            expected[number] = norm(net)
            optimizer.step()
    found = history("gradients/norm")
    assert list(found) == [0, 2, 4]
    for number, value in found.items():
        assert value == pytest.approx(expected[number])
    parts = [history(f"gradients/norm/{name}")[0] for name, _ in net.named_parameters()]
    assert sum(part**2 for part in parts) ** 0.5 == pytest.approx(expected[0])
    assert history("parameters/norm") == {}


def test_accumulated_batches_and_clipping_are_in_it(run: Any) -> None:
    net = model()
    optimizer = torch.optim.AdamW(net.parameters())
    with watch(net, 1, "all"):
        for factor in (1.0, 2.0, 3.0):
            (loss(net, factor) / 3).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1e-3)
        weights = torch.cat([parameter.detach().flatten().clone() for parameter in net.parameters()])
        optimizer.step()
    assert history("gradients/norm") == {0: pytest.approx(1e-3, rel=1e-3)}
    assert history("parameters/norm") == {0: pytest.approx(float(torch.linalg.vector_norm(weights)))}


def test_histograms_of_gradients_and_parameters(run: Any, shared_server: Server) -> None:
    net = model()
    with torch.no_grad():
        net[2].bias.fill_(2.5)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
    with watch(net, 2, "all"):
        for _ in range(3):
            optimizer.zero_grad()
            loss(net).backward()
            optimizer.step()
    logbuch.flush()
    seen = media(shared_server, run)
    assert set(seen) == {f"{kind}/{name}" for kind in ("gradients", "parameters") for name, _ in net.named_parameters()}
    assert seen["gradients/0.weight"] == [0, 2]
    known = histogram(shared_server, run, "parameters/0.weight")
    weights = net[0].weight.detach().numpy()
    counts, edges = np.histogram(weights, 64)
    assert known["counts"] == counts.tolist()
    assert known["edges"] == pytest.approx(edges.tolist(), abs=1e-6)
    same = histogram(shared_server, run, "parameters/2.bias")
    assert sum(same["counts"]) == 1 and same["edges"][0] < 2.5 < same["edges"][-1]


@pytest.mark.parametrize("fused", [False, True])
def test_the_scale_of_mixed_precision_is_taken_off(run: Any, fused: bool) -> None:
    net = model()
    optimizer = torch.optim.Adam(net.parameters(), fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    with watch(net, 1):
        loss(net).backward()
        expected = norm(net)
        optimizer.zero_grad()
        scaler.scale(loss(net)).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        scaler.scale(loss(net) * float("inf")).backward()  # a step that is skipped
        scaler.step(optimizer)
        scaler.update()
    assert history("gradients/norm") == {0: pytest.approx(expected, rel=1e-4)}


def test_the_step_may_be_the_callers(run: Any) -> None:
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, 1, step=lambda: 77):
        loss(net).backward()
        optimizer.step()
    assert list(history("gradients/norm")) == [77]


def test_two_models_and_two_optimizers_are_told_apart(run: Any) -> None:
    one, other = model(), model()
    head = torch.optim.SGD(one[2].parameters(), lr=0.1)
    rest = torch.optim.SGD([*one[0].parameters(), *other.parameters()], lr=0.1)
    with watch(one, 1):
        (loss(one) + loss(other)).backward()
        head.step()
        assert history("gradients/norm")[0] == pytest.approx(norm(one[2]))
        rest.step()
        rest.step()
    assert set(history("gradients/norm/0.weight")) == {0, 1}
    assert set(history("gradients/norm/2.weight")) == {0}


def test_nan_is_seen(run: Any) -> None:
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, 1):
        (loss(net) * float("nan")).backward()
        optimizer.step()
    assert str(history("gradients/norm")[0]) == "nan"


def test_sparse_gradients_and_bfloat16(run: Any) -> None:
    table = torch.nn.Embedding(10, 2, sparse=True)
    optimizer = torch.optim.SparseAdam(table.parameters())
    with watch(table, 1):
        table(torch.tensor([1, 1, 3])).sum().backward()
        optimizer.step()
    assert history("gradients/norm")[0] == pytest.approx((2 * 2.0**2 + 2 * 1.0) ** 0.5)
    half = model().to(torch.bfloat16)
    with watch(half, 1, step=lambda: 5):
        half(torch.ones(1, 4, dtype=torch.bfloat16)).sum().backward()
        torch.optim.SGD(half.parameters(), lr=0.1).step()
    assert history("gradients/norm")[5] > 0


def test_names_without_wrappers(run: Any) -> None:
    net = torch.nn.DataParallel(model())
    with watch(net, 1):
        loss(net).backward()
        torch.optim.SGD(net.parameters(), lr=0.1).step()
    assert 0 in history("gradients/norm/0.weight")


def test_removed_it_hears_nothing_and_holds_nothing(run: Any) -> None:
    from torch.optim import optimizer as hooks

    before = len(hooks._global_optimizer_pre_hooks)
    net = model()
    handle = watch(net, 1)
    assert len(hooks._global_optimizer_pre_hooks) == before + 1
    handle.remove()
    handle.remove()
    assert len(hooks._global_optimizer_pre_hooks) == before
    loss(net).backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    assert history("gradients/norm") == {}
    seen = weakref.ref(net)
    del net
    gc.collect()
    assert seen() is None


def test_without_a_run_nothing_happens(experiment: str) -> None:
    net = model()
    with watch(net, 1):
        loss(net).backward()
        torch.optim.SGD(net.parameters(), lr=0.1).step()
    assert logbuch.search_runs([experiment], output_format="list") == []


def test_wrong_use_is_said_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"watch\(what='weights'\)"):
        watch(model(), 1, "weights")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=r"watch\(log_freq=0\)"):
        watch(model(), 0)


def test_a_broken_tracker_does_not_reach_the_training(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    net = model()
    monkeypatch.setattr(logbuch, "log_metrics", broken)
    monkeypatch.setattr(logbuch, "log_histogram", broken)
    with watch(net, 1):
        loss(net).backward()
        torch.optim.SGD(net.parameters(), lr=0.1).step()
