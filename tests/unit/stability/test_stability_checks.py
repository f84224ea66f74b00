"""Each check at its borders, and on curves of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from logbuch.stability import courses, gaps, rates, spikes
from logbuch.stability.curve import Curve, Floats
from logbuch.stability.findings import Kind, Verdict, Word
from logbuch.stability.parts import lower_is_better, parts
from logbuch.stability.verdict import Watch, Watched, judge

FALLING = 2 * np.exp(-np.linspace(0, 3, 400))


def of(values: Floats) -> Curve:
    return Curve.of_points(np.arange(len(values), dtype=np.float64), values)


def loss(values: Floats) -> Verdict:
    return judge(Watch(loss=Watched("loss", of(values))))


def test_a_falling_loss_is_stable() -> None:
    assert loss(FALLING) == Verdict(word=Word.STABLE, points=400)


def test_a_run_without_a_loss_is_unknown_and_a_short_one_is_too_short() -> None:
    assert judge(Watch()).word is Word.UNKNOWN
    assert loss(FALLING[:49]).word is Word.SHORT


def test_nan_in_a_short_run_is_told() -> None:
    verdict = loss(np.array([3.0, np.nan, np.inf, 2.0]))
    assert verdict.word is Word.DIVERGED
    (finding,) = verdict.findings
    assert (finding.kind, finding.start, finding.count) == (Kind.NOT_FINITE, 1, 2)


def test_nan_in_any_watched_metric_is_told() -> None:
    verdict = judge(Watch(loss=Watched("loss", of(FALLING)), others=(Watched("aux", of(np.array([np.nan]))),)))
    assert [finding.metric for finding in verdict.findings] == ["aux"]


def test_a_spike_names_its_step_its_height_and_its_end() -> None:
    values = FALLING.copy()
    values[200] = 9.0
    (finding,) = spikes.find("loss", of(values))
    assert (finding.kind, finding.start, finding.end, finding.value) == (Kind.SPIKE, 200, 201, 9)
    assert finding.usual == pytest.approx(FALLING[200], rel=0.05)


def test_several_spikes_are_counted_and_the_highest_is_named() -> None:
    values = FALLING.copy()
    values[[150, 250, 300]] = (5.0, 9.0, 6.0)
    (finding,) = spikes.find("loss", of(values))
    assert (finding.start, finding.count) == (250, 3)


def test_a_drop_is_no_spike() -> None:
    values = FALLING.copy()
    values[200:] *= 0.3
    values[100] = 0.01
    assert not spikes.find("loss", of(values))


def test_a_loss_that_ends_high_has_diverged_since_it_rose() -> None:
    values = np.concatenate((FALLING[:200], np.linspace(FALLING[200], 3, 200)))
    (finding,) = courses.diverged("loss", of(values))
    assert 200 <= finding.start <= 260
    assert finding.value == pytest.approx(3, rel=0.1)


def test_a_tiny_loss_that_doubles_has_not_diverged() -> None:
    values = np.concatenate((2.3 * np.exp(-np.linspace(0, 9, 300)), np.full(100, 0.0006)))
    assert not courses.diverged("loss", of(values))


def test_a_log_likelihood_below_zero_may_fall_and_diverge() -> None:
    assert not courses.diverged("loss", of(-100 * np.sqrt(np.linspace(0, 1, 200))))
    assert courses.diverged("loss", of(np.concatenate((np.linspace(0, -100, 100), np.linspace(-100, 50, 100)))))


def test_a_plateau_names_where_it_begins() -> None:
    random = np.random.default_rng(1)
    values = np.concatenate((np.linspace(3, 1, 100), np.ones(300))) + random.normal(0, 0.01, 400)
    (finding,) = courses.plateau("loss", of(values))
    assert 80 <= finding.start <= 120


def test_an_evaluation_that_rises_while_the_training_falls_is_a_gap() -> None:
    evaluation = Curve.of_points(
        np.arange(0.0, 400, 20), np.concatenate((np.linspace(2, 1, 8), np.linspace(1, 1.6, 12)))
    )
    (finding,) = gaps.find("eval/loss", evaluation, of(FALLING))
    assert (finding.kind, finding.start) == (Kind.GAP, 140)
    rising = of(np.linspace(1, 3, 400))
    assert not gaps.find("eval/loss", evaluation, rising), "both rise: that is no overfitting"


def test_a_learning_rate_that_starts_anew_is_told_and_a_warm_up_is_not() -> None:
    schedule = np.minimum(1, np.linspace(0, 10, 200)) * np.linspace(1, 0, 200)
    assert not rates.learning_rate("lr", of(schedule))
    (finding,) = rates.learning_rate("lr", of(np.concatenate((schedule[:150], schedule[20:]))))
    assert finding.start == 150


def test_slow_stretches_are_told_and_pauses_are_not() -> None:
    speed = np.full(300, 1000.0)
    speed[::30] = 100
    assert not rates.throughput("tokens_per_second", of(speed))
    speed[200:] *= 0.5
    (finding,) = rates.throughput("tokens_per_second", of(speed))
    assert (finding.start, finding.end, finding.usual) == (200, None, 1000)


@pytest.mark.parametrize(("minutes", "told"), [(14, False), (16, True)])
def test_a_gpu_idles_for_a_quarter_of_an_hour(minutes: int, told: bool) -> None:
    use = np.full(400, 95.0)
    use[100 : 100 + minutes * 6] = 3
    curve = Curve.of_points(np.arange(400) * 10_000.0, use)
    assert bool(rates.idle_gpu("system/gpu_0_utilization_percentage", curve)) is told


@given(arrays(np.float64, st.integers(0, 300), elements=st.floats(width=64)))
def test_no_curve_breaks_a_check(values: Floats) -> None:
    curve = of(values)
    watched = (Watched("x", curve),)
    verdict = judge(
        Watch(
            loss=watched[0], evaluation=watched[0], gradients=watched, rates=watched, throughputs=watched, gpus=watched
        )
    )
    finite = np.isfinite(values)
    assert (verdict.word is Word.DIVERGED) or finite.all()


def test_parts_are_known_by_their_names() -> None:
    found = parts(
        ["train/loss", "train/aux_loss", "eval/loss", "eval/perplexity", "train/grad_norm", "train/learning_rate",
         "lr", "train/tokens_per_second", "samples/s", "system/gpu_0_utilization_percentage", "system/loss", "epoch"]
    )  # fmt: skip
    assert (found.loss, found.evaluation) == ("train/loss", "eval/loss")
    assert found.gradients == ("train/grad_norm",)
    assert found.rates == ("lr", "train/learning_rate")
    assert found.throughputs == ("samples/s", "train/tokens_per_second")
    assert found.gpus == ("system/gpu_0_utilization_percentage",)


def test_a_perplexity_is_a_loss_where_there_is_no_other() -> None:
    assert parts(["val_perplexity", "val_loss"]).loss == "val_loss"
    assert parts(["perplexity"]).loss == "perplexity"
    assert parts(["accuracy"]).loss is None


@pytest.mark.parametrize(
    ("key", "lower"),
    [("eval/loss", True), ("wer", True), ("val_accuracy", False), ("test/f1", False), ("tokens_per_second", False),
     ("epoch", None), ("map@50", False)],
)  # fmt: skip
def test_a_name_tells_the_direction(key: str, lower: bool | None) -> None:
    assert lower_is_better(key) is lower
