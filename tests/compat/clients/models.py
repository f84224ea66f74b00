"""Models of Logbuch in the real client, and models of the real client for Logbuch."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import peft
import torch
import transformers
import xgboost
from common import tell
from mlflow.models import ModelSignature, infer_signature
from mlflow.types import ColSpec, DataType, Schema
from sklearn.linear_model import LogisticRegression

X = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [1, 2, 3, 4]})
Y = [0, 1, 0, 1]
TEXTS = ["once upon", "a time"]
FEW = {"n_estimators": 2, "max_depth": 2}
here = Path(sys.argv[1])
theirs = here / "theirs"
ours = json.loads(sys.argv[2])


class Scaled(mlflow.pyfunc.PythonModel):
    def __init__(self, factor):
        self.factor = factor

    def predict(self, context, model_input, params=None):
        return model_input["a"] * self.factor


class Signed(mlflow.pyfunc.PythonModel):
    """Holds objects of the client's own classes, and makes one when it is loaded."""

    def __init__(self, data):
        self.signature = infer_signature(data, data["a"])
        self.schema = Schema([ColSpec(DataType.double, "a"), ColSpec("long", "b")])
        self.kinds = [DataType.double]

    def load_context(self, context):
        self.made = ModelSignature(inputs=Schema([ColSpec("double", "a")]))

    def predict(self, context, model_input, params=None):
        return model_input["a"] * len(self.kinds)


class Hinted(mlflow.pyfunc.PythonModel):
    """The client wraps what has type hints in checks of its own."""

    def predict(self, model_input: list[str], params=None) -> list[str]:
        return [text.upper() for text in model_input]


def language_model():
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = Tokenizer(models.WordLevel({"<pad>": 0, "<unk>": 1, "once": 2, "upon": 3}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=4,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        pad_token_id=0,
        bos_token_id=None,
        eos_token_id=None,
    )
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", unk_token="<unk>")
    model = transformers.LlamaForCausalLM(config).eval()
    model.generation_config.update(max_new_tokens=3, do_sample=False)
    return transformers.pipeline("text-generation", model=model, tokenizer=tokenizer)


def data_for(name):
    """What a model is asked."""
    if name in ("transformers", "adapter", "hinted"):
        return TEXTS
    return X.astype("float32") if name == "pytorch" else X


seen = {"ours": {}, "logged": {}, "theirs": {}, "native": {}, "uris": {}}
for name, uri in ours.items():
    seen["ours"][name] = np.asarray(
        mlflow.pyfunc.load_model(str(here / "ours" / name)).predict(data_for(name))
    ).tolist()
    seen["logged"][name] = np.asarray(mlflow.pyfunc.load_model(uri).predict(data_for(name))).tolist()
drawn = {"max_new_tokens": 8, "do_sample": True, "seed": 7}
seen["drawn"] = mlflow.pyfunc.load_model(ours["transformers"]).predict(TEXTS, params=drawn)
for name in ("sklearn", "xgboost"):
    loaded = getattr(mlflow, name).load_model(ours[name])
    seen["native"][name] = np.asarray(loaded.predict(X)).tolist()

fitted = LogisticRegression().fit(X, Y)
boosted = xgboost.XGBClassifier(**FEW).fit(X, Y)
light = lightgbm.LGBMClassifier(**FEW, min_child_samples=1, verbose=-1).fit(X, Y)
module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
adapted = language_model()
config = peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
adapted.model = peft.get_peft_model(adapted.model, config).eval()
code = here / "model.py"
code.write_text(
    "import mlflow\n"
    "from mlflow.models import set_model\n"
    "from mlflow.pyfunc import PythonModel\n"
    "from mlflow.types.schema import ColSpec, DataType, Schema\n"
    "SCHEMA = Schema([ColSpec('double', 'a'), ColSpec(DataType.long, 'b')])\n"
    "class Same(PythonModel):\n"
    "    @mlflow.trace(name='same')\n"
    "    def predict(self, context, model_input, params=None):\n"
    "        return model_input['a']\n"
    "mlflow.autolog()\n"
    "set_model(Same())\n"
)


def log(name, flavor, model, **more):
    """Saves a model to a folder, logs it to the server, and notes what it answers."""
    given = {"python_model": model} if flavor is mlflow.pyfunc else {}
    first = () if given else (model,)
    folder = str(theirs / name)
    flavor.save_model(*first, path=folder, pip_requirements=[], **given, **more)
    seen["uris"][name] = flavor.log_model(*first, name=name, pip_requirements=[], **given, **more).model_uri
    # The client saves an adapter's base model so that it comes back with new random weights: the model is asked itself.
    answer = answered(model) if name == "adapter" else mlflow.pyfunc.load_model(folder).predict(data_for(name))
    seen["theirs"][name] = np.asarray(answer).tolist()


def answered(pipeline):
    return [found[0]["generated_text"] for found in pipeline(TEXTS)]


with mlflow.start_run():
    for kind in ("skops", "pickle", "cloudpickle"):
        log(kind, mlflow.sklearn, fitted, serialization_format=kind, input_example=X)
    log("xgboost", mlflow.xgboost, boosted)
    log("booster", mlflow.xgboost, boosted.get_booster(), model_format="json")
    log("lightgbm", mlflow.lightgbm, light, serialization_format="cloudpickle")
    log("light", mlflow.lightgbm, light.booster_)
    log("pytorch", mlflow.pytorch, module, serialization_format="pickle")
    log("transformers", mlflow.transformers, language_model())
    log("adapter", mlflow.transformers, adapted)
    log("function", mlflow.pyfunc, Scaled(3))
    log("signed", mlflow.pyfunc, Signed(X), signature=infer_signature(X, X["a"]))
    log("hinted", mlflow.pyfunc, Hinted())
    log("code", mlflow.pyfunc, str(code))
tell(seen)
