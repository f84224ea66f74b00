"""scikit-learn: what a fit logs, and which fits are runs."""

from __future__ import annotations

import csv
import json
import threading
from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import logbuch
from support.readback import runs, text
from support.trainings import data

X, Y = data()


@pytest.fixture(autouse=True)
def _on(experiment: str) -> None:
    logbuch.sklearn.autolog()


def test_a_classifier(experiment: str) -> None:
    model = LogisticRegression(C=0.5).fit(X, Y)
    (run,) = runs(experiment)
    assert run.data.params["C"] == "0.5"
    assert run.data.params["class_weight"] == "None"
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert run.data.tags["estimator_class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert run.data.metrics["training_accuracy_score"] == run.data.metrics["training_score"] == model.score(X, Y)
    assert set(run.data.metrics) == {
        *("training_score", "training_accuracy_score", "training_precision_score", "training_recall_score"),
        *("training_f1_score", "training_log_loss", "training_roc_auc"),
    }
    known = json.loads(text(run, "estimator.json"))
    assert (known["n_features_in"], known["classes"]) == (4, [0, 1])
    assert "LogisticRegression" in text(run, "estimator.html")
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.name == "train"


@pytest.mark.parametrize("classes", [2, 3])
def test_a_classifiers_confusion_matrix_and_curves(experiment: str, classes: int) -> None:
    truth = np.array(["a", "b", "c"])[Y + (X[:, 3] > 1) * (classes - 2)]
    model = LogisticRegression().fit(X, truth)
    (run,) = runs(experiment)
    kinds = ("confusion-matrix", "roc-curve", "pr-curve")
    client = logbuch.LogbuchClient()
    paths = [client.list_artifacts(run.info.run_id, f"media/{kind}")[0].path for kind in kinds]
    matrix, roc, pr = (json.loads(text(run, path)) for path in paths)
    assert matrix["labels"] == model.classes_.tolist()
    assert matrix["matrix"] == metrics.confusion_matrix(truth, model.predict(X)).tolist()
    assert len(roc["curves"]) == len(pr["curves"]) == (1 if classes == 2 else 3)
    chances = model.predict_proba(X)[:, -1]
    assert roc["curves"][-1]["label"] == pr["curves"][-1]["label"] == model.classes_[-1]
    assert roc["curves"][-1]["auc"] == pytest.approx(metrics.roc_auc_score(truth == model.classes_[-1], chances))


def test_a_regressor_with_weights(experiment: str) -> None:
    weights = np.linspace(0.1, 1, len(Y))
    model = Ridge().fit(X, Y.astype(float), sample_weight=weights)
    (run,) = runs(experiment)
    assert run.data.metrics["training_r2_score"] == pytest.approx(model.score(X, Y, weights))
    assert run.data.metrics["training_root_mean_squared_error"] ** 2 == pytest.approx(
        run.data.metrics["training_mean_squared_error"]
    )
    assert "training_mean_absolute_error" in run.data.metrics


def test_what_a_model_cannot_do_is_left_out(experiment: str) -> None:
    SVC().fit(X, Y)  # without probabilities
    (run,) = runs(experiment)
    assert "training_f1_score" in run.data.metrics
    assert "training_log_loss" not in run.data.metrics


def test_a_pipeline_is_one_run_and_its_steps_are_none(experiment: str) -> None:
    make_pipeline(StandardScaler(), LogisticRegression(C=0.25)).fit(X, Y)
    (run,) = runs(experiment)
    assert run.data.tags["estimator_name"] == "Pipeline"
    assert run.data.params["logisticregression__C"] == "0.25"
    assert run.data.metrics["training_score"] > 0.5


def test_fit_predict_of_a_pipeline_and_a_clusterer(experiment: str) -> None:
    labels = make_pipeline(StandardScaler(), KMeans(2, random_state=1)).fit_predict(X)
    assert sorted(set(labels)) == [0, 1]
    KMeans(2, random_state=1).fit(X)
    assert [run.data.tags["estimator_name"] for run in runs(experiment)] == ["Pipeline", "KMeans"]


def test_preparing_alone_is_no_run(experiment: str) -> None:
    StandardScaler().fit_transform(X)
    assert runs(experiment) == []


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_search_is_one_run_with_children(experiment: str, backend: str) -> None:
    import joblib

    logbuch.sklearn.autolog(max_tuning_runs=2)
    with joblib.parallel_backend(backend):
        search = GridSearchCV(LogisticRegression(), {"C": [0.001, 0.1, 10.0]}, cv=2, n_jobs=2).fit(X, Y)
    parent, *children = runs(experiment)
    assert parent.data.params["best_C"] == str(search.best_params_["C"])
    assert parent.data.metrics["best_cv_score"] == search.best_score_
    assert json.loads(parent.data.params["param_grid"]) == {"C": [0.001, 0.1, 10.0]}
    rows = list(csv.DictReader(text(parent, "cv_results.csv").splitlines()))
    assert [float(row["param_C"]) for row in rows] == [0.001, 0.1, 10.0]
    assert len(children) == 2
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}
    best = min(children, key=lambda child: child.data.metrics["rank_test_score"])
    assert best.data.params == {"C": str(search.best_params_["C"])}
    assert best.data.metrics["mean_test_score"] == search.best_score_


