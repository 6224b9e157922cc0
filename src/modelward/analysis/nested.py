"""Values inside structs and lists as columns of their own: ``address.city``, ``features[0]``."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from modelward.analysis.buffers import valid_mask

DEPTH_MAX = 16
_ELEMENT = re.compile(r"(.+)\[(\d+)\]")


def flat_schema(schema: Any, wanted: Iterable[str] = ()) -> Any:
    """The schema with the leaves of structs in place of the structs, and with the wanted elements of lists."""
    fields = [leaf for field in schema for leaf in _leaves(field, 0)]
    known = {field.name: field.type for field in fields}
    for name in wanted:
        kind = None if name in known else _element_type(known, name)
        if kind is not None:
            fields.append(pa.field(name, kind))
    return pa.schema(fields)


def has_structs(schema: Any) -> bool:
    """Whether some column is a struct with fields."""
    return any(pa.types.is_struct(field.type) and field.type.num_fields for field in schema)


def _leaves(field: Any, depth: int) -> Iterator[Any]:
    if not pa.types.is_struct(field.type) or field.type.num_fields == 0 or depth == DEPTH_MAX:
        yield field
        return
    for inner in field.type:
        yield from _leaves(pa.field(f"{field.name}.{inner.name}", inner.type), depth + 1)


def _element_type(known: dict[str, Any], name: str) -> Any:
    found = _ELEMENT.fullmatch(name)
    if not found:
        return None
    outer = known.get(found[1]) or _element_type(known, found[1])
    return outer.value_type if outer is not None and _is_list(outer) else None


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def flat_batch(batch: Any, schema: Any) -> Any:
    """A batch with the columns of a schema made by ``flat_schema``."""
    arrays = [
        array for field, array in zip(batch.schema, batch.columns, strict=True) for array in _flat(array, field.type, 0)
    ]
    names = [leaf.name for field in batch.schema for leaf in _leaves(field, 0)]
    known = dict(zip(names, arrays, strict=True))
    for field in list(schema)[len(arrays) :]:
        arrays.append(_element(known, field.name))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _flat(array: Any, kind: Any, depth: int) -> list[Any]:
    if not pa.types.is_struct(kind) or kind.num_fields == 0 or depth == DEPTH_MAX:
        return [array]
    # flatten() gives a null wherever the struct itself is null.
    inner = array.flatten()
    return [leaf for one, field in zip(inner, kind, strict=True) for leaf in _flat(one, field.type, depth + 1)]


def _element(known: dict[str, Any], name: str) -> Any:
    found = _ELEMENT.fullmatch(name)
    assert found is not None
    lists = known[found[1]] if found[1] in known else _element(known, found[1])
    place = int(found[2])
    if pa.types.is_fixed_size_list(lists.type):
        lists = lists.cast(pa.list_(lists.type.value_type))
    width = np.int64 if pa.types.is_large_list(lists.type) else np.int32
    offsets = np.frombuffer(lists.buffers()[1], width)[lists.offset : lists.offset + len(lists) + 1].astype(np.int64)
    there = np.diff(offsets) > place
    mask = valid_mask(lists)
    if mask is not None:
        there &= mask
    places = np.where(there, offsets[:-1] + place, 0)
    bitmap = np.packbits(there, bitorder="little")
    taken = pa.Array.from_buffers(pa.int64(), places.size, [pa.py_buffer(bitmap), pa.py_buffer(places)])
    return lists.values.take(taken)
