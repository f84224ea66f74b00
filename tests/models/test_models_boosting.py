from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import xgboost

import logbuch
from logbuch.errors import InvalidInput, PermissionDenied

NOISE = np.random.default_rng(0)
X = pd.DataFrame({"a": NOISE.normal(size=60), "b": NOISE.normal(size=60)})
Y = (X["a"] > 0).astype(int).to_numpy()
QUIET: dict[str, Any] = {"n_estimators": 3, "verbose": -1, "min_child_samples": 5}


@pytest.mark.parametrize("format_", ["ubj", "json"])
def test_an_xgboost_booster_predicts_as_before(format_: str) -> None:
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 3)
    logbuch.xgboost.save_model(booster, "saved", model_format=format_, input_example=X)
    assert logbuch.models.needs_pickle("saved") is None
    np.testing.assert_array_equal(logbuch.models.load_model("saved").predict(X), booster.predict(xgboost.DMatrix(X)))
    assert Path(f"saved/model.{format_}").exists()


@pytest.mark.parametrize("kind", [xgboost.XGBClassifier, xgboost.XGBRegressor])
def test_an_xgboost_estimator_predicts_as_before(kind: Any) -> None:
    model = kind(n_estimators=3, max_depth=2).fit(X, Y)
    logbuch.xgboost.save_model(model, "saved", input_example=X)
    np.testing.assert_array_equal(logbuch.models.load_model("saved").predict(X), model.predict(X))
    assert isinstance(logbuch.xgboost.load_model("saved"), kind)


def test_only_models_of_xgboost_are_made() -> None:
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 1)
    logbuch.xgboost.save_model(booster, "saved")
    text = Path("saved/MLmodel").read_text()
    Path("saved/MLmodel").write_text(text.replace("xgboost.core.Booster", "os.system"))
    with pytest.raises(InvalidInput, match="system is no model of XGBoost"):
        logbuch.models.load_model("saved")
    with pytest.raises(InvalidInput, match="int is no model of XGBoost"):
        logbuch.xgboost.save_model(3, "other")
    with pytest.raises(InvalidInput, match="Invalid model_format 'xml'"):
        logbuch.xgboost.save_model(booster, "other", model_format="xml")


def test_a_lightgbm_booster_predicts_as_before() -> None:
    booster = lightgbm.train({"verbose": -1, "min_child_samples": 5}, lightgbm.Dataset(X, Y), 3)
    logbuch.lightgbm.save_model(booster, "saved", input_example=X)
    assert logbuch.models.needs_pickle("saved") is None
    np.testing.assert_array_equal(logbuch.models.load_model("saved").predict(X), booster.predict(X))


@pytest.mark.parametrize("labels", [Y, Y * 2 + 3, np.where(Y, "yes", "no"), np.arange(60) % 3])
def test_a_lightgbm_classifier_predicts_its_classes(labels: Any) -> None:
    model = lightgbm.LGBMClassifier(**QUIET).fit(X, labels)
    logbuch.lightgbm.save_model(model, "saved", input_example=X)
    loaded = logbuch.lightgbm.load_model("saved")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.classes_, model.classes_)
    assert loaded.get_params() == model.get_params()


def test_a_lightgbm_regressor_predicts_as_before() -> None:
    model = lightgbm.LGBMRegressor(**QUIET).fit(X, X["b"])
    logbuch.lightgbm.save_model(model, "saved", input_example=X)
    np.testing.assert_array_equal(logbuch.models.load_model("saved").predict(X), model.predict(X))


def test_a_pickled_lightgbm_estimator_is_refused_until_allowed() -> None:
    model = lightgbm.LGBMRegressor(**QUIET).fit(X, X["b"])
    logbuch.lightgbm.save_model(model, "saved")
    Path("saved/model.pkl").write_bytes(pickle.dumps(model))
    text = Path("saved/MLmodel").read_text().replace("data: model.txt", "data: model.pkl")
    Path("saved/MLmodel").write_text(text.replace("logbuch_model_lightgbm", "mlflow.lightgbm"))
    with pytest.raises(PermissionDenied, match=r"pickled in model\.pkl"):
        logbuch.models.load_model("saved")
    np.testing.assert_array_equal(logbuch.models.load_model("saved", allow_pickle=True).predict(X), model.predict(X))


def test_logged_to_a_run() -> None:
    model = lightgbm.LGBMClassifier(**QUIET).fit(X, Y)
    booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, Y), 3)
    with logbuch.start_run():
        one = logbuch.lightgbm.log_model(model, name="one")
        two = logbuch.xgboost.log_model(booster, name="two")
    np.testing.assert_array_equal(logbuch.models.load_model(one.model_uri).predict(X), model.predict(X))
    found = logbuch.models.load_model(two.model_uri).predict(X)
    np.testing.assert_array_equal(found, booster.predict(xgboost.DMatrix(X)))
