"""Models both ways: logged here and loaded by the real client, logged by it and loaded here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import logbuch
from logbuch.errors import PermissionDenied
from support.servers import Server

X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1, 2, 3, 4]})
FACTOR = 3


def tripled(model_input: Any) -> Any:
    return model_input["a"] * FACTOR


def language_model() -> dict[str, Any]:
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "once": 2, "upon": 3}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    config = transformers.GPT2Config(
        vocab_size=4, n_positions=80, n_embd=8, n_layer=1, n_head=2, bos_token_id=None, eos_token_id=None
    )
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", unk_token="<unk>")
    return {"model": transformers.GPT2LMHeadModel(config).eval(), "tokenizer": tokenizer}


@pytest.fixture(scope="module")
def models(newest: Any, server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("models")
    fitted = LogisticRegression().fit(X, [0, 1, 0, 1])
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    logbuch.sklearn.save_model(fitted, place / "ours/sklearn", input_example=X)
    logbuch.pyfunc.save_model(place / "ours/function", python_model=tripled)
    logbuch.pytorch.save_model(module, place / "ours/pytorch")
    logbuch.transformers.save_model(language_model(), place / "ours/transformers")
    direct = {name: logbuch.models.load_model(place / "ours" / name) for name in ("transformers",)}
    logbuch.set_tracking_uri(server.url)
    with logbuch.start_run():
        info = logbuch.sklearn.log_model(fitted, name="ours", input_example=X)
    seen = newest.seen("models.py", str(place), info.model_uri)
    with torch.no_grad():
        wanted = module(torch.tensor(X.to_numpy(dtype="float32"))).numpy()
    text = direct["transformers"].predict(["once upon"])
    return {"place": place, "seen": seen, "fitted": fitted, "module": wanted, "text": text}


def test_the_real_client_predicts_with_our_models(models: dict[str, Any]) -> None:
    ours = models["seen"]["ours"]
    wanted = models["fitted"].predict(X).tolist()
    assert ours["sklearn"] == models["seen"]["native"] == models["seen"]["logged"] == wanted
    assert ours["function"] == [3.0, 6.0, 9.0, 12.0]
    np.testing.assert_allclose(ours["pytorch"], models["module"], rtol=1e-6)
    assert ours["transformers"] == models["text"]


def test_models_of_the_real_client_load_here(models: dict[str, Any]) -> None:
    theirs, wanted = models["place"] / "theirs", models["seen"]["theirs"]
    assert logbuch.models.load_model(theirs / "skops").predict(X).tolist() == wanted
    for kind in ("pickle", "cloudpickle"):
        assert str(logbuch.models.needs_pickle(theirs / kind)).startswith("scikit-learn's estimator is pickled")
        with pytest.raises(PermissionDenied, match="--allow-pickle"):
            logbuch.models.load_model(theirs / kind)
        assert logbuch.models.load_model(theirs / kind, allow_pickle=True).predict(X).tolist() == wanted
    with pytest.raises(PermissionDenied, match=r"its class is pickled in python_model\.pkl"):
        logbuch.models.load_model(theirs / "function")
    assert logbuch.models.load_model(theirs / "function", allow_pickle=True).predict(X).tolist() == [3, 6, 9, 12]


def test_a_model_from_code_runs_its_copy_once_allowed(models: dict[str, Any]) -> None:
    folder = models["place"] / "theirs" / "code"
    with pytest.raises(PermissionDenied, match=r"it runs the code model\.py"):
        logbuch.models.load_model(folder)
    assert logbuch.models.load_model(folder, allow_pickle=True).predict(X).equals(X)


def test_what_the_real_client_logged_to_the_server_loads_here(models: dict[str, Any], server: Server) -> None:
    logbuch.set_tracking_uri(server.url)
    loaded = logbuch.models.load_model(models["seen"]["uri"])
    assert loaded.predict(X).tolist() == models["seen"]["theirs"]
    assert Path(loaded.folder / "MLmodel").exists()
    assert loaded.metadata.signature is not None