def test_a_search_of_several_scores_without_refit(experiment: str) -> None:
    RandomizedSearchCV(
        LogisticRegression(), {"C": [0.1, 1.0]}, n_iter=2, cv=2, scoring=["accuracy", "f1"], refit=False
    ).fit(X, Y)
    parent, *children = runs(experiment)
    assert len(children) == 2
    assert "rank_test_accuracy" in children[0].data.metrics
    assert "best_cv_score" not in parent.data.metrics


def test_an_ensemble_is_one_run(experiment: str) -> None:
    VotingClassifier([("a", LogisticRegression()), ("b", RandomForestClassifier(3))], n_jobs=1).fit(X, Y)
    RandomForestClassifier(3).fit(X, Y)
    first, second = runs(experiment)
    assert first.data.tags["estimator_name"] == "VotingClassifier"
    assert list(json.loads(text(second, "feature_importance_impurity.json"))) == sorted(
        ["x0", "x1", "x2", "x3"],
        key=lambda name: -json.loads(text(second, "feature_importance_impurity.json"))[name],
    )


def test_two_threads_train_side_by_side(experiment: str) -> None:
    threads = [threading.Thread(target=LogisticRegression(C=c).fit, args=(X, Y)) for c in (0.1, 0.2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.data.params["C"] for run in runs(experiment)) == ["0.1", "0.2"]


def test_a_second_model_in_one_run_keeps_what_it_can(experiment: str, caplog: pytest.LogCaptureFixture) -> None:
    with logbuch.start_run():
        LogisticRegression(C=0.5).fit(X, Y)
        LogisticRegression(C=0.7, max_iter=200).fit(X, Y)
    (run,) = runs(experiment)
    assert run.data.params["C"] == "0.5"
    assert "has other values of some params already, which stay: C, max_iter" in caplog.text


def test_classes_of_users_are_left_alone(experiment: str) -> None:
    class Mine(BaseEstimator):  # type: ignore[misc]
        def fit(self, x: Any, y: Any = None) -> Mine:
            LinearRegression().fit(x, y)
            return self

    Mine().fit(X, Y)
    (run,) = runs(experiment)
    assert run.data.tags["estimator_name"] == "LinearRegression"


def test_data_frames_and_names(experiment: str) -> None:
    import pandas as pd

    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    Pipeline([("model", LogisticRegression())]).fit(X=frame, y=Y)
    (run,) = runs(experiment)
    assert "training_f1_score" in run.data.metrics
    assert json.loads(text(run, "estimator.json"))["feature_names_in"] == ["a", "b", "c", "d"]
    assert "mlflow_colspec" in run.inputs.dataset_inputs[0].dataset.schema


def test_the_data_set_may_be_left_out(experiment: str) -> None:
    logbuch.sklearn.autolog(log_datasets=False)
    LogisticRegression().fit(X, Y)
    (run,) = runs(experiment)
    assert list(run.inputs.dataset_inputs) == []


def test_fitted_models_are_pickled_as_ever() -> None:
    import pickle

    model = LogisticRegression().fit(X, Y)
    assert (pickle.loads(pickle.dumps(model)).coef_ == model.coef_).all()


def test_the_model_is_logged_with_its_signature(experiment: str) -> None:
    model = LogisticRegression().fit(X, Y)
    (run,) = runs(experiment)
    loaded = logbuch.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
    assert loaded.predict(X).tolist() == model.predict(X).tolist()
    assert loaded.metadata.signature is not None
    assert [logged.name for logged in _logged(experiment)] == ["model"]


def test_of_a_search_the_best_model_is_logged(experiment: str) -> None:
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2).fit(X, Y)
    (model,) = _logged(experiment)
    best = logbuch.sklearn.load_model(f"models:/{model.model_id}")
    assert isinstance(best, LogisticRegression)
    assert search.best_params_["C"] == best.C


def test_models_are_registered_left_out_or_refused(experiment: str, caplog: pytest.LogCaptureFixture) -> None:
    logbuch.sklearn.autolog(log_models=False)
    Ridge().fit(X, Y)
    assert _logged(experiment) == []
    logbuch.sklearn.autolog(registered_model_name="ridge", log_input_examples=True, log_model_signatures=False)
    Ridge().fit(X, Y)
    (version,) = logbuch.search_model_versions(filter_string="name = 'ridge'")
    assert logbuch.pyfunc.load_model("models:/ridge/1").metadata.input_example is not None
    assert version.run_id == runs(experiment)[-1].info.run_id
    make_pipeline(FunctionTransformer(_twice), Ridge()).fit(X, Y)
    assert "the model could not be logged" in caplog.text and "skops_trusted_types" in caplog.text
    assert len(runs(experiment)) == 3


def _twice(x: Any) -> Any:
    return 2 * x


def _logged(experiment: str) -> list[Any]:
    return list(logbuch.search_logged_models([experiment], output_format="list"))
