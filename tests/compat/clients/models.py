"""Models of Logbuch in the real client, and models of the real client for Logbuch."""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from common import tell
from sklearn.linear_model import LogisticRegression

X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1, 2, 3, 4]})
here = Path(sys.argv[1])


class Scaled(mlflow.pyfunc.PythonModel):
    def __init__(self, factor):
        self.factor = factor

    def predict(self, context, model_input, params=None):
        return model_input["a"] * self.factor


seen = {"ours": {}, "theirs": {}}
for folder in sorted((here / "ours").iterdir()):
    loaded = mlflow.pyfunc.load_model(str(folder))
    data = ["once upon"] if folder.name == "transformers" else X.astype("float32") if folder.name == "pytorch" else X
    seen["ours"][folder.name] = np.asarray(loaded.predict(data)).tolist()
seen["native"] = mlflow.sklearn.load_model(str(here / "ours" / "sklearn")).predict(X).tolist()
seen["logged"] = mlflow.pyfunc.load_model(sys.argv[2]).predict(X).tolist()

fitted = LogisticRegression().fit(X, [0, 1, 0, 1])
theirs = here / "theirs"
for kind in ("skops", "pickle", "cloudpickle"):
    mlflow.sklearn.save_model(fitted, str(theirs / kind), serialization_format=kind, pip_requirements=[])
mlflow.pyfunc.save_model(str(theirs / "function"), python_model=Scaled(3), pip_requirements=[])
code = here / "model.py"
code.write_text(
    "import mlflow\n"
    "class Same(mlflow.pyfunc.PythonModel):\n"
    "    def predict(self, context, model_input, params=None):\n"
    "        return model_input\n"
    "mlflow.models.set_model(Same())\n"
)
mlflow.pyfunc.save_model(str(theirs / "code"), python_model=str(code), pip_requirements=[])
seen["theirs"] = fitted.predict(X).tolist()
with mlflow.start_run():
    logged = mlflow.sklearn.log_model(
        fitted, name="model", serialization_format="skops", input_example=X, pip_requirements=[]
    )
seen["uri"] = logged.model_uri
tell(seen)
