"""XGBoost and LightGBM: their callbacks, and what ``autolog`` adds."""

from __future__ import annotations

import json
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost

import logbuch
from support import trainings
from support.readback import only, points, text
from support.trainings import data

X, Y = data()
SLOW = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "max_depth": 2, "nthread": 1}
LIGHT = {"objective": "binary", "metric": ["auc", "binary_logloss"], "verbose": -1, "num_threads": 1}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def loaded(run: Any, path: str) -> Any:
    return json.loads(text(run, path))


def tables() -> tuple[Any, Any]:
    names = ["a", "b", "c", "d"]
    return xgboost.DMatrix(X[:80], Y[:80], feature_names=names), xgboost.DMatrix(X[80:], Y[80:], feature_names=names)


def test_xgboosts_callback_logs_every_round_and_the_best(experiment: str) -> None:
    train, valid = tables()
    seen: dict[str, Any] = {}
    booster = xgboost.train(
        SLOW,
        train,
        8,
        evals=[(train, "train"), (valid, "valid")],
        evals_result=seen,
        verbose_eval=False,
        callbacks=[logbuch.xgboost.LogbuchCallback(), xgboost.callback.EarlyStopping(2)],
    )
    run = only(experiment)
    assert run.info.status == "FINISHED"
    for table in ("train", "valid"):
        for metric in ("logloss", "auc"):
            assert points(run, f"{table}-{metric}") == list(enumerate(seen[table][metric]))
    assert run.data.metrics["best_iteration"] == booster.best_iteration
    assert run.data.metrics["best_score"] == booster.best_score
    assert loaded(run, "feature_importance_weight.json") == booster.get_score(importance_type="weight")
    assert loaded(run, "xgboost_config.json")["learner"]["objective"]["name"] == "binary:logistic"


def test_xgboosts_cross_validation(experiment: str) -> None:
    train, _ = tables()
    table = xgboost.cv(SLOW, train, 3, nfold=2, callbacks=[logbuch.xgboost.LogbuchCallback()])
    run = only(experiment)
    assert [value for _, value in points(run, "test-logloss-mean")] == table["test-logloss-mean"].tolist()
    assert len(points(run, "train-auc-std")) == 3


def test_xgboosts_autolog_logs_params_and_data(experiment: str) -> None:
    logbuch.xgboost.autolog()
    train, valid = tables()
    xgboost.train(SLOW, train, 3, evals=[(valid, "valid")], verbose_eval=False, early_stopping_rounds=5)
    run = only(experiment)
    assert run.data.params == {
        "objective": "binary:logistic",
        "eval_metric": '["logloss", "auc"]',
        "max_depth": "2",
        "nthread": "1",
        "num_boost_round": "3",
        "early_stopping_rounds": "5",
        "verbose_eval": "False",
    }
    assert len(points(run, "valid-logloss")) == 3
    (used,) = run.inputs.dataset_inputs
    assert json.loads(used.dataset.profile) == {"num_rows": 80, "num_columns": 4}
    assert json.loads(used.dataset.schema) == {"columns": ["a", "b", "c", "d"]}


def test_xgboosts_scikit_learn_classes(experiment: str) -> None:
    logbuch.xgboost.autolog()
    model = xgboost.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)
    model.fit(X, Y, eval_set=[(X, Y)], verbose=False)
    run = only(experiment)
    assert run.data.params["max_depth"] == "2"
    assert run.data.params["num_boost_round"] == "3"
    assert "gamma" not in run.data.params  # not set
    assert len(points(run, "validation_0-logloss")) == 3


def test_a_given_callback_is_the_only_one(experiment: str) -> None:
    logbuch.autolog()
    train, _ = tables()
    mine = logbuch.xgboost.LogbuchCallback(prefix="mine/")
    xgboost.train(SLOW, train, 2, evals=[(train, "train")], verbose_eval=False, callbacks=[mine])
    found = only(experiment).data.metrics
    assert "mine/train-auc" in found and "train-auc" not in found
    light = logbuch.lightgbm.LogbuchCallback(prefix="mine/")
    lightgbm.train(LIGHT, lightgbm.Dataset(X, Y), 2, valid_sets=[lightgbm.Dataset(X, Y)], callbacks=[light])
    found = logbuch.last_active_run().data.metrics  # type: ignore[union-attr]
    assert "mine/valid_0-auc" in found and "valid_0-auc" not in found


