"""Arrays that fit a model's tensors, from what a request holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from logbuch.errors import BadRequest, InvalidInput
from logbuch.serving.schema import Signature, Tensor

Array = npt.NDArray[Any]


def free(value: Any) -> Any:
    """What a model without a signature gets: an array, or a dictionary of arrays."""
    if isinstance(value, dict):
        return {name: _array(inner, None, f"Input {name!r}") for name, inner in value.items()}
    return _array(value, None, "The input")


def fit(value: Any, signature: Signature) -> Any:
    """The array, or with named tensors the dictionary of arrays, that the signature asks for."""
    tensors = signature.tensors
    if isinstance(value, pd.DataFrame):
        return _of_frame(value, signature)
    if not signature.named:
        if isinstance(value, dict):
            raise InvalidInput("The model takes one array without a name; the input is an object.")
        return _checked(value, tensors[0])
    if not isinstance(value, dict):
        if len(tensors) > 1:
            names = ", ".join(repr(tensor.name) for tensor in tensors)
            raise InvalidInput(f"The model takes an object with the arrays {names}.")
        value = {tensors[0].name: value}
    absent = [tensor.name for tensor in tensors if tensor.name not in value]
    if absent:
        raise InvalidInput(f"The model needs {', '.join(map(repr, absent))}, which the input does not have.")
    return {tensor.name: _checked(value[tensor.name], tensor) for tensor in tensors}


def _of_frame(frame: pd.DataFrame, signature: Signature) -> Any:
    if signature.named:
        absent = [tensor.name for tensor in signature.tensors if tensor.name not in frame.columns]
        if absent:
            raise InvalidInput(f"The model needs column {absent[0]!r}, which the input does not have.")
        return {tensor.name: _of_column(frame[tensor.name], tensor) for tensor in signature.tensors}
    if len(frame.columns) == 1:
        return _of_column(frame[frame.columns[0]], signature.tensors[0])
    return _checked(frame.to_numpy().tolist(), signature.tensors[0])


def _of_column(values: Any, tensor: Tensor) -> Array:
    """A column holds a row's numbers as a list: one flat list for a tensor of any shape."""
    if isinstance(values, pd.DataFrame):
        raise InvalidInput(f"Column {tensor.name!r} is there more than once.")
    array = _array(values.tolist(), tensor.dtype, _named(tensor))
    inner = tensor.shape[1:]
    if array.ndim <= 2 and array.shape[1:] != inner and -1 not in inner and len(array):
        try:
            array = array.reshape((len(array), *inner))
        except ValueError:
            raise _misshapen(array, tensor) from None
    return _checked(array, tensor)


def _checked(value: Any, tensor: Tensor) -> Array:
    array = value if isinstance(value, np.ndarray) else _array(value, tensor.dtype, _named(tensor))
    fits = len(array.shape) == len(tensor.shape) and all(
        wanted in (-1, length) for length, wanted in zip(array.shape, tensor.shape, strict=True)
    )
    if not fits:
        raise _misshapen(array, tensor)
    return array


def _misshapen(array: Array, tensor: Tensor) -> InvalidInput:
    wanted = ", ".join("any" if length == -1 else str(length) for length in tensor.shape)
    return InvalidInput(f"{_named(tensor)} has the shape {array.shape}, the model takes ({wanted}).")


def _named(tensor: Tensor) -> str:
    return "The input" if tensor.name is None else f"Input {tensor.name!r}"


def _array(value: Any, dtype: np.dtype[Any] | None, what: str) -> Array:
    try:
        given = np.array(value)
        if dtype is None or given.dtype == dtype:
            return given
        if dtype.kind in "iu" and given.dtype.kind == "f" and not np.all(given == np.floor(given)):
            raise InvalidInput(f"{what} holds numbers that are not whole, the model takes {dtype}.")
        if dtype.kind in "iufb" and given.dtype.kind not in "iufb" and given.size:
            raise InvalidInput(f"{what} holds values that are no numbers, the model takes {dtype}.")
        with np.errstate(over="raise", invalid="raise"):
            return np.array(value, dtype=dtype)
    except (ValueError, TypeError, OverflowError, FloatingPointError, RecursionError) as error:
        raise BadRequest(f"{what} is no array{f' of {dtype}' if dtype is not None else ''}: {error}") from None
