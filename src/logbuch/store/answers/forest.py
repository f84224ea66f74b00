"""A random forest over few columns and rows, and what each column is worth to it.

Regression trees on bootstrap samples, each level split by a third of the columns (after Breiman 2001, "Random Forests",
who draws them for each node), over binned columns. A column's importance is Breiman's: by how much the squared error on
the rows that a tree has not seen grows when the column is shuffled among them, as a share of the spread of the target.
Everything is drawn from a fixed seed, so the same table gives the same answer.

Texts have no order. Each tree orders them by the mean of the target among the rows that it has seen, by which the best
split of a text is found among neighbours (Breiman et al. 1984, theorem 4.5); what it has not seen stands in the middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

TREES, DEPTH, LEAST, BINS = 100, 10, 2, 32
"""Trees of at most so many levels, whose leaves hold at least so many rows of the sample, over so many bins."""
_SEED = 20_26


@dataclass(frozen=True, slots=True)
class Column:
    """A column in bins, numbered from 0; those of ``ordered`` columns ascend with the values."""

    codes: Codes
    ordered: bool


@dataclass(frozen=True, slots=True)
class Worth:
    """What the forest found: a share of the target's spread and its standard error for each column, and for all of
    them together ``explained``, the R² on rows that were not seen; below 0 where they say less than the mean."""

    shares: Floats
    errors: Floats
    explained: float


@dataclass(slots=True)
class _Tree:
    """The nodes of a tree: column and bin of each split (-1: a leaf), its left child, right beside it; and means."""

    column: list[int] = field(default_factory=list)
    bin: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)


def numbers(values: Floats) -> Column:
    """A column of numbers in at most :data:`BINS` bins, equally full; what is missing (NaN) is a bin below all."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) > BINS - 1:
        known = np.unique(np.quantile(values[~np.isnan(values)], np.linspace(0, 1, BINS - 1), method="lower"))
    codes = np.searchsorted(known, values, side="right")
    return Column(np.where(np.isnan(values), 0, codes).astype(np.intp), ordered=True)


def words(values: list[str | None]) -> Column:
    """A column of texts: the commonest have a bin each, the others one together."""
    count: dict[str | None, int] = {}
    for value in values:
        count[value] = count.get(value, 0) + 1
    common = sorted(count, key=lambda value: (-count[value], value is None, value or ""))[: BINS - 1]
    place = {value: number for number, value in enumerate(common)}
    return Column(np.array([place.get(value, BINS - 1) for value in values], np.intp), ordered=False)


def worth(columns: list[Column], target: Floats) -> Worth:
    """What each column tells of a target that is finite, not constant, and has as many rows as they."""
    rows, random = len(target), np.random.default_rng(_SEED)
    coded = np.stack([column.codes for column in columns], axis=1)
    unordered = [place for place, column in enumerate(columns) if not column.ordered]
    spread = float(np.var(target))
    shares = np.zeros((TREES, len(columns)))
    total, seen = np.zeros(rows), np.zeros(rows)
    for number in range(TREES):
        drawn = np.bincount(random.integers(0, rows, rows), minlength=rows)
        codes = _ordered(coded, unordered, drawn, target)
        tree = _grow(codes, drawn, target, random)
        unseen = np.flatnonzero(drawn == 0)
        if not len(unseen):
            continue
        guess, shuffled = _predict(tree, codes[unseen], random)
        total[unseen] += guess
        seen[unseen] += 1
        error = np.mean((target[unseen] - guess) ** 2)
        for column, other in shuffled.items():
            shares[number, column] = (np.mean((target[unseen] - other) ** 2) - error) / spread
    known = seen > 0
    rest = target[known] - total[known] / seen[known]
    explained = 1 - float(np.sum(rest**2) / max(np.sum((target[known] - target[known].mean()) ** 2), 1e-300))
    return Worth(shares.mean(axis=0), shares.std(axis=0, ddof=1) / math.sqrt(TREES), explained)


def _ordered(coded: Codes, unordered: list[int], drawn: Codes, target: Floats) -> Codes:
    """The codes, with those of texts in the order of the target's mean among the rows drawn."""
    codes = coded.copy()
    middle = float(np.average(target, weights=drawn))
    for place in unordered:
        weight = np.bincount(coded[:, place], weights=drawn, minlength=BINS)
        total = np.bincount(coded[:, place], weights=drawn * target, minlength=BINS)
        means = np.where(weight > 0, total / np.maximum(weight, 1), middle)
        rank = np.empty(BINS, np.intp)
        rank[np.argsort(means, kind="stable")] = np.arange(BINS)
        codes[:, place] = rank[coded[:, place]]
    return codes


