from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import logbuch
from logbuch.errors import InvalidInput, InvalidState, PermissionDenied, Unavailable

X = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1, 2, 3, 4]})
Y = [0, 1, 0, 1]


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        RandomForestClassifier(5),
        HistGradientBoostingRegressor(max_iter=3),
        make_pipeline(StandardScaler(), LogisticRegression()),
    ],
)
def test_a_saved_estimator_predicts_as_before(estimator: object) -> None:
    model = estimator.fit(X, Y)  # type: ignore[attr-defined]
    logbuch.sklearn.save_model(model, "saved", input_example=X)
    assert logbuch.models.needs_pickle("saved") is None
    loaded = logbuch.models.load_model("saved")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(logbuch.sklearn.load_model("saved").predict(X), model.predict(X))
    assert loaded.metadata.signature is not None
    assert [spec.as_dict() for spec in loaded.metadata.signature.inputs or ()] == [
        {"name": "a", "type": "double", "required": True},
        {"name": "b", "type": "long", "required": True},
    ]


def test_columns_come_in_the_order_of_the_signature_and_missing_ones_are_named() -> None:
    model = LogisticRegression().fit(X, Y)
    logbuch.sklearn.save_model(model, "saved", input_example=X)
    loaded = logbuch.models.load_model("saved")
    np.testing.assert_array_equal(loaded.predict(X[["b", "a"]].assign(more=1)), model.predict(X))
    with pytest.raises(InvalidInput, match="lack columns that the model wants: 'b'"):
        loaded.predict(X[["a"]])
    with pytest.raises(InvalidInput, match="has no params 'k'"):
        loaded.predict(X, {"k": 1})


def test_a_logged_model_is_found_by_all_its_addresses_and_its_digest_is_checked() -> None:
    model = LogisticRegression().fit(X, Y)
    with logbuch.start_run() as run:
        info = logbuch.sklearn.log_model(model, name="model", input_example=X, registered_model_name="r")
    assert info.registered_model_version == "1"
    logged = logbuch.get_logged_model(str(info.model_id))
    assert logged.status == "READY"
    assert logged.tags["logbuch.model.digest"] == info.digest
    for address in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/r/1", "models:/r/latest"):
        loaded = logbuch.models.load_model(address)
        assert loaded.digest == info.digest
        assert loaded.metadata.model_id == info.model_id
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    [kept] = Path(".logbuch").rglob("requirements.txt")
    kept.write_text("evil==1\n")
    for address in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/r/1"):
        with pytest.raises(InvalidState, match="is not what was logged"):
            logbuch.models.load_model(address)


def test_a_name_with_a_path_lies_in_the_artifacts_of_the_run_and_is_checked_too() -> None:
    model = LogisticRegression().fit(X, Y)
    with logbuch.start_run() as run:
        info = logbuch.sklearn.log_model(model, "best/model")
    assert info.model_id is None
    assert info.model_uri == f"runs:/{run.info.run_id}/best/model"
    assert logbuch.models.load_model(info.model_uri).digest == info.digest
    [kept] = Path(".logbuch").rglob("requirements.txt")
    kept.write_text("evil==1\n")
    with pytest.raises(InvalidState, match="is not what was logged"):
        logbuch.models.load_model(info.model_uri)


def test_without_a_server_the_files_wait_for_it_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_FINISH_TIMEOUT", "0")
    logbuch.set_tracking_uri("http://127.0.0.1:9")
    model = LogisticRegression().fit(X, Y)
    with logbuch.start_run() as run:
        info = logbuch.sklearn.log_model(model, name="model")
    assert (info.model_id, info.model_uri) == (None, f"runs:/{run.info.run_id}/model")


def test_a_server_that_goes_away_meanwhile_is_no_error_of_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*arguments: object) -> None:
        raise Unavailable("gone")

    monkeypatch.setattr(logbuch.LogbuchClient, "log_model_artifacts", gone)
    model = LogisticRegression().fit(X, Y)
    with logbuch.start_run() as run:
        info = logbuch.sklearn.log_model(model, name="model")
    assert info.model_uri == f"runs:/{run.info.run_id}/model"
    loaded = logbuch.models.load_model(info.model_uri)
    assert (loaded.digest, loaded.metadata.model_id) == (info.digest, None)


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("owned",)


