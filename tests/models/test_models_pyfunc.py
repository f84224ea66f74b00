from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import logbuch
from logbuch.errors import InvalidInput, PermissionDenied

X = pd.DataFrame({"a": [1.0, 2, 3], "b": [1, 2, 3]})
FACTOR = 3


def helper(value: Any) -> Any:
    return value * FACTOR


class Own(logbuch.pyfunc.PythonModel):
    """Uses a helper, a constant, an import, attributes and an artifact."""

    def __init__(self) -> None:
        self.weight = 2
        self.shift = np.arange(3.0)

    def load_context(self, context: Any) -> None:
        self.bias = json.loads(Path(context.artifacts["bias"]).read_text())

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        answer = helper(model_input["a"].to_numpy()) * self.weight + self.shift.sum() + self.bias
        return answer * (params or {}).get("scale", 1.0)


WANTED = [6 + 3 + 5, 12 + 3 + 5, 18 + 3 + 5]


@pytest.fixture(autouse=True)
def bias(own_folder: None) -> None:
    Path("bias.json").write_text("5")


def test_an_own_class_is_kept_as_source_and_attributes() -> None:
    logbuch.pyfunc.save_model("saved", python_model=Own(), artifacts={"bias": "bias.json"})
    assert logbuch.models.needs_pickle("saved") is None
    assert list(logbuch.pyfunc.load_model("saved").predict(X)) == WANTED
    code = Path("saved/code/model_code.py").read_text()
    assert "def helper" in code
    assert "FACTOR = 3" in code
    assert "import pytest" not in code


def test_params_have_the_defaults_of_the_signature() -> None:
    signature = logbuch.models.infer_signature(X, np.zeros(3), {"scale": 2.0})
    logbuch.pyfunc.save_model("saved", python_model=Own(), artifacts={"bias": "bias.json"}, signature=signature)
    loaded = logbuch.pyfunc.load_model("saved")
    assert list(loaded.predict(X)) == [2 * value for value in WANTED]
    assert list(loaded.predict(X, params={"scale": 1.0})) == WANTED


def test_a_function_is_a_model() -> None:
    logbuch.pyfunc.save_model("saved", python_model=helper)
    assert logbuch.pyfunc.load_model("saved").predict(2) == 6


def test_code_of_a_folder_that_nobody_vouches_for_is_not_run() -> None:
    logbuch.pyfunc.save_model("saved", python_model=helper)
    Path("saved/code/model_code.py").write_text("open('owned', 'w')\ndef helper(x): return x\n")
    with pytest.raises(PermissionDenied, match=r"runs the code code/model_code\.py"):
        logbuch.pyfunc.load_model("saved")
    assert not Path("owned").exists()


def test_a_name_alone_calls_no_function() -> None:
    logbuch.pyfunc.save_model("saved", python_model=helper)
    text = Path("saved/MLmodel").read_text().replace("class_code: model_code.py", "class_code: null")
    place = text.partition("class_path: ")[2].partition("\n")[0]
    Path("saved/MLmodel").write_text(text.replace(place, "os:mkdir"))
    with pytest.raises(PermissionDenied, match="it imports os"):
        logbuch.pyfunc.load_model("saved")
    with pytest.raises(InvalidInput, match="os:mkdir"):
        logbuch.models.load_model("saved", allow_pickle=True)
    assert not Path("owned").exists()


def test_another_process_loads_a_logged_one() -> None:
    with logbuch.start_run():
        info = logbuch.pyfunc.log_model("m", python_model=Own(), artifacts={"bias": "bias.json"})
    script = (
        "import logbuch, pandas as pd, sys\n"
        "print(list(logbuch.pyfunc.load_model(sys.argv[1]).predict(pd.DataFrame({'a': [1.0, 2, 3]}))))"
    )
    done = subprocess.run([sys.executable, "-c", script, info.model_uri], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[np.float64(14.0), np.float64(20.0), np.float64(26.0)]")


def test_what_needs_pickle_is_refused_by_name() -> None:
    class Holds(logbuch.pyfunc.PythonModel):
        def __init__(self, what: Any) -> None:
            self.what = what

        def predict(self, model_input: Any) -> Any:  # type: ignore[override]
            return model_input

    with pytest.raises(InvalidInput, match="attribute 'what', a object, cannot be kept without pickle"):
        logbuch.pyfunc.save_model("saved", python_model=Holds(object()))
    with pytest.raises(InvalidInput, match="Invalid python_model of type int"):
        logbuch.pyfunc.save_model("saved", python_model=3)
    assert not Path("saved").exists()
    logbuch.pyfunc.save_model("saved", python_model=Holds({"a": [1]}))
    assert logbuch.pyfunc.load_model("saved").predict("x") == "x"
