"""Columns as the service sees them: texts. Numbers of typed sources are kept as numbers until somebody asks for texts."""

import json
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.accumulate import doubles
from modelward.analysis.buffers import fixed_width, indices, large_strings, valid_bits, valid_mask, width_of
from modelward.analysis.formats.layout import PLAIN_BELOW, PLAIN_MIN, java_double
from modelward.kernel.errors import Invalid

Codes: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]


class TextColumn:
    """One column: its different texts in the order of their first row, and for each row which it is; -1 is no value.

    ``words`` are the texts as an Arrow array: a list of millions of texts costs more than all else.
    """

    def __init__(self, *, name: str, texts: Any, codes: Codes) -> None:
        """Keep a list or an Arrow array of texts, and the codes of the rows."""
        self.name, self._given, self._codes = name, texts, codes

    @property
    def codes(self) -> Codes:
        """For each row the place of its text; -1 is no value."""
        return self._codes

    @cached_property
    def texts(self) -> list[str]:
        """The different texts."""
        return list(self._given) if isinstance(self._given, list) else list(self._given.to_pylist())

    @cached_property
    def words(self) -> Any:
        """The different texts as an Arrow array."""
        return large_strings(self._given) if isinstance(self._given, list) else self._given

    @property
    def rows(self) -> int:
        """All rows."""
        return len(self.codes)

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(np.count_nonzero(self.codes >= 0))

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        """For each row whether it has a value."""
        return self.codes >= 0

    @property
    def different(self) -> int:
        """Number of different texts."""
        return len(self._given)

    @property
    def counts(self) -> Codes:
        """Rows of each text."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.different).astype(np.int64)

    def in_order(self, values: Sequence[Any]) -> Any:
        """Look the present rows up in ``values``, which are given text by text."""
        return np.asarray(values)[self.codes[self.codes >= 0]]

    def renamed(self, name: str) -> "TextColumn":
        """The same column by another name."""
        return TextColumn(name=name, texts=self._given, codes=self._codes)

    def where(self, mask: npt.NDArray[np.bool_]) -> "TextColumn":
        """Some of the rows; texts without a row stay known."""
        return TextColumn(name=self.name, texts=self.words, codes=self.codes[mask])

    def piece(self, start: int, rows: int) -> "TextColumn":
        """Some rows in a row, with just the texts that occur there, in the same order."""
        codes = self.codes[start : start + rows]
        used = np.bincount(codes[codes >= 0], minlength=self.different) > 0
        if used.all():
            return TextColumn(name=self.name, texts=self._given, codes=codes)
        places = np.append(np.cumsum(used) - 1, -1)
        return TextColumn(name=self.name, texts=self.words.take(indices(np.flatnonzero(used))), codes=places[codes])

    def numbers(self) -> Floats:
        """The numbers of the rows in order, those without a value left out; every text must be a number."""
        return self._known_numbers[self.codes[self.codes >= 0]]

    @cached_property
    def _known_numbers(self) -> Floats:
        try:
            return fixed_width(self.words.cast(pa.float64()), np.float64)
        except pa.ArrowInvalid:
            # deequ's patterns let a plus stand before the digits, and a blank behind the sign.
            return np.array([float(text.replace(" ", "")) for text in self.texts])


class NumberColumn(TextColumn):
    """A column of doubles (all finite) or integers. Its texts, those that Java would write, are made when asked for."""

    def __init__(self, *, name: str, array: Any) -> None:
        """Keep the Arrow array."""
        self.name, self.array = name, array

    @cached_property
    def _written(self) -> TextColumn:
        return encoded(self.name, self.array)

    @property
    def codes(self) -> Codes:
        """For each row the place of its text; -1 is no value."""
        return self._written.codes

    @cached_property
    def texts(self) -> list[str]:
        """The different texts."""
        return self._written.texts

    @cached_property
    def words(self) -> Any:
        """The different texts as an Arrow array."""
        return self._written.words

    @property
    def rows(self) -> int:
        """All rows."""
        return len(self.array)

    @property
    def present(self) -> int:
        """Rows with a value."""
        missing: int = self.array.null_count
        return len(self.array) - missing

    @property
    def there(self) -> npt.NDArray[np.bool_]:
        """For each row whether it has a value."""
        mask = valid_mask(self.array)
        return np.ones(len(self.array), np.bool_) if mask is None else mask

    @property
    def different(self) -> int:
        """Number of different texts."""
        numbers = self.array.view(pa.int64()) if self.array.type == pa.float64() else self.array
        return int(pc.count_distinct(numbers, mode="only_valid").as_py())

    @property
    def whole(self) -> bool:
        """Whether the type is one of integers."""
        return bool(pa.types.is_integer(self.array.type))

    def renamed(self, name: str) -> "NumberColumn":
        """The same column by another name."""
        return NumberColumn(name=name, array=self.array)

    def where(self, mask: npt.NDArray[np.bool_]) -> "NumberColumn":
        """Some of the rows."""
        return NumberColumn(name=self.name, array=self.array.take(indices(np.flatnonzero(mask))))

    def piece(self, start: int, rows: int) -> "NumberColumn":
        """Some rows in a row."""
        return NumberColumn(name=self.name, array=self.array.slice(start, rows))

    def numbers(self) -> Floats:
        """The numbers of the rows in order, those without a value left out."""
        return doubles(self.array)[0]

    def values(self) -> npt.NDArray[Any]:
        """The present values in their own type."""
        values, mask = fixed_width(self.array, width_of(self.array.type)), valid_mask(self.array)
        return values if mask is None else values[mask]


def column_of(name: str, array: Any) -> TextColumn:
    """The column of an Arrow array or chunked array.

    Lists, structs and maps are JSON.

    Raises:
        Invalid: bytes that are no text.
    """
    kind = array.type
    if pa.types.is_null(kind):
        return TextColumn(name=name, texts=[], codes=np.full(len(array), -1, np.int64))
    if pa.types.is_nested(kind):
        # As a JSON file would hold it.
        array, kind = _json_texts(array), pa.large_string()
    if _is_bytes(kind):
        array, kind = _texts_in(name, array), pa.large_string()
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries() if pa.types.is_dictionary(kind) else array
        array = array.combine_chunks()
    if pa.types.is_integer(kind) or (kind == pa.float64() and _finite(array)):
        return NumberColumn(name=name, array=array)
    return encoded(name, array)


def _json_texts(array: Any) -> Any:
    texts = [
        None if value is None else json.dumps(value, default=str, ensure_ascii=False) for value in array.to_pylist()
    ]
    return pa.array(texts, pa.large_string())


def _is_bytes(kind: Any) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(
        is_kind(inner) for is_kind in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    )


def _texts_in(name: str, array: Any) -> Any:
    try:
        plain = array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array
        return plain.cast(pa.binary()).cast(pa.large_binary()).cast(pa.large_string())
    except pa.ArrowException as problem:
        raise Invalid(
            f"Column {name!r} holds bytes that are no text in UTF-8.", field=name, hint="Leave the column out."
        ) from problem


def _finite(array: Any) -> bool:
    total = pc.sum(array).as_py()
    # Any value that is not finite makes the sum so; a sum may overflow by itself.
    return total is None or math.isfinite(total) or bool(np.isfinite(doubles(array)[0]).all())


def encoded(name: str, array: Any) -> TextColumn:
    """A column by its dictionary, in the order of first rows. An empty text is no value."""
    if pa.types.is_dictionary(array.type):
        array = _in_order_of_rows(array)
    else:
        array = pc.dictionary_encode(array)
    codes = fixed_width(array.indices, width_of(array.indices.type)).astype(np.int64)
    mask = valid_mask(array.indices)
    if mask is not None:
        codes = np.where(mask, codes, -1)
    known = array.dictionary
    if pa.types.is_string(known.type) or pa.types.is_large_string(known.type):
        return _without_empty(name, known.cast(pa.large_string()), codes)
    if known.type == pa.float64():
        return TextColumn(name=name, texts=java_doubles(fixed_width(known, np.float64)), codes=codes)
    texts = [_text(value) for value in _values(known)]
    found: dict[str, int] = {}
    places = [-1 if text is None else found.setdefault(text, len(found)) for text in texts]
    return TextColumn(name=name, texts=list(found), codes=np.array([*places, -1], np.int64)[codes])


def _in_order_of_rows(array: Any) -> Any:
    """The same dictionary array with just the values that occur, by their first row."""
    codes = fixed_width(array.indices, width_of(array.indices.type)).astype(np.int64)
    absent = len(array.dictionary)
    mask = valid_mask(array.indices)
    if mask is not None:
        codes = np.where(mask, codes, absent)
    first = np.full(absent + 1, len(codes))
    # Later writes win, so the rows are walked backwards.
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    used = np.flatnonzero(first[:absent] < len(codes))
    used = used[np.argsort(first[used])]
    turned = np.zeros(absent + 1, np.int64)
    turned[used] = np.arange(used.size)
    nulls = None if mask is None else pa.py_buffer(np.packbits(mask, bitorder="little"))
    places = pa.Array.from_buffers(pa.int64(), len(codes), [nulls, pa.py_buffer(turned[codes])])
    values = array.dictionary.take(indices(used))
    if values.null_count or len(pc.unique(values)) < len(values):
        return pc.dictionary_encode(values.take(places))
    return pa.DictionaryArray.from_arrays(places, values)


def _without_empty(name: str, words: Any, codes: Codes) -> TextColumn:
    empty = valid_bits(pc.equal(words, pa.scalar("", pa.large_string()))) if len(words) else np.zeros(0, bool)
    places = np.flatnonzero(empty)
    if places.size:
        place = int(places[0])
        codes = np.where(codes == place, -1, codes - (codes > place))
        words = words.take(indices(np.flatnonzero(~empty)))
    return TextColumn(name=name, texts=words, codes=codes)


def joined_column(columns: list[TextColumn]) -> TextColumn:
    """The rows of all columns, in order."""
    arrays = [column.array for column in columns if isinstance(column, NumberColumn)]
    if len(arrays) == len(columns) and len({array.type for array in arrays}) == 1:
        return NumberColumn(name=columns[0].name, array=pa.concat_arrays(arrays))
    words = pa.concat_arrays([column.words for column in columns])
    joined = pc.dictionary_encode(words)
    places, codes, start = fixed_width(joined.indices, np.int32), [], 0
    for column in columns:
        size = len(column.words)
        codes.append(np.append(places[start : start + size].astype(np.int64), -1)[column.codes])
        start += size
    return TextColumn(name=columns[0].name, texts=joined.dictionary, codes=np.concatenate(codes))


def java_doubles(values: Floats) -> Any:
    """Write doubles as Java does, into an Arrow array; the same as ``java_double`` of each, many times faster."""
    with np.errstate(invalid="ignore"):
        plain = (np.abs(values) >= PLAIN_MIN) & (np.abs(values) < PLAIN_BELOW)
        whole = plain & (np.rint(values) == values)
    numbers = pa.Array.from_buffers(pa.float64(), values.size, [None, pa.py_buffer(np.ascontiguousarray(values))])
    # Arrow writes the shortest digits too, but no fraction of whole numbers, and its exponents in another way.
    texts = numbers.cast(pa.large_string())
    odd = whole | ~plain
    if not odd.any():
        return texts
    written = [
        f"{value:.1f}" if easy else java_double(value)
        for value, easy in zip(values[odd].tolist(), whole[odd].tolist(), strict=True)
    ]
    places = pa.Array.from_buffers(pa.bool_(), odd.size, [None, pa.py_buffer(np.packbits(odd, bitorder="little"))])
    return pc.replace_with_mask(texts, places, large_strings(written))


def _values(dictionary: Any) -> list[Any]:
    kind = dictionary.type
    if pa.types.is_floating(kind) and kind.bit_width < 64:
        # The shortest digits of the narrow number, not those of the double nearest to it.
        return [float(str(value)) for value in dictionary.to_numpy(zero_copy_only=False)]
    plain = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
    if any(is_kind(kind) for is_kind in plain):
        return list(dictionary.to_pylist())
    return list(dictionary.cast(pa.string()).to_pylist())


_WRITTEN: dict[type, Callable[[Any], str | None]] = {
    bool: lambda value: "true" if value else "false",
    int: str,
    float: java_double,
    str: lambda value: value or None,
}


def _text(value: Any) -> str | None:
    return None if value is None else _WRITTEN[type(value)](value)