def _grow(codes: Codes, drawn: Codes, target: Floats, random: np.random.Generator) -> _Tree:
    rows = np.flatnonzero(drawn)
    codes, weight = codes[rows], drawn[rows].astype(np.float64)
    weighted = weight * target[rows]
    tree = _Tree([-1], [0], [-1], [float(weighted.sum() / weight.sum())])
    node = np.zeros(len(rows), np.intp)
    level = np.zeros(1, np.intp)
    """The nodes of this level in the tree; ``node`` says for each row its place among them."""
    for _ in range(DEPTH):
        column, at = _splits(codes, weight, weighted, node, len(level), random)
        parted = np.flatnonzero(column >= 0)
        if not len(parted):
            break
        children = np.full(len(level), -1, np.intp)
        children[parted] = len(tree.mean) + 2 * np.arange(len(parted))
        for place in parted.tolist():
            own = int(level[place])
            tree.column[own], tree.bin[own], tree.left[own] = int(column[place]), int(at[place]), int(children[place])
        stays = column[node] >= 0
        codes, weight, weighted, node = codes[stays], weight[stays], weighted[stays], node[stays]
        right = codes[np.arange(len(node)), column[node]] > at[node]
        first = int(children[parted[0]])
        node = children[node] - first + right
        level = first + np.arange(2 * len(parted))
        held = np.bincount(node, weights=weight, minlength=len(level))
        tree.mean += (np.bincount(node, weights=weighted, minlength=len(level)) / held).tolist()
        tree.column += [-1] * len(level)
        tree.bin += [0] * len(level)
        tree.left += [-1] * len(level)
    return tree


def _splits(
    codes: Codes, weight: Floats, weighted: Floats, node: Codes, nodes: int, random: np.random.Generator
) -> tuple[Codes, Codes]:
    """The best split of each node of a level among a third of the columns, drawn for the level: the column (-1: none)
    and the last bin of its left part."""
    offered = random.permutation(codes.shape[1])[: math.ceil(codes.shape[1] / 3)]
    codes, columns = codes[:, offered], len(offered)
    place = ((np.arange(columns) * nodes)[None, :] + node[:, None]) * BINS + codes
    size = columns * nodes * BINS
    shape = (columns, nodes, BINS)
    held = np.bincount(place.ravel(), weights=np.repeat(weight, columns), minlength=size).reshape(shape)
    summed = np.bincount(place.ravel(), weights=np.repeat(weighted, columns), minlength=size).reshape(shape)
    left, left_sum = held.cumsum(axis=2), summed.cumsum(axis=2)
    right, right_sum = left[:, :, -1:] - left, left_sum[:, :, -1:] - left_sum
    fits = (left >= LEAST) & (right >= LEAST)
    gain = left_sum**2 / np.maximum(left, 1) + right_sum**2 / np.maximum(right, 1)
    gain -= left_sum[:, :, -1:] ** 2 / np.maximum(left[:, :, -1:], 1)
    best = np.where(fits, gain, -np.inf).transpose(1, 0, 2).reshape(nodes, columns * BINS)
    chosen = best.argmax(axis=1)
    # What rounding leaves of nothing is no gain.
    least = 1e-12 * np.abs(left_sum[0, :, -1] ** 2 / np.maximum(left[0, :, -1], 1))
    worthwhile = best[np.arange(nodes), chosen] > least
    return np.where(worthwhile, offered[chosen // BINS], -1), chosen % BINS


def _predict(tree: _Tree, codes: Codes, random: np.random.Generator) -> tuple[Floats, dict[int, Floats]]:
    """The tree's answer for rows, and those for the same rows with one of the columns that it uses shuffled."""
    column, at, left = (np.array(part, np.intp) for part in (tree.column, tree.bin, tree.left))
    mean = np.array(tree.mean)
    used = np.unique(column[column >= 0])
    rows = np.arange(len(codes))
    mixed = np.stack([rows, *(random.permutation(len(codes)) for _ in used)])
    swapped = np.concatenate(([-1], used))[:, None]
    node = np.zeros(mixed.shape, np.intp)
    for _ in range(DEPTH):
        asked = column[node]
        going = asked >= 0
        if not going.any():
            break
        value = codes[np.where(asked == swapped, mixed, rows[None, :]), asked]
        node = np.where(going, left[node] + (value > at[node]), node)
    answers = mean[node]
    return answers[0], {int(place): answer for place, answer in zip(used, answers[1:], strict=True)}
