"""Is the training as quick as a plain loop, and what does the tracker cost? ``python -m storyteller.benchmark``.

The plain loop is written here as people write one: a GPT in a few lines, AdamW, clipping, nothing logged. Storyteller
trains the same network with its tracker on. Both take turns, and processor time is compared, of all threads: so other
programs on the machine, and what the tracker does in threads of its own, do not hide anything.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from storyteller import estimate, smoke
from storyteller import train as training
from storyteller.config import Config
from storyteller.devices import device_of
from storyteller.report import Report
from storyteller.setup import Training, params_of, prepared
from storyteller.tracking import Tracker, tracker_of

_MODEL = {
    "vocab_size": 4096, "hidden_size": 128, "num_layers": 4, "num_heads": 4, "max_sequence_length": 128,
    "position": "learned", "activation": "gelu", "norm": "layernorm", "bias": "true",
}  # fmt: skip


class PlainBlock(nn.Module):
    """Attention and feed-forward with one matrix for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.qkv(self.norm_1(x)).chunk(3, dim=-1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class PlainModel(nn.Module):
    """Embeddings, blocks, a head that is the embedding."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        size = config.model
        self.tokens = nn.Embedding(size.vocab_size, size.hidden_size)
        self.places = nn.Embedding(size.max_sequence_length, size.hidden_size)
        self.blocks = nn.Sequential(*[PlainBlock(size.hidden_size, size.num_heads) for _ in range(size.num_layers)])
        self.norm = nn.LayerNorm(size.hidden_size)
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        stream = self.blocks(self.tokens(x) + self.places(torch.arange(x.shape[1])))
        logits = F.linear(self.norm(stream), self.tokens.weight)
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())


@dataclass
class Share:
    """Processor seconds of a turn: in all, and of those the tracker's."""

    total: float
    tracker: float = 0.0


class Timed(Tracker):
    """A tracker whose calls are timed."""

    def __init__(self, inner: Tracker) -> None:
        super().__init__(inner._logbuch)
        self.spent = 0.0

    def metrics(self, values: dict[str, float], step: int) -> None:  # type: ignore[override]
        begun = time.thread_time()
        super().metrics(values, step)
        self.spent += time.thread_time() - begun


def plain_turns(config: Config, data: Tensor) -> Callable[[int], Share]:
    """A plain loop that goes on with every turn of so many steps."""
    torch.manual_seed(1)
    model = PlainModel(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1)
    length, rows = config.sequence_length, config.training.batch_size

    def turn(steps: int) -> Share:
        begun = time.process_time()
        for _ in range(steps):
            at = torch.randint(len(data) - length - 1, (rows,)).tolist()
            x = torch.stack([data[one : one + length] for one in at])
            y = torch.stack([data[one + 1 : one + 1 + length] for one in at])
            loss = model(x, y)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return Share(time.process_time() - begun)

    return turn


def our_turns(made: Training, tracker: Timed) -> Callable[[int], Share]:
    """Storyteller's own steps, logged as a training logs them. What runs in other threads meanwhile is the
    tracker's."""
    every = made.config.training.log_every
    made.model.train()
    made.clock.start()

    def turn(steps: int) -> Share:
        begun, own, spent = time.process_time(), time.thread_time(), tracker.spent
        for _ in range(steps):
            done = training.one_step(made)
            if made.progress.step % every == 0:
                training.log(made, done)
        total = time.process_time() - begun
        others = total - (time.thread_time() - own)
        return Share(total, max(0.0, others) + tracker.spent - spent)

    return turn


@click.command()
@click.option("--rounds", default=10, show_default=True, help="Turns of each.")
@click.option("--steps", default=10, show_default=True, help="Steps a turn.")
@click.option("--log-every", default=10, show_default=True, help="Steps between two that are logged.")
def main(rounds: int, steps: int, log_every: int) -> None:
    """Compares both, in turns, and prints ratios."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        config = config_of(Path(place), rounds * steps, log_every)
        tracker = Timed(tracker_of(config.training))
        with device_of(config.training) as device, tracker.run(config.training):
            made = prepared(config, device, tracker, None)
            made.report = Report(made.steps, quiet=True)
            tracker.params(params_of(made))
            data = torch.from_numpy(made.train.windows.corpus.tokens.astype("int64"))
            plain, ours = plain_turns(config, data), our_turns(made, tracker)
            plain(2), ours(2)
            turns = [(plain(steps), ours(steps)) for _ in range(rounds)]
            same = estimate.parameters(PlainModel(config)), estimate.parameters(made.model)
        tokens = steps * config.training.batch_size * config.sequence_length
        told(turns, tokens, same, tracker.is_on)


def config_of(folder: Path, steps: int, log_every: int) -> Config:
    """The training that is measured."""
    smoke.write(folder, smoke.made_up(3000), 400)
    sets = [f"model.{key}={value}" for key, value in _MODEL.items()]
    sets += ["training.batch_size=16", f"training.log_every={log_every}", f"training.max_steps={steps + 10}"]
    sets += ["training.mlflow_run_name=benchmark", f"training.output_dir={folder / 'out'}"]
    return smoke.on(folder, sets)


def told(turns: list[tuple[Share, Share]], tokens: int, parameters: tuple[int, int], tracked: bool) -> None:
    ratios = sorted(plain.total / ours.total for plain, ours in turns)
    shares = sorted(ours.tracker / ours.total for _, ours in turns)
    print(f"parameters: plain {parameters[0]:,}, Storyteller {parameters[1]:,}; tracker on: {tracked}")
    quick = [tokens / statistics.median(turn[side].total for turn in turns) for side in (0, 1)]
    print(f"tokens a processor second: plain {quick[0]:,.0f}, Storyteller {quick[1]:,.0f}")
    print(f"ratio: median {statistics.median(ratios):.3f} (of {len(ratios)}: {ratios[0]:.3f} to {ratios[-1]:.3f})")
    print(f"tracker: median {statistics.median(shares):.2%} (up to {shares[-1]:.2%})")


if __name__ == "__main__":
    main()
