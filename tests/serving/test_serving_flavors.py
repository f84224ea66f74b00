"""What the scoring server answers is what each flavor's own library predicts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from logbuch.serving import folder as folders
from support.scoring import client

FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 1.0, 5.5, 0.5]})
TARGET = [1.0, 2.0, 3.0, 1.5]
LABELS = ["low", "high", "high", "low"]


def answers(place: Path, body: Any) -> Any:
    with folders.fetched(str(place)) as found:
        served = folders.load(found, str(place), allow_pickle=False)

    async def ask() -> Any:
        async with client(served) as http:
            answer = await http.post("/invocations", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()["predictions"]

    return asyncio.run(ask())


def sklearn(place: Path) -> Any:
    from sklearn.ensemble import RandomForestRegressor

    import logbuch

    fitted = RandomForestRegressor(5, random_state=1).fit(FRAME, TARGET)
    logbuch.sklearn.save_model(fitted, place, input_example=FRAME)
    return fitted.predict(FRAME)


def xgboost(place: Path) -> Any:
    import xgboost

    import logbuch

    fitted = xgboost.XGBRegressor(n_estimators=5).fit(FRAME, TARGET)
    logbuch.xgboost.save_model(fitted, place, input_example=FRAME)
    return fitted.predict(FRAME)


def lightgbm(place: Path) -> Any:
    import lightgbm

    import logbuch

    data = lightgbm.Dataset(FRAME, TARGET, params={"min_data_in_leaf": 1, "verbose": -1})
    fitted = lightgbm.train({"min_data_in_leaf": 1, "min_data_in_bin": 1, "verbose": -1}, data, 5)
    logbuch.lightgbm.save_model(fitted, place, input_example=FRAME)
    return fitted.predict(FRAME)


def sklearn_labels(place: Path) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    import logbuch

    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME, LABELS)
    logbuch.sklearn.save_model(fitted, place, input_example=FRAME)
    return fitted.predict(FRAME)


def xgboost_classes(place: Path) -> Any:
    import xgboost

    import logbuch

    fitted = xgboost.XGBClassifier(n_estimators=3).fit(FRAME, [0, 1, 1, 0])
    logbuch.xgboost.save_model(fitted, place, input_example=FRAME)
    return fitted.predict(FRAME)


def lightgbm_labels(place: Path) -> Any:
    import lightgbm

    import logbuch

    few = {"n_estimators": 3, "min_child_samples": 1, "min_data_in_bin": 1, "verbose": -1}
    fitted = lightgbm.LGBMClassifier(**few).fit(FRAME, LABELS)
    logbuch.lightgbm.save_model(fitted, place, input_example=FRAME)
    loaded = logbuch.lightgbm.load_model(place)
    assert isinstance(loaded, lightgbm.LGBMClassifier)
    assert loaded.predict_proba(FRAME).tolist() == fitted.predict_proba(FRAME).tolist()
    return fitted.predict(FRAME)


def function(place: Path) -> Any:
    import logbuch

    logbuch.pyfunc.save_model(place, python_model=weighed, input_example=FRAME)
    return weighed(FRAME)


def weighed(model_input: Any) -> Any:
    return (model_input["x"] * 0.1 + model_input["y"] ** 2).to_numpy()


ALL = (sklearn, sklearn_labels, xgboost, xgboost_classes, lightgbm, lightgbm_labels, function)


@pytest.mark.parametrize("flavor", ALL)
def test_answers_equal_direct_prediction(flavor: Any, tmp_path: Path) -> None:
    direct = np.asarray(flavor(tmp_path / "model"))
    split = {"columns": ["y", "x"], "data": FRAME[["y", "x"]].to_numpy().tolist()}
    assert answers(tmp_path / "model", {"dataframe_split": split}) == direct.tolist()
    assert answers(tmp_path / "model", {"inputs": FRAME.to_dict(orient="list")}) == direct.tolist()


def test_a_network_takes_arrays(tmp_path: Path) -> None:
    import torch

    import logbuch

    torch.manual_seed(3)
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2)).eval()
    example = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    logbuch.pytorch.save_model(network, tmp_path / "model", input_example=example)
    with torch.no_grad():
        direct = network(torch.from_numpy(example)).numpy()
    assert answers(tmp_path / "model", {"inputs": example.tolist()}) == direct.tolist()
    assert answers(tmp_path / "model", {"instances": example.tolist()}) == direct.tolist()
