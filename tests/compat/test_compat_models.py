"""Models both ways: logged here and loaded by the real client, logged by it and loaded here."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost
from sklearn.linear_model import LogisticRegression

import logbuch
from logbuch.errors import PermissionDenied
from support.language import language_model
from support.servers import Server
from support.serving import launch

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1, 2, 3, 4]})
Y = [0, 1, 0, 1]
TEXTS = ["once upon", "a time"]
FACTOR = 3
FEW: dict[str, Any] = {"n_estimators": 2, "max_depth": 2}
OURS = ("sklearn", "function", "xgboost", "lightgbm", "pytorch", "transformers", "adapter")
SAFE = ("skops", "xgboost", "booster", "light", "transformers", "adapter")
PICKLED = {
    "pickle": "scikit-learn's estimator is pickled",
    "cloudpickle": "scikit-learn's estimator is pickled",
    "lightgbm": "LightGBM's estimator is pickled",
    "pytorch": "PyTorch's module is pickled",
    "function": r"its class is pickled in python_model\.pkl",
    "signed": r"its class is pickled in python_model\.pkl",
    "hinted": r"its class is pickled in python_model\.pkl",
}


def tripled(model_input: Any) -> Any:
    return model_input["a"] * FACTOR


def data_for(name: str) -> Any:
    if name in ("transformers", "adapter", "hinted"):
        return TEXTS
    return X.astype("float32") if name == "pytorch" else X


def made_here() -> dict[str, tuple[Any, dict[str, Any], Any]]:
    """By name: the flavor, the model and its options, and what the model answers when it is asked directly."""
    fitted = LogisticRegression().fit(X, Y)
    boosted = xgboost.XGBClassifier(**FEW).fit(X, Y)
    light = lightgbm.LGBMClassifier(**FEW, min_child_samples=1, verbose=-1).fit(X, Y)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    with torch.no_grad():
        answer = module(torch.tensor(X.to_numpy(dtype="float32"))).numpy()
    return {
        "sklearn": (logbuch.sklearn, {"sk_model": fitted, "input_example": X}, fitted.predict(X)),
        "function": (logbuch.pyfunc, {"python_model": tripled}, X["a"] * FACTOR),
        "xgboost": (logbuch.xgboost, {"xgb_model": boosted, "input_example": X}, boosted.predict(X)),
        "lightgbm": (logbuch.lightgbm, {"lgb_model": light, "input_example": X}, light.predict(X)),
        "pytorch": (logbuch.pytorch, {"pytorch_model": module}, answer),
        "transformers": (logbuch.transformers, {"transformers_model": language_model(adapted=False)}, None),
        "adapter": (logbuch.transformers, {"transformers_model": language_model(adapted=True)}, None),
    }


@pytest.fixture(scope="module")
def models(newest: Any, server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("models")
    logbuch.set_tracking_uri(server.url)
    uris, wanted = {}, {}
    with logbuch.start_run():
        for name, (flavor, options, answer) in made_here().items():
            flavor.save_model(path=place / "ours" / name, **options)
            uris[name] = flavor.log_model(name=name, **options).model_uri
            if answer is None:
                answer = logbuch.models.load_model(place / "ours" / name).predict(TEXTS)
            wanted[name] = np.asarray(answer).tolist()
    seen = newest.seen("models.py", str(place), json.dumps(uris))
    return {"place": place, "seen": seen, "wanted": wanted}


def same(found: Any, wanted: Any) -> None:
    if isinstance(wanted[0], str):
        assert found == wanted
    else:
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("name", OURS)
def test_the_real_client_predicts_with_our_models(models: dict[str, Any], name: str) -> None:
    same(models["seen"]["ours"][name], models["wanted"][name])
    same(models["seen"]["logged"][name], models["wanted"][name])


def test_the_real_client_draws_the_same_from_a_seed(models: dict[str, Any]) -> None:
    loaded = logbuch.models.load_model(models["place"] / "ours/transformers")
    drawn = {"max_new_tokens": 8, "do_sample": True, "seed": 7}
    assert models["seen"]["drawn"] == loaded.predict(TEXTS, drawn)


@pytest.mark.parametrize("name", ["sklearn", "xgboost"])
def test_the_real_clients_flavors_read_our_models(models: dict[str, Any], name: str) -> None:
    same(models["seen"]["native"][name], models["wanted"][name])


@pytest.mark.parametrize("name", SAFE)
def test_safe_models_of_the_real_client_load_here(models: dict[str, Any], server: Server, name: str) -> None:
    logbuch.set_tracking_uri(server.url)
    for address in (models["place"] / "theirs" / name, models["seen"]["uris"][name]):
        loaded = logbuch.models.load_model(address)
        assert loaded.trusted is None
        same(np.asarray(loaded.predict(data_for(name))).tolist(), models["seen"]["theirs"][name])


@pytest.mark.parametrize("name", sorted(PICKLED))
def test_pickled_models_of_the_real_client_load_once_allowed(models: dict[str, Any], server: Server, name: str) -> None:
    logbuch.set_tracking_uri(server.url)
    for address in (models["place"] / "theirs" / name, models["seen"]["uris"][name]):
        assert re.match(PICKLED[name], logbuch.models.needs_pickle(models["place"] / "theirs" / name) or "")
        with pytest.raises(PermissionDenied, match="--allow-pickle"):
            logbuch.models.load_model(address)
        loaded = logbuch.models.load_model(address, allow_pickle=True)
        same(np.asarray(loaded.predict(data_for(name))).tolist(), models["seen"]["theirs"][name])


@pytest.mark.slow
def test_a_pickled_model_of_the_real_client_is_served_once_allowed(
    models: dict[str, Any], server: Server, tmp_path: Path
) -> None:
    """As the seeds serve a model, by its address in the tracker."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "LOGBUCH_"))}
    address = ("-m", models["seen"]["uris"]["signed"], "--tracking-uri", server.url)
    refused = launch(tmp_path, own, *address)
    assert refused.process.wait(120) == 1
    (said,) = refused.log.read_text().strip().splitlines()
    assert "--allow-pickle" in said
    scoring = launch(tmp_path, own, *address, "--allow-pickle").wait()
    try:
        answer = scoring.post({"dataframe_split": X.to_dict(orient="split", index=False)})
        wanted = [{"a": value} for value in models["seen"]["theirs"]["signed"]]  # a series with a name
        assert answer.json()["predictions"] == wanted
        assert "Trusted " in scoring.log.read_text()
    finally:
        assert scoring.end() == 0


def test_a_model_from_code_runs_its_copy_once_allowed(models: dict[str, Any]) -> None:
    folder = models["place"] / "theirs" / "code"
    with pytest.raises(PermissionDenied, match=r"it runs the code model\.py"):
        logbuch.models.load_model(folder)
    assert logbuch.models.load_model(folder, allow_pickle=True).predict(X).equals(X["a"])


def test_the_signature_of_the_real_client_is_read(models: dict[str, Any]) -> None:
    for name in ("skops", "signed"):
        signature = logbuch.models.read_metadata(models["place"] / "theirs" / name).signature
        assert signature is not None and signature.inputs is not None
        assert [(spec.name, spec.type) for spec in signature.inputs] == [("a", "double"), ("b", "long")]
