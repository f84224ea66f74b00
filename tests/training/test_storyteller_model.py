"""The network: every flag works, nothing looks ahead, the cache and the grouped experts change no result."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from storyteller.metrics import ExpertLoad
from storyteller.model import Storyteller, moe, positions
from storyteller.model.loss import IGNORED, cross_entropy
from storyteller.model.moe import MoE, Routing
from support.storytelling import small

FLAGS: list[dict[str, Any]] = [
    {},
    {"position": "learned", "activation": "gelu", "norm": "layernorm", "bias": True},
    {"position": "alibi", "activation": "relu", "norm_position": "post"},
    {"position": "alibi", "norm": "layernorm", "norm_position": "post", "tie_embeddings": False},
    {"num_kv_heads": 2, "rope_theta": 500.0},
    {"use_moe": True, "num_experts": 4},
    {"use_moe": True, "moe_every": 1, "num_experts": 3, "experts_per_token": 1, "activation": "gelu"},
    {"use_moe": True, "num_experts": 4, "position": "learned", "num_kv_heads": 1, "expert_intermediate_size": 24},
]
NAMES = [" ".join(map(str, flags.values())) or "usual" for flags in FLAGS]


def model_of(**flags: Any) -> Storyteller:
    torch.manual_seed(1)
    return Storyteller(small(**flags))


def some(batch: int = 2, length: int = 20) -> torch.Tensor:
    return torch.randint(0, 300, (batch, length), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("flags", FLAGS, ids=NAMES)
def test_a_model_learns_a_sentence_by_heart(flags: dict[str, Any]) -> None:
    model, tokens = model_of(**flags), some()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    seen = []
    for _ in range(12):
        loss, _ = model.losses(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        assert all(weight.grad is not None for weight in model.parameters())
        optimizer.step()
        optimizer.zero_grad()
        seen.append(float(loss.detach()) / tokens[:, 1:].numel())
    assert seen[0] == pytest.approx(math.log(300), rel=0.05)
    assert seen[-1] < 0.75 * seen[0]


@pytest.mark.parametrize("flags", FLAGS, ids=NAMES)
def test_a_later_token_changes_nothing_before_it(flags: dict[str, Any]) -> None:
    model, tokens = model_of(**flags).eval(), some()
    changed = tokens.clone()
    changed[:, 12] = (changed[:, 12] + 1) % 300
    with torch.no_grad():
        before, after = model(tokens)[0], model(changed)[0]
    torch.testing.assert_close(before[:, :12], after[:, :12])
    assert not torch.allclose(before[:, 12:], after[:, 12:])


@pytest.mark.parametrize("flags", FLAGS, ids=NAMES)
def test_the_cache_changes_no_logits(flags: dict[str, Any]) -> None:
    model, tokens = model_of(**flags).eval(), some()
    with torch.no_grad():
        whole = model(tokens)[0]
        cache = model.new_cache(2)
        parts = [model(tokens[:, begin:end], cache)[0] for begin, end in ((0, 7), (7, 8), (8, 9), (9, 15), (15, 20))]
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=1e-4)
    assert cache.length == 20


def test_a_cache_that_is_full_says_so() -> None:
    model = model_of().eval()
    with pytest.raises(ValueError, match="the cache holds 8 positions, not 9"):
        model(some(1, 9), model.new_cache(1, 8))


def test_rotary_products_hang_on_the_distance_alone() -> None:
    q, k = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def product(at: int, seen: int) -> float:
        turned = [
            positions.turned(x, *positions.rotary(torch.tensor([place]), 8, 10000.0))
            for x, place in ((q, at), (k, seen))
        ]
        return float((turned[0] * turned[1]).sum())

    assert product(9, 4) == pytest.approx(product(25, 20), abs=1e-5)
    assert product(9, 4) != pytest.approx(product(9, 8), abs=1e-3)


def test_alibi_slopes() -> None:
    assert positions.alibi_slopes(8).tolist() == pytest.approx([2.0**-n for n in range(1, 9)])
    # Six heads: the four of the power of two below, then every second one of eight.
    assert positions.alibi_slopes(6).tolist() == pytest.approx([2**-2, 2**-4, 2**-6, 2**-8, 2**-1, 2**-3])


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("activation", ["swiglu", "relu"])
def test_grouped_experts_equal_looped_ones(activation: str, training: bool) -> None:
    flags = {"use_moe": True, "num_experts": 5, "activation": activation}
    torch.manual_seed(2)
    grouped = MoE(small(**flags))
    for weight in grouped.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    looped = MoE(small(**flags, moe_implementation="loop"))
    looped.load_state_dict(grouped.state_dict())
    assert grouped.grouped and not looped.grouped
    x = torch.randn(3, 9, 32)
    results = []
    for layer in (grouped.train(training), looped.train(training)):
        entering = x.clone().requires_grad_()
        y, routing = layer(entering)
        (y.square().sum() + moe.load_balance_loss(routing) + moe.z_loss(routing)).backward()
        results.append((y, entering.grad, *(weight.grad for weight in layer.parameters())))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def router_of(logits: list[list[float]], **flags: Any) -> tuple[MoE, torch.Tensor]:
    """A layer and its input, of which the router makes these logits."""
    wanted = torch.tensor(logits)
    layer = MoE(small(hidden_size=8, num_heads=1, use_moe=True, num_experts=wanted.shape[1], **flags))
    for weight in layer.parameters():
        torch.nn.init.normal_(weight)
    x = torch.zeros(len(logits), 8)
    x[:, : wanted.shape[1]] = wanted
    layer.router.weight.data = torch.eye(wanted.shape[1], 8)
    return layer, x


def test_balance_entropy_and_losses_by_hand() -> None:
    """Three tokens go to expert 0 and one to expert 1, each with 3 : 1."""
    third = math.log(3)
    layer, x = router_of([[third, 0], [third, 0], [third, 0], [0, third]], experts_per_token=1)
    load = ExpertLoad()
    _, routing = layer(x)
    load.add([None, routing])
    load.add([None, routing])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert routing.choices_x.tolist() == [3, 1]
    assert load.metrics() == {
        "moe/layer_1_balance": pytest.approx(1.5),  # 3/4 of the choices, times 2 experts
        "moe/layer_1_entropy": pytest.approx(entropy),
        "moe/layer_1_dropped": 0.0,
    }
    # Shares 3/4 and 1/4, mean probabilities (3 · 0.75 + 0.25) / 4 = 0.625 and 0.375.
    assert float(moe.load_balance_loss(routing).detach()) == pytest.approx(2 * (0.75 * 0.625 + 0.25 * 0.375))
    assert float(moe.z_loss(routing).detach()) == pytest.approx(math.log(4) ** 2)


@pytest.mark.parametrize("choices", [1, 2])
@pytest.mark.parametrize("implementation", ["auto", "loop"])
def test_the_router_learns_from_the_loss(choices: int, implementation: str) -> None:
    """With one choice as with two: the gradient comes by the probability that an expert's output is weighed with."""
    layer, x = router_of([[1.0, 0.0, 0.5]] * 4, experts_per_token=choices, moe_implementation=implementation)
    y, _ = layer(x)
    y.square().sum().backward()
    assert float(layer.router.weight.grad.abs().max()) > 1e-3


