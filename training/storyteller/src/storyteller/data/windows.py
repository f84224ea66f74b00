"""The order in which a training sees its tokens: a function of seed and epoch alone, so that it resumes anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from storyteller.data.tokens import Corpus
from storyteller.errors import DataError
from storyteller.model.loss import IGNORED


@dataclass(frozen=True)
class Batch:
    """Tokens and the tokens that follow them, each (b, t); what is padded follows as -100."""

    tokens_bt: Tensor
    targets_bt: Tensor


class Windows:
    """Windows of ``length`` tokens and the one behind them. Every epoch cuts at other places and shuffles anew; its
    first window overlaps the second by what the cut leaves, and its last may be shorter."""

    def __init__(self, corpus: Corpus, length: int, seed: int = 0, *, shuffle: bool = True) -> None:
        if len(corpus.tokens) < 2:
            raise DataError("The data have fewer than two tokens.")
        self.corpus, self.length, self.seed, self.shuffle = corpus, length, seed, shuffle

    def starts(self, epoch: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Where the windows of an epoch begin, in their order."""
        last = len(self.corpus.tokens) - 1
        if not self.shuffle:
            return np.arange(0, last, self.length)
        source = np.random.default_rng((self.seed, epoch))
        first = int(source.integers(0, self.length))
        found = np.arange(first, last, self.length)
        return source.permutation(np.concatenate(([0], found)) if first else found)

    def batch(self, starts: np.ndarray[Any, np.dtype[np.int64]], size: int) -> Batch:
        """The windows that begin at ``starts``, padded to ``size`` rows."""
        tokens = np.zeros((size, self.length), dtype=np.int64)
        targets = np.full((size, self.length), IGNORED, dtype=np.int64)
        for row, start in enumerate(starts):
            window = self.corpus.tokens[start : start + self.length + 1].astype(np.int64)
            tokens[row, : len(window) - 1] = window[:-1]
            targets[row, : len(window) - 1] = window[1:]
        return Batch(torch.from_numpy(tokens), torch.from_numpy(targets))


class Deal:
    """Deals the windows of all epochs out to steps of ``accumulation`` batches on ``world`` processes.

    An epoch's last step takes what is left: nothing is dropped.
    """

    def __init__(self, windows: Windows, batch_size: int, accumulation: int, rank: int = 0, world: int = 1) -> None:
        self.windows, self.batch_size, self.accumulation = windows, batch_size, accumulation
        self.rank, self.world = rank, world
        self.epoch, self.taken = 0, 0
        self._starts = windows.starts(0)

    def go_to(self, epoch: int, taken: int) -> None:
        """Goes on behind the first ``taken`` windows of an epoch."""
        self.epoch, self.taken = epoch, taken
        self._starts = self.windows.starts(epoch)

    def fraction(self) -> float:
        """Epochs, with the share of the current one."""
        return self.epoch + self.taken / len(self._starts)

    def step(self) -> list[Batch]:
        """This process's batches of the next step."""
        if self.taken >= len(self._starts):
            self.go_to(self.epoch + 1, 0)
        batches = []
        for _ in range(self.accumulation):
            starts = self._starts[self.taken : self.taken + self.batch_size * self.world]
            if not len(starts):
                break
            own = starts[self.rank * self.batch_size : (self.rank + 1) * self.batch_size]
            batches.append(self.windows.batch(own, self.batch_size if self.world > 1 else len(own)))
            self.taken += len(starts)
        return batches

    def steps_of_epoch(self, epoch: int) -> int:
        """How many steps an epoch has."""
        return -(-len(self.windows.starts(epoch)) // (self.batch_size * self.accumulation * self.world))


def dealt(batches: Iterator[Batch], rank: int, world: int) -> Iterator[Batch]:
    """One process's share of batches. All have as many, for they compute together: where one is missing, another one's
    tokens stand in without targets."""
    number, last = -1, None
    for number, batch in enumerate(batches):
        last = batch
        if number % world == rank:
            yield batch
    if last is not None and number % world < rank:
        yield Batch(last.tokens_bt, torch.full_like(last.targets_bt, IGNORED))


def in_order(windows: Windows, batch_size: int, batches: int) -> Iterator[Batch]:
    """The windows one after the other, for an evaluation; ``batches`` of 0 is all."""
    starts = windows.starts(0)
    for number, begin in enumerate(range(0, len(starts), batch_size)):
        if batches and number >= batches:
            return
        some = starts[begin : begin + batch_size]
        yield windows.batch(some, len(some))
