"""Models of strangers: whatever their files hold, nothing runs, nothing grows, and the error is one line."""

from __future__ import annotations

import pickle
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import logbuch
from logbuch.errors import LogbuchError, PermissionDenied
from logbuch.models import loading, places
from logbuch.serving import environments
from logbuch.serving import folder as served

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n"
    for before, after in zip("abcdefghi", "bcdefghij", strict=True)
)
"""Ten thousand million values in half a kilobyte."""


@pytest.fixture
def little_memory() -> Iterator[None]:
    """What would grow without measure fails at once, not the machine."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    with Path("/proc/self/statm").open() as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 1024**3, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def refused(text: str, *, vouched: bool = False) -> str:
    """The one line by which a model with this MLmodel file is refused."""
    place = Path("saved")
    place.mkdir(exist_ok=True)
    (place / "MLmodel").write_text(text)
    recorded = logbuch.models.digest(place) if vouched else None
    with pytest.raises(LogbuchError) as caught:
        loading.load(places.Place(place, recorded), "saved", allow_pickle=False)
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("name", ["model_uuid", "utc_time_created", "signature", "metadata", "flavors"])
def test_aliases_of_aliases_are_not_written_out(little_memory: None, name: str) -> None:
    assert "stand for more" in refused(f"{BOMB}flavors: {{}}\n{name}: *j\n")


def test_a_bomb_in_the_environment_is_none(little_memory: None) -> None:
    place = Path("saved")
    place.mkdir()
    (place / "requirements.txt").write_text("numpy\n")
    (place / "python_env.yaml").write_text(f"{BOMB}python: *j\n")
    with pytest.raises(LogbuchError, match=r"python_env\.yaml .* stand for more"):
        environments.prepare(place, "uv", say=print)


@pytest.mark.parametrize(
    "value",
    [
        "&a [*a]", "&a {b: *a}", "9" * 5000, "!!timestamp soon", "2001-13-45", "!!bool perhaps", "!!int ''",
        "!!float x", "!!python/object/apply:os.mkdir [owned]", "!!binary '*'", "{[1]: 2}", "[" * 3000, "\x00",
        "{<<: 3}", "*nobody",
    ],
    ids=lambda value: value[:20],
)  # fmt: skip
def test_yaml_that_cannot_be_read_is_said_in_one_line(value: str) -> None:
    refused(f"flavors: {{python_function: {{loader_module: x}}}}\nmetadata: {value}\n")
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    "signature",
    [
        {"inputs": "[" * 100_000},
        {"inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": ["x"]}}]'},
        {"inputs": '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [null]}}]'},
        {"inputs": '[{"type": ["long"], "name": "x"}]'},
        {"params": '[{"type": "long", "name": "x", "shape": 3}]'},
        {"inputs": "9" * 5000},
        {"inputs": '[{"type": "long", "name": "x", "required": 1e999}, 3]'},
    ],
    ids=range(7),
)
def test_signatures_that_cannot_be_read(signature: dict[str, str]) -> None:
    refused(yaml.safe_dump({"flavors": {"python_function": {"loader_module": "x"}}, "signature": signature}))


def test_a_signature_that_is_nested_without_end_is_not_served() -> None:
    kind: dict[str, Any] = {"type": "long"}
    for _ in range(5000):
        kind = {"type": "array", "items": kind}
    from logbuch.models.schema import ColumnSpec, ModelSignature

    with pytest.raises(LogbuchError, match="signature cannot be read"):
        served.signature(ModelSignature(inputs=(ColumnSpec("array", "x", True, {"items": kind}),)))


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("owned"),)  # type: ignore[return-value]


@pytest.mark.parametrize("loader", ["mlflow.pyfunc.model", "mlflow.pyfunc.loaders.code_model"])
@pytest.mark.parametrize("vouched", [True, False])
def test_no_loader_unpickles_unasked_also_where_a_digest_was_recorded(loader: str, vouched: bool) -> None:
    place = Path("saved")
    place.mkdir()
    (place / "python_model.pkl").write_bytes(pickle.dumps(Hostile()))
    entry = {"loader_module": loader, "python_model": "python_model.pkl"}
    assert "pickled" in refused(yaml.safe_dump({"flavors": {"python_function": entry}}), vouched=vouched)
    assert not Path("owned").exists()


@pytest.mark.parametrize("outside", ["../outside.skops", "/dev/zero", "a/../../outside.skops", "..", "a\0b", "./../x"])
def test_a_path_out_of_the_folder_is_refused_before_anything_is_read(outside: str) -> None:
    Path("outside.skops").write_bytes(b"not read")
    for entry in (
        {"sklearn": {"pickled_model": outside, "serialization_format": "skops"}},
        {"lightgbm": {"data": outside if outside != ".." else "../x.skops"}},
        {"transformers": {"model_binary": outside}},
        {"pytorch": {"architecture": outside, "state_dict": "x"}},
    ):
        (flavor,) = entry
        flavors = entry | {"python_function": {"loader_module": f"logbuch_model_{flavor}"}}
        assert "outside its folder" in refused(yaml.safe_dump({"flavors": flavors}))


_KEYS = [
    "loader_module", "python_model", "model_code_path", "class_path", "class_code", "attributes", "artifacts", "code",
    "pickled_model", "serialization_format", "data", "model_class", "estimator", "state_dict", "architecture",
    "model_binary", "peft_adaptor", "components", "task", "env",
]  # fmt: skip
_VALUES = st.one_of(
    st.none(), st.integers(), st.booleans(), st.text(max_size=8), st.just("\0"), st.just("../x"), st.just("."),
    st.just("skops"), st.just("x.skops"), st.just("x.txt"), st.just("os:mkdir"),
    st.lists(st.text(max_size=3), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(["mlflow.sklearn", "mlflow.lightgbm", "mlflow.pyfunc.model", "logbuch_model_pyfunc"]),
)  # fmt: skip
_ENTRIES = st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=6)
_FLAVORS = st.dictionaries(
    st.sampled_from(["python_function", "sklearn", "lightgbm", "xgboost", "pytorch", "transformers", ""]),
    st.one_of(_ENTRIES, _VALUES),
    max_size=3,
)


@given(flavors=st.one_of(_FLAVORS, _VALUES), vouched=st.booleans(), more=_ENTRIES)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_there_is_refused_in_one_line(flavors: Any, vouched: bool, more: dict[str, Any]) -> None:
    try:
        refused(yaml.safe_dump({"flavors": flavors, **more}), vouched=vouched)
    except PermissionDenied as problem:  # pragma: no cover  said in one line too
        assert "\n" not in problem.message
    assert not Path("owned").exists()