def test_a_single_choice_keeps_its_probability() -> None:
    layer, x = router_of([[math.log(3), 0.0]], experts_per_token=1)
    weighed, _ = layer(x)
    layer.router.weight.data *= 1e3  # a probability of 1, and the same expert
    whole, _ = layer(x)
    torch.testing.assert_close(weighed, 0.75 * whole)


def test_even_experts_have_balance_one_and_a_loss_of_one() -> None:
    even = Routing(torch.tensor([4, 4]), torch.tensor([4.0, 4.0]), *[torch.zeros(())] * 3, tokens=8)
    assert moe.balance(even.choices_x) == 1.0
    assert float(moe.load_balance_loss(even)) == 1.0
    assert moe.balance(torch.tensor([8, 0, 0, 0])) == 4.0


def test_a_full_expert_turns_tokens_away_in_training_alone() -> None:
    layer, x = router_of([[5.0, 0.0]] * 4, experts_per_token=1, moe_capacity_factor=1.0)
    y, routing = layer.train()(x)
    # Room for 1.0 · 4 / 2 = 2 tokens, and one more for the rounding.
    assert int(routing.dropped) == 1
    assert (y[:3].abs().sum(1) > 0).all() and float(y[3].abs().sum().detach()) == 0.0
    y, routing = layer.eval()(x)
    assert int(routing.dropped) == 0 and (y.abs().sum(1) > 0).all()


def test_experts_follow_autocast() -> None:
    model = model_of(use_moe=True, num_experts=4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, _ = model.losses(some()[:, :-1], some()[:, 1:])
    loss.backward()
    with torch.no_grad():
        exact, _ = model.losses(some()[:, :-1], some()[:, 1:])
    assert float(loss.detach()) == pytest.approx(float(exact), rel=0.01)
    assert loss.dtype == torch.float32


@pytest.mark.parametrize("tokens", [1, 255, 256, 700])
def test_the_loss_in_parts_is_that_of_all_logits(tokens: int) -> None:
    """And so are its gradients; what is ignored counts nowhere."""
    source = torch.Generator().manual_seed(tokens)
    x_nc, head_vc = torch.randn(tokens, 24, generator=source), torch.randn(90, 24, generator=source)
    targets_n = torch.randint(90, (tokens,), generator=source)
    targets_n[::3] = IGNORED
    found = []
    for parts in (True, False):
        given = [x_nc.clone().requires_grad_(), head_vc.clone().requires_grad_()]
        if parts:
            loss = cross_entropy(*given, targets_n)
        else:
            logits_nv = given[0] @ given[1].t()
            loss = torch.nn.functional.cross_entropy(logits_nv, targets_n, ignore_index=IGNORED, reduction="sum")
        (3 * loss).backward()
        found.append([loss.detach(), *(one.grad for one in given)])
    assert "linear_cross_entropy" in dir(torch.nn.functional), "this test is of the way that takes parts"
    torch.testing.assert_close(*found)
    with torch.no_grad():
        torch.testing.assert_close(cross_entropy(x_nc, head_vc, targets_n), found[0][0])
