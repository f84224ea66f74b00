"""The random forest beside scikit-learn's, and on tables where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import permutation_importance

from logbuch.store.answers import forest

Floats = NDArray[np.float64]


def friedman(rows: int, seed: int, columns: int = 8) -> tuple[Floats, Floats]:
    """Friedman's first problem (1991): five columns tell the target, the others nothing."""
    random = np.random.default_rng(seed)
    table = random.random((rows, columns))
    a, b, c, d, e = table[:, :5].T
    return table, 10 * np.sin(np.pi * a * b) + 20 * (c - 0.5) ** 2 + 10 * d + 5 * e + random.normal(size=rows)


def worth(table: Floats, target: Floats) -> forest.Worth:
    return forest.worth([forest.numbers(column) for column in table.T], target)


@pytest.mark.parametrize("rows", [120, 600])
def test_it_agrees_with_scikit_learn(rows: int) -> None:
    table, target = friedman(rows, 1)
    peer = RandomForestRegressor(100, max_features=1 / 3, oob_score=True, random_state=0).fit(table, target)
    unseen, truth = friedman(400, 2)
    found = permutation_importance(peer, unseen, truth, n_repeats=10, random_state=0, scoring="neg_mean_squared_error")
    theirs = found.importances_mean / np.var(truth)
    ours = worth(table, target)
    assert ours.explained == pytest.approx(peer.oob_score_, abs=0.08)
    assert np.corrcoef(ours.shares, theirs)[0, 1] > 0.95
    assert np.argmax(ours.shares) == np.argmax(theirs) == 3
    assert set(np.argsort(ours.shares)[-4:]) == set(np.argsort(theirs)[-4:]) == {0, 1, 3, 4}
    assert np.abs(ours.shares - theirs).max() < 0.15


def test_the_same_table_gives_the_same_answer() -> None:
    table, target = friedman(60, 3)
    one, other = worth(table, target), worth(table, target)
    assert (one.shares.tolist(), one.explained) == (other.shares.tolist(), other.explained)


def test_chance_explains_nothing() -> None:
    random = np.random.default_rng(5)
    found = worth(random.random((80, 6)), random.normal(size=80))
    assert found.explained < 0.1
    assert found.shares.max() < 0.15


def test_texts_explain_without_an_order() -> None:
    random = np.random.default_rng(6)
    kinds = random.integers(0, 6, 200)
    target = np.array([3.0, -2.0, 9.0, 0.0, 9.0, -2.0])[kinds] + random.normal(0, 0.3, 200)
    noise: list[str | None] = [f"w{number}" for number in random.integers(0, 6, 200)]
    found = forest.worth([forest.words([f"k{kind}" for kind in kinds]), forest.words(noise)], target)
    assert found.explained > 0.95
    assert found.shares[0] > 1 > 0.05 > found.shares[1]


def test_texts_beyond_the_bins_and_missing_values_are_bins_too() -> None:
    column = forest.words([f"w{number % 40}" for number in range(400)] + [None] * 50)
    assert (column.codes.max(), column.codes[-1]) == (forest.BINS - 1, 0)
    numbers = forest.numbers(np.array([np.nan, 5.0, 1.0, 5.0, 3.0]))
    assert numbers.codes.tolist() == [0, 3, 1, 3, 2]
    many = forest.numbers(np.arange(1000.0))
    assert (many.codes.min(), many.codes.max()) == (1, forest.BINS - 1)


@pytest.mark.parametrize("rows", [2, 3, 10])
def test_few_rows_are_no_error(rows: int) -> None:
    table, target = friedman(rows, 7)
    found = worth(table, target)
    assert np.isfinite(found.shares).all()