def test_a_linear_booster_has_weights_and_no_gain(experiment: str, caplog: pytest.LogCaptureFixture) -> None:
    logbuch.xgboost.autolog()
    train, _ = tables()
    xgboost.train({"booster": "gblinear", "nthread": 1}, train, 2, verbose_eval=False)
    run = only(experiment)
    assert set(loaded(run, "feature_importance_weight.json")) == {"a", "b", "c", "d"}


def test_lightgbms_callback_logs_every_round(experiment: str) -> None:
    seen: dict[str, Any] = {}
    table = lightgbm.Dataset(X, Y)
    booster = lightgbm.train(
        LIGHT,
        table,
        5,
        valid_sets=[table],
        valid_names=["train"],
        callbacks=[logbuch.lightgbm.LogbuchCallback(), lightgbm.record_evaluation(seen)],
    )
    run = only(experiment)
    assert run.info.status == "FINISHED"
    assert points(run, "train-auc") == list(enumerate(seen["train"]["auc"]))
    assert points(run, "train-binary_logloss") == list(enumerate(seen["train"]["binary_logloss"]))
    assert run.data.params["objective"] == "binary"
    assert booster.num_trees() == 5


def test_lightgbms_autolog_stops_early(experiment: str) -> None:
    logbuch.lightgbm.autolog()
    train, valid = lightgbm.Dataset(X[:80], Y[:80]), lightgbm.Dataset(X[80:], np.roll(Y[80:], 1))
    booster = lightgbm.train(
        LIGHT, train, 50, valid_sets=[valid], callbacks=[lightgbm.early_stopping(2, verbose=False)]
    )
    run = only(experiment)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["best_iteration"] == booster.best_iteration < 50
    assert run.data.metrics["best_valid_0-auc"] == booster.best_score["valid_0"]["auc"]
    assert len(points(run, "valid_0-auc")) == booster.best_iteration + 2
    weights = dict(zip(booster.feature_name(), booster.feature_importance().tolist(), strict=True))
    assert loaded(run, "feature_importance_split.json") == weights
    assert json.loads(run.inputs.dataset_inputs[0].dataset.profile) == {"num_rows": 80, "num_columns": 4}


def test_lightgbms_scikit_learn_classes_and_cross_validation(experiment: str) -> None:
    logbuch.lightgbm.autolog()
    with logbuch.start_run(run_name="fit"):
        lightgbm.LGBMClassifier(n_estimators=3, verbose=-1, n_jobs=1).fit(X, Y, eval_X=X, eval_y=Y)
    fit = logbuch.last_active_run()
    assert fit is not None and fit.data.params["num_boost_round"] == "3"
    assert any(key.endswith("-binary_logloss") for key in fit.data.metrics)
    found = lightgbm.cv(LIGHT, lightgbm.Dataset(X, Y), 3, nfold=2, callbacks=[logbuch.lightgbm.LogbuchCallback()])
    crossed = logbuch.last_active_run()
    assert crossed is not None
    assert [value for _, value in points(crossed, "valid-auc-mean")] == found["valid auc-mean"]


def test_a_search_over_boosters_is_one_run(experiment: str) -> None:
    from sklearn.model_selection import GridSearchCV

    logbuch.autolog()
    logbuch.sklearn.autolog(max_tuning_runs=0)
    GridSearchCV(xgboost.XGBClassifier(n_estimators=2, n_jobs=1), {"max_depth": [1, 2]}, cv=2).fit(X, Y)
    assert only(experiment).data.tags["estimator_name"] == "GridSearchCV"


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_autolog_keeps_the_booster(experiment: str, library: str) -> None:
    flavor = getattr(logbuch, library)
    flavor.autolog()
    plain = trainings.ALL[library]()
    run = only(experiment)
    booster = flavor.load_model(f"runs:/{run.info.run_id}/model")
    given = X if library == "lightgbm" else xgboost.DMatrix(X)
    assert booster.predict(given).tolist() == plain
    flavor.autolog(log_models=False)
    trainings.ALL[library]()
    assert len(logbuch.search_logged_models([experiment], output_format="list")) == 1
