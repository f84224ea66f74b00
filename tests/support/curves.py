"""Labelled trainings: what their curves look like, and what a check has to find in them.

Shapes and noise are drawn from seeded generators, so that the set is the same everywhere. Curves are made by the
store's own code, as the checks get them: coarsely first, and more closely where something is found.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from logbuch.stability.curve import Curve
from logbuch.stability.findings import Kind
from logbuch.stability.verdict import Watch, Watched
from logbuch.store import examining
from logbuch.store.examining import FINE, Look
from logbuch.store.metrics import charts
from logbuch.store.metrics.points import Series
from logbuch.store.metrics.rows import Rows

Floats = NDArray[np.float64]
Random = np.random.Generator
EACH = 40
"""Trainings of each kind of trouble; there are eight times as many without."""
LENGTHS = (60, 120, 300, 1_000, 3_000, 10_000, 40_000)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A training, the trouble in it (None for a clean one), and how it is made for a look."""

    name: str
    label: Kind | None
    make: Callable[[], Watch]

    def watch(self, look: Look) -> Watch:
        """Its curves as they are looked at."""
        token = _look.set(look)
        try:
            return self.make()
        finally:
            _look.reset(token)


_look: ContextVar[Look] = ContextVar("look", default=FINE)


def labelled() -> Iterator[Labelled]:
    """The whole set."""
    for number in range(8 * EACH):
        yield Labelled(f"clean {number}", None, partial(_made, _clean, "clean", number))
    for kind, make in _TROUBLES.items():
        for number in range(EACH):
            yield Labelled(f"{kind} {number}", kind, partial(_made, make, str(kind), number))


def _made(make: Callable[[Random, int], Watch], name: str, number: int) -> Watch:
    return make(_random(name, number), number)


def _random(name: str, number: int) -> Random:
    return np.random.default_rng(zlib.crc32(f"held out {name} {number}".encode()))


def curve(values: Floats, x: Floats | None = None) -> Curve:
    """As a check gets it: points, or summaries of stretches where there are many, in buckets."""
    steps = np.arange(len(values), dtype=np.int64) if x is None else x.astype(np.int64)
    rows, look = Rows.of_points(Series(steps, steps, values), "step"), _look.get()
    return examining.curve(rows.of_stretches() if len(rows) > charts.fine(look.reading) else rows, look)


# -- clean trainings -----------------------------------------------------------------------------------------------


def _shape(random: Random, number: int, count: int) -> Floats:
    """The expected loss of a training that goes well."""
    t = np.linspace(0, 1, count)
    start, floor = random.uniform(2, 11), random.uniform(0.05, 1)
    shapes: tuple[Callable[[], Floats], ...] = (
        lambda: floor + (start - floor) * np.exp(-t * random.uniform(1.5, 4)),
        lambda: floor + (start - floor) * (1 + t * random.uniform(20, 300)) ** -random.uniform(0.25, 0.5),
        lambda: floor + (start - floor) * (1 - t) ** random.uniform(0.8, 1.6),
        lambda: floor + (start - floor) * 0.5 * (1 + np.cos(np.pi * t)),
        lambda: _staircase(random, t, start),
        lambda: _epochs(random, t, start, floor),
        lambda: start - random.uniform(0.1, 0.3) * start * np.sqrt(t),  # fine-tuning: little is left to learn
        lambda: floor + (start - floor) / (1 + np.exp((t - random.uniform(0.4, 0.6)) * random.uniform(5, 9))),
        lambda: 10 ** (-t * random.uniform(2, 5)) * start,  # a regression that falls to almost nothing
        lambda: _restarts(random, t, start, floor),
        lambda: -random.uniform(50, 500) * np.sqrt(t) + random.uniform(-20, 20),  # a log-likelihood below 0
        lambda: _warmup(random, t, start, floor),
    )
    return shapes[number % len(shapes)]()


def _staircase(random: Random, t: Floats, start: float) -> Floats:
    """A loss that falls at once whenever the learning rate is cut, and slowly between."""
    found = start * np.exp(-1.2 * t)
    for place in (0.3, 0.6, 0.85):
        found *= 1 - random.uniform(0.15, 0.4) * (t > place)
    return found


def _epochs(random: Random, t: Floats, start: float, floor: float) -> Floats:
    """Several epochs over a small set: a drop at each new one."""
    epoch = np.floor(t * random.integers(3, 7))
    return floor + (start - floor) * np.exp(-2 * t) * 0.8**epoch


def _restarts(random: Random, t: Floats, start: float, floor: float) -> Floats:
    """Warm restarts: the loss rises a little with the learning rate and falls lower than before."""
    wave = 0.5 * (1 + np.cos(np.pi * ((t * 4) % 1)))
    return (floor + (start - floor) * np.exp(-3 * t)) * (1 + random.uniform(0.02, 0.08) * wave)


