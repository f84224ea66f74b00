from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import logbuch
from logbuch.errors import InvalidInput, PermissionDenied

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


class Block(nn.Module):
    def __init__(self, size: int, p: float = 0.1) -> None:
        super().__init__()
        self.size = size
        self.line = nn.Linear(size, size, bias=False)
        self.drop = nn.Dropout(p)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = x + self.drop(self.line(x))
        return found


class Net(nn.Module):
    def __init__(self, hidden: int, depth: int = 1, scale: float = 1.0) -> None:
        super().__init__()
        self.hidden, self.depth, self.scale = hidden, depth, scale
        self.first = nn.Linear(3, hidden)
        self.blocks = nn.ModuleList(Block(hidden) for _ in range(depth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return x * self.scale


class Silent(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.line = nn.Linear(3, width)

    def forward(self, x: torch.Tensor) -> Any:
        return {"out": self.line(x)}


def direct(model: nn.Module) -> Any:
    with torch.no_grad():
        return model.eval()(torch.from_numpy(X))


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(3, 2),
        nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Dropout(0.3), nn.BatchNorm1d(5), nn.Linear(5, 1, bias=False)),
        Net(4, depth=2, scale=0.5),
        nn.Sequential(Block(3), nn.Tanh()),
    ],
    ids=["linear", "sequential", "own", "mixed"],
)
def test_a_saved_module_predicts_as_before(model: nn.Module) -> None:
    logbuch.pytorch.save_model(model, "saved", input_example=X)
    assert logbuch.models.needs_pickle("saved") is None
    loaded = logbuch.models.load_model("saved")
    np.testing.assert_array_equal(loaded.predict(X), direct(model).numpy())
    np.testing.assert_array_equal(loaded.predict(X.astype("float64")), direct(model).numpy())
    np.testing.assert_array_equal(loaded.predict(pd.DataFrame(X)), direct(model).numpy())
    assert torch.equal(direct(logbuch.pytorch.load_model("saved")), direct(model))
    assert not list(Path("saved").rglob("*.p*t*h"))


def test_convolutions_and_half_precision() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, (3, 3), padding=1), nn.Flatten(), nn.Linear(32, 2)).to(torch.bfloat16)
    logbuch.pytorch.save_model(model, "saved")
    again = logbuch.pytorch.load_model("saved")
    data = torch.ones(1, 1, 4, 4, dtype=torch.bfloat16)
    assert torch.equal(again(data), model(data))


def test_arguments_that_do_not_show_are_asked_for() -> None:
    with pytest.raises(InvalidInput, match=r"Silent does not show its argument 'width'.*init_args"):
        logbuch.pytorch.save_model(Silent(2), "saved")
    model = Silent(2)
    logbuch.pytorch.save_model(model, "saved", init_args={"width": 2}, input_example=X)
    found = logbuch.models.load_model("saved").predict(X)
    np.testing.assert_array_equal(found["out"], direct(model)["out"].numpy())
    with pytest.raises(InvalidInput, match="cannot be built again"):
        logbuch.pytorch.save_model(model, "other", init_args={"width": 3})


def test_a_dropout_that_its_constructor_would_not_give_is_noticed() -> None:
    model = nn.Sequential(Block(3, p=0.7))
    with pytest.raises(InvalidInput, match=r"differs in the module '0\.drop'"):
        logbuch.pytorch.save_model(model, "saved")
    assert not Path("saved").exists()


def test_own_code_in_a_strange_folder_is_not_run() -> None:
    logbuch.pytorch.save_model(Net(4), "saved")
    code = Path("saved/code/model_code.py")
    code.write_text("open('owned', 'w')\n" + code.read_text().replace("from __future__ import annotations", ""))
    with pytest.raises(PermissionDenied, match=r"model_code\.py"):
        logbuch.models.load_model("saved")
    assert not Path("owned").exists()


def test_a_class_that_is_no_module_is_not_called() -> None:
    logbuch.pytorch.save_model(nn.Linear(3, 2), "saved")
    file = Path("saved/data/architecture.json")
    file.write_text('{"module": {"class": "os:mkdir", "args": {"path": "owned"}}, "dtype": null}')
    with pytest.raises(PermissionDenied, match="it imports os"):
        logbuch.models.load_model("saved")
    with pytest.raises(InvalidInput, match="os:mkdir is no module of PyTorch"):
        logbuch.models.load_model("saved", allow_pickle=True)
    assert not Path("owned").exists()


def test_the_real_clients_pickled_module_needs_consent() -> None:
    model = nn.Linear(3, 2)
    logbuch.pytorch.save_model(model, "saved")
    torch.save(model, "saved/data/model.pth")
    text = Path("saved/MLmodel").read_text().replace("logbuch_model_pytorch", "mlflow.pytorch")
    Path("saved/MLmodel").write_text(text)
    with pytest.raises(PermissionDenied, match="PyTorch's module is pickled"):
        logbuch.models.load_model("saved")
    loaded = logbuch.models.load_model("saved", allow_pickle=True)
    np.testing.assert_array_equal(loaded.predict(X), direct(model).numpy())


def test_a_module_that_a_model_names_is_not_imported_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hostile_module.py").write_text(f"open({str(tmp_path / 'here')!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    logbuch.pytorch.save_model(nn.Sequential(nn.Linear(3, 2)), "saved")
    architecture = Path("saved/data/architecture.json")
    architecture.write_text(architecture.read_text().replace("torch.nn.modules.linear:Linear", "hostile_module:Net"))
    assert "hostile_module:Net" in architecture.read_text()
    with pytest.raises(PermissionDenied, match="it imports hostile_module, which can run any code"):
        logbuch.models.load_model("saved")
    assert not (tmp_path / "here").exists()
    architecture.write_text("{")
    with pytest.raises(InvalidInput, match=r"architecture\.json of the model cannot be read"):
        logbuch.models.load_model("saved")
