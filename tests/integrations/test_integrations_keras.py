"""Keras: its callback, and ``autolog``."""

from __future__ import annotations

import math
import re

import pytest

import logbuch
from support.readback import only, points, runs, steps, text
from support.trainings import data, keras_model

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
X, Y = data()


@pytest.fixture(autouse=True)
def _on_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")


def test_epochs_params_and_layers(experiment: str) -> None:
    model = keras_model()
    callback = logbuch.keras.LogbuchCallback()
    seen = model.fit(X, Y, validation_split=0.25, epochs=3, batch_size=30, verbose=0, callbacks=[callback])
    run = only(experiment)
    assert run.info.status == "FINISHED"
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        assert points(run, name) == list(enumerate(seen.history[name]))
    assert points(run, "learning_rate") == [(step, pytest.approx(0.01)) for step in range(3)]
    assert (run.data.params["epochs"], run.data.params["steps"]) == ("3", "3")
    assert re.fullmatch(r"adam(_\d+)?", run.data.params["optimizer/name"])  # Keras numbers names in a process
    assert math.isclose(float(run.data.params["optimizer/learning_rate"]), 0.01, rel_tol=1e-6)
    assert (run.data.params["total_parameters"], run.data.params["trainable_parameters"]) == ("5", "5")
    assert "dense" in text(run, "model_summary.txt")


def test_batches_if_wanted(experiment: str) -> None:
    logbuch.keras.autolog(log_every_n_steps=3)
    keras_model().fit(X, Y, epochs=2, batch_size=30, verbose=0)
    assert steps(only(experiment), "batch/loss") == [0, 3, 6]


def test_one_callback_is_enough_and_a_second_fit_is_a_second_run(experiment: str) -> None:
    import keras

    logbuch.autolog()
    model = keras_model()
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[logbuch.keras.LogbuchCallback()])
    model.fit(X, Y, 30, 1, 0, keras.callbacks.CallbackList([keras.callbacks.TerminateOnNaN()], model=model))
    first, second = runs(experiment)
    assert steps(first, "loss") == steps(second, "loss") == [0]