@pytest.mark.parametrize("format_", ["pickle", "cloudpickle", None, "skops"])
def test_a_hostile_pickle_does_nothing(format_: str | None) -> None:
    logbuch.sklearn.save_model(LogisticRegression().fit(X, Y), "saved")
    Path("saved/model.skops").write_bytes(pickle.dumps(Hostile()))
    text = Path("saved/MLmodel").read_text().replace("serialization_format: skops", f"serialization_format: {format_}")
    Path("saved/MLmodel").write_text(text.replace("logbuch_model_sklearn", "mlflow.sklearn"))
    with pytest.raises((PermissionDenied, InvalidInput)) as caught:
        logbuch.models.load_model("saved")
    assert "\n" not in str(caught.value)
    assert not Path("owned").exists()


def test_an_untrusted_type_is_refused_when_saved_and_when_loaded() -> None:
    model = make_pipeline(FunctionTransformer(os.path.exists), LogisticRegression())
    with pytest.raises(InvalidInput, match=r"genericpath\.exists, which loading would run"):
        logbuch.sklearn.save_model(model, "saved")
    assert not Path("saved").exists()
    logbuch.sklearn.save_model(model, "saved", skops_trusted_types=["genericpath.exists"])
    with pytest.raises(PermissionDenied, match=r"genericpath\.exists"):
        logbuch.models.load_model("saved")


def test_the_real_clients_pickle_is_loaded_once_allowed_and_the_digest_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = LogisticRegression().fit(X, Y)
    logbuch.sklearn.save_model(model, "saved")
    Path("saved/model.skops").write_bytes(pickle.dumps(model))
    text = Path("saved/MLmodel").read_text().replace("serialization_format: skops", "serialization_format: pickle")
    Path("saved/MLmodel").write_text(text.replace("logbuch_model_sklearn", "mlflow.sklearn"))
    reason = logbuch.models.needs_pickle("saved")
    assert reason == "scikit-learn's estimator is pickled in model.skops"
    digest = logbuch.models.digest("saved")
    with pytest.raises(PermissionDenied, match=f"--allow-pickle.*{digest}"):
        logbuch.models.load_model("saved")
    with caplog.at_level("WARNING", "logbuch"):
        loaded = logbuch.models.load_model("saved", allow_pickle=True)
    assert loaded.trusted == reason
    assert digest in caplog.text
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_a_path_out_of_the_folder_is_refused() -> None:
    model = LogisticRegression().fit(X, Y)
    logbuch.sklearn.save_model(model, "saved")
    shutil.move("saved/model.skops", "outside.skops")
    text = Path("saved/MLmodel").read_text().replace("model.skops", "../outside.skops")
    Path("saved/MLmodel").write_text(text)
    with pytest.raises(InvalidInput, match="lies outside its folder"):
        logbuch.models.load_model("saved")


def test_wrong_use_is_named_and_leaves_nothing() -> None:
    model = LogisticRegression().fit(X, Y)
    with pytest.raises(InvalidInput, match=r"sklearn\.save_model has no option 'signatur'"):
        logbuch.sklearn.save_model(model, "saved", signatur=1)
    with pytest.raises(InvalidInput, match="Invalid signature"):
        logbuch.sklearn.save_model(model, "saved", signature=3)
    with pytest.raises(InvalidInput, match="no file or folder 'nowhere'"):
        logbuch.sklearn.save_model(model, "saved", code_paths=["nowhere"])
    assert not Path("saved").exists()
    Path("full").mkdir()
    Path("full/x").write_text("x")
    with pytest.raises(InvalidInput, match="not an empty folder"):
        logbuch.sklearn.save_model(model, "full")
    assert Path("full/x").exists()
