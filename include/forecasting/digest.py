"""A digest of what an estimator is and has learned, the same in every process and after storing and loading."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np


def state_sha256(*values: Any) -> str:
    """Digest of plain values, arrays and scikit-learn objects: their classes, parameters and learned attributes.

    Neither a pickle nor a skops file would do: both hold identities of objects, which differ from run to run. Here a
    float counts by its bits, an array by type, shape and values, a mapping by its sorted keys, an object by its class
    and attributes. Raises TypeError for an object whose state cannot be seen.
    """
    digest = hashlib.sha256()
    for part in _parts(list(values)):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterable[bytes]:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str | bytes):
        yield f"{type(value).__name__} {value!r}".encode()
    elif isinstance(value, float):
        yield f"float {value.hex()}".encode()
    elif isinstance(value, np.ndarray):
        yield from _array_parts(value)
    elif isinstance(value, list | tuple):
        yield f"sequence {len(value)}".encode()
        for each in value:
            yield from _parts(each)
    elif isinstance(value, dict):
        yield f"mapping {len(value)}".encode()
        for key in sorted(value, key=repr):
            yield from _parts(key)
            yield from _parts(value[key])
    elif isinstance(value, type | np.dtype) or (callable(value) and hasattr(value, "__qualname__")):
        yield f"name {getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}".encode()
    elif isinstance(value, np.random.RandomState):
        yield b"random state"
        yield from _parts(value.get_state(legacy=False))
    else:
        yield from _object_parts(value)


def _array_parts(values: np.ndarray[Any, Any]) -> Iterable[bytes]:
    yield f"array {values.shape}".encode()
    if values.dtype.names:
        # Field by field: between the fields of a record may lie bytes that mean nothing.
        for name in values.dtype.names:
            yield name.encode()
            yield from _array_parts(values[name])
    elif values.dtype.kind in "OUS":
        yield from _parts(values.tolist())
    else:
        yield values.dtype.newbyteorder("<").str.encode()
        yield np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _object_parts(value: Any) -> Iterable[bytes]:
    yield f"object {type(value).__module__}.{type(value).__qualname__}".encode()
    if hasattr(value, "__dict__"):
        yield from _parts(vars(value))
        return
    state = value.__reduce__()
    if isinstance(state, str):
        raise TypeError(f"{type(value).__qualname__} does not show its state")
    yield from _parts(list(state[1:3]))