def _warmup(random: Random, t: Floats, start: float, floor: float) -> Floats:
    """A loss that first rises while the learning rate warms up."""
    return floor + (start - floor) * np.exp(-2.5 * t) + 0.1 * start * np.exp(-(((t - 0.02) / 0.02) ** 2))


def _noisy(random: Random, number: int, expected: Floats) -> Floats:
    """With the noise of batches: normal, skewed, long-tailed, or of one epoch's order that repeats."""
    amount = random.choice([0.003, 0.01, 0.03, 0.06, 0.12])
    count = len(expected)
    noise = (
        lambda: random.normal(0, 1, count),
        lambda: np.exp(random.normal(0, 0.5, count)) - np.exp(0.125),
        lambda: random.laplace(0, 0.7, count),
        lambda: np.tile(random.normal(0, 1, max(5, count // 7)), 8)[:count],
    )[(number // 12) % 4]()
    return expected + np.abs(expected) * amount * noise


def _loss(random: Random, number: int, count: int | None = None) -> Floats:
    length = count or int(random.choice(LENGTHS))
    return _noisy(random, number, _shape(random, number, length))


def _evaluation(random: Random, loss: Floats, rise: float = 0.0) -> Watched:
    """Evaluations at a few steps, some above the training loss; with ``rise`` they rise from a third of the run on."""
    places = np.linspace(0, len(loss) - 1, int(random.integers(8, 40))).astype(np.int64)
    width = max(1, len(loss) // 100)
    smooth = np.array([np.median(loss[max(0, place - width) : place + width + 1]) for place in places])
    t = np.linspace(0, 1, len(places))
    gap = np.abs(smooth) * random.uniform(0.0, 0.15)
    if rise:  # from a third of the run on it falls no more
        third = len(smooth) // 3
        smooth[third:] = smooth[third] + rise * np.abs(smooth[third]) * (t[third:] - t[third])
    values = smooth + gap + np.abs(smooth) * random.normal(0, 0.004, len(places))
    return Watched("eval/loss", curve(values, places))


def _norms(random: Random, count: int) -> Floats:
    """Gradient norms: they fall at first, and their noise is skewed."""
    t = np.linspace(0, 1, count)
    return (0.4 + 3 * np.exp(-8 * t)) * np.exp(random.normal(0, random.uniform(0.1, 0.4), count))


def _schedule(random: Random, count: int) -> Floats:
    """Warm-up, then linear, cosine, steps, or constant."""
    t = np.linspace(0, 1, count)
    after = (1 - t, 0.5 * (1 + np.cos(np.pi * t)), 0.1 ** np.floor(3 * t), np.ones(count))[int(random.integers(4))]
    return float(random.uniform(1e-5, 1e-3)) * np.minimum(1, t / random.uniform(0.03, 0.1)) * after


def _speed(random: Random, count: int) -> Floats:
    """Tokens a second: steady but for pauses at evaluations and check points."""
    found = float(random.uniform(100, 100_000)) * (1 + random.normal(0, 0.02, count))
    found[:: max(10, count // 20)] *= random.uniform(0.2, 0.8)
    return found


def _clean(random: Random, number: int) -> Watch:
    loss = _loss(random, number)
    count = len(loss)
    time = np.arange(500) * 10_000.0
    use = np.clip(random.normal(92, 5, 500) * (random.uniform(0, 1, 500) > 0.05), 0, 100)
    return Watch(
        loss=Watched("train/loss", curve(loss)),
        evaluation=_evaluation(random, loss),
        gradients=(Watched("train/grad_norm", curve(_norms(random, count))),),
        rates=(Watched("train/learning_rate", curve(_schedule(random, count))),),
        throughputs=(Watched("train/tokens_per_second", curve(_speed(random, count))),),
        gpus=(Watched("system/gpu_0_utilization_percentage", curve(use, time)),),
    )


# -- trainings with a trouble ----------------------------------------------------------------------------------------


def _with_spikes(random: Random, number: int) -> Watch:
    """One to four spikes, of one step or with a recovery over up to a hundredth of the run."""
    loss = _loss(random, number, int(random.choice([n for n in LENGTHS if n >= 120])))
    count = len(loss)
    scale = max(float(np.abs(np.median(loss))), 1e-12)
    for place in random.choice(np.arange(count // 8, count - count // 16), int(random.integers(1, 5)), replace=False):
        width = int(random.choice([1, 2, max(1, count // 200), max(1, count // 100)]))
        height = random.uniform(0.8, 8) * max(scale, float(np.abs(loss[place])))
        tail = np.exp(-np.arange(5 * width) / width)[: count - place] if width > 1 else np.ones(1)
        loss[place : place + len(tail)] += height * tail
    return Watch(loss=Watched("loss", curve(loss)))


def _that_diverges(random: Random, number: int) -> Watch:
    """From somewhere on the loss rises: at once, in a straight line, or exponentially, and stays up or goes on."""
    loss = _loss(random, number)
    count = len(loss)
    place = int(count * random.uniform(0.2, 0.85))
    rest = np.linspace(0, 1, count - place)
    reached = max(float(loss[0] - np.min(loss)), 0.3 * float(np.abs(loss[place]))) * random.uniform(0.8, 5)
    rises = (np.minimum(1, rest * 8), rest, np.expm1(4 * rest) / np.expm1(4))
    loss[place:] = loss[place] + reached * rises[number % 3] + 0.02 * reached * random.normal(0, 1, len(rest))
    return Watch(loss=Watched("train/loss", curve(loss)))


def _not_finite(random: Random, number: int) -> Watch:
    """A single NaN or infinity, or nothing else from there on."""
    loss = _loss(random, number)
    place = int(random.integers(1, len(loss)))
    end = len(loss) if number % 3 == 0 else place + 1
    loss[place:end] = (np.nan, np.inf, -np.inf)[number % 3]
    return Watch(loss=Watched("train_loss", curve(loss)))


def _that_stalls(random: Random, number: int) -> Watch:
    """A loss that never falls, or falls at first and then no more."""
    count = int(random.choice(LENGTHS))
    start = random.uniform(0.5, 11)
    t = np.linspace(0, 1, count)
    expected = np.full(count, start)
    if number % 2:
        expected = start * (0.3 + 0.7 * np.maximum(0, 1 - t / random.uniform(0.05, 0.35)))
    return Watch(loss=Watched("loss", curve(_noisy(random, 12 * (number % 3), expected))))


def _that_overfits(random: Random, number: int) -> Watch:
    loss = _noisy(random, number, _shape(random, (0, 1, 3, 5)[number % 4], int(random.choice(LENGTHS))))
    return Watch(
        loss=Watched("train/loss", curve(loss)), evaluation=_evaluation(random, loss, random.uniform(0.15, 1.5))
    )


def _whose_gradients_explode(random: Random, number: int) -> Watch:
    loss = _loss(random, number, int(random.choice([n for n in LENGTHS if n >= 120])))
    norms = _norms(random, len(loss))
    places = random.choice(np.arange(len(norms) // 8, len(norms)), int(random.integers(1, 4)), replace=False)
    norms[places] = random.uniform(10, 1000) * 0.5
    return Watch(loss=Watched("train/loss", curve(loss)), gradients=(Watched("train/grad_norm", curve(norms)),))


def _whose_rate_jumps(random: Random, number: int) -> Watch:
    """The schedule starts anew in the middle, as after a resume."""
    count = int(random.choice(LENGTHS))
    t = np.linspace(0, 1, count)
    rate = float(random.uniform(1e-5, 1e-3)) * np.minimum(1, t / 0.05) * (1 - t)
    place = int(count * random.uniform(0.5, 0.9))
    rate[place:] = rate.max() * np.linspace(1, 0, count - place)
    return Watch(
        loss=Watched("loss", curve(_loss(random, number, count))), rates=(Watched("learning_rate", curve(rate)),)
    )


def _that_slows_down(random: Random, number: int) -> Watch:
    """Throughput falls to a part of what it was, for a while or for good."""
    count = int(random.choice([n for n in LENGTHS if n >= 120]))
    speed = _speed(random, count)
    place = int(count * random.uniform(0.2, 0.8))
    end = count if number % 2 else min(count, place + max(15, int(count * random.uniform(0.06, 0.3))))
    speed[place:end] *= random.uniform(0.1, 0.6)
    return Watch(
        loss=Watched("loss", curve(_loss(random, number, count))),
        throughputs=(Watched("tokens_per_second", curve(speed)),),
    )


def _whose_gpu_idles(random: Random, number: int) -> Watch:
    count = 600
    use = np.clip(random.normal(90, 6, count), 0, 100)
    place = int(random.integers(20, 480))
    length = int(random.integers(100, 120))
    use[place : place + length] = random.uniform(0, 12, min(length, count - place))
    time = np.arange(count) * 10_000.0
    return Watch(
        loss=Watched("loss", curve(_loss(random, number))),
        gpus=(Watched("system/gpu_0_utilization_percentage", curve(use, time)),),
    )


_TROUBLES: dict[Kind, Callable[[Random, int], Watch]] = {
    Kind.SPIKE: _with_spikes,
    Kind.DIVERGED: _that_diverges,
    Kind.NOT_FINITE: _not_finite,
    Kind.PLATEAU: _that_stalls,
    Kind.GAP: _that_overfits,
    Kind.GRADIENT: _whose_gradients_explode,
    Kind.LEARNING_RATE: _whose_rate_jumps,
    Kind.THROUGHPUT: _that_slows_down,
    Kind.IDLE_GPU: _whose_gpu_idles,
}
