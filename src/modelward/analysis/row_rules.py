"""Rules that are counted row by row in the pass: a pattern, uniqueness, an expression of the user."""

from typing import Any, Protocol, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelward.analysis.accumulate import doubles
from modelward.analysis.buffers import fixed_width, is_text, large_strings, valid_bits, valid_mask, width_of
from modelward.analysis.hashing import arrow_text_hashes
from modelward.analysis.rule_counts import RuleCount, Seen
from modelward.analysis.sketches import Bits, mixed_bits
from modelward.kernel.errors import Invalid

EXAMPLE_LENGTH_MAX = 80
_ODD = np.uint64(0x9E3779B97F4A7C15)


class PatternRule(msgspec.Struct, frozen=True, kw_only=True, tag="pattern"):
    """The texts of a column hold what a regular expression finds (RE2; ``^`` and ``$`` bind it to the whole)."""

    name: str
    column: str
    pattern: str


class UniqueRule(msgspec.Struct, frozen=True, kw_only=True, tag="unique"):
    """No two rows share their values in these columns."""

    name: str
    columns: tuple[str, ...]


class ExpressionRule(msgspec.Struct, frozen=True, kw_only=True, tag="expression"):
    """A condition on one row, as an SQL expression over its columns; rows where it is NULL cannot tell."""

    name: str
    sql: str


RowRule: TypeAlias = PatternRule | UniqueRule | ExpressionRule


class Tally(Protocol):
    """Counts for one rule; ``columns`` are what it reads."""

    columns: tuple[str, ...]

    def add(self, batch: Any) -> None:
        """Take rows: a record batch that holds the columns."""

    def finish(self) -> RuleCount:
        """Tell the counts."""


class Unknown:
    """The tally of a rule whose columns the table lacks: no row can tell."""

    columns: tuple[str, ...] = ()

    def __init__(self) -> None:
        """Begin with no rows."""
        self.rows = 0

    def add(self, batch: Any) -> None:
        """Take rows."""
        self.rows += batch.num_rows

    def finish(self) -> RuleCount:
        """Tell the counts."""
        return RuleCount(unknown=self.rows)


def tallies_of(rules: tuple[RowRule, ...], names: list[str]) -> dict[str, Tally]:
    """The tally of each rule, for a table with these columns.

    Raises:
        Invalid: two rules share a name, a pattern is no regular expression, or an expression is not allowed.
    """
    found: dict[str, Tally] = {}
    for rule in rules:
        if rule.name in found:
            raise Invalid(f"Two rules are named {rule.name!r}.", field=rule.name, hint="Rename one of them.")
        tally = tally_of(rule)
        found[rule.name] = tally if set(tally.columns) <= set(names) else Unknown()
    return found


def tally_of(rule: RowRule) -> Tally:
    """The tally of one rule."""
    if isinstance(rule, PatternRule):
        return PatternTally(rule)
    if isinstance(rule, UniqueRule):
        return UniqueTally(rule)
    # DuckDB costs 0.3 s to load: only who writes expressions pays.
    from modelward.analysis.expression_tally import ExpressionTally

    return ExpressionTally(rule.name, rule.sql)


def plain(array: Any) -> Any:
    """An array without its extension type."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def as_texts(array: Any) -> Any:
    """A column as dictionary-coded large strings."""
    if not pa.types.is_dictionary(array.type):
        array = pc.dictionary_encode(array.cast(pa.large_string()))
    return array


class PatternTally:
    """Counts rows whose text a regular expression finds."""

    def __init__(self, rule: PatternRule) -> None:
        """Begin with no rows.

        Raises:
            Invalid: the pattern is no regular expression.
        """
        self.rule = rule
        self.columns: tuple[str, ...] = (rule.column,)
        self.kept = self.broken = self.unknown = 0
        self.example = ""
        try:
            pc.match_substring_regex(large_strings([""]), rule.pattern)
        except pa.ArrowInvalid as problem:
            raise Invalid(
                f"The pattern {rule.pattern!r} of rule {rule.name!r} is no regular expression: {problem}.",
                field=rule.name,
                hint="Patterns are RE2: no look-around and no back-references.",
            ) from problem

    def add(self, batch: Any) -> None:
        """Take rows."""
        array = as_texts(plain(batch.column(self.rule.column)))
        texts = array.dictionary.cast(pa.large_string())
        codes = fixed_width(array.indices, width_of(array.indices.type))
        mask = valid_mask(array.indices)
        counts = np.bincount(codes if mask is None else codes[mask], minlength=len(texts))
        if not len(texts):
            self.unknown += len(array)
            return
        present = valid_mask(texts)
        if present is not None:
            counts = np.where(present, counts, 0)
        good = valid_bits(pc.match_substring_regex(texts, self.rule.pattern)) & (counts > 0)
        total, kept = int(counts.sum()), int(counts[good].sum())
        self.unknown += len(array) - total
        self.kept += kept
        self.broken += total - kept
        for place in np.flatnonzero(~good & (counts > 0)):
            text = texts[int(place)].as_py()[:EXAMPLE_LENGTH_MAX]
            self.example = min(self.example, text) if self.example else text

    def finish(self) -> RuleCount:
        """Tell the counts."""
        return RuleCount(kept=self.kept, broken=self.broken, unknown=self.unknown, example=self.example)


class UniqueTally:
    """Keeps the different values of one column or of several together."""

    def __init__(self, rule: UniqueRule) -> None:
        """Begin with no rows."""
        if not rule.columns:
            raise Invalid(f"The rule {rule.name!r} of uniqueness names no column.", field=rule.name)
        self.columns = rule.columns
        self.present = self.unknown = 0
        self.seen = Seen()
        self.pending: list[Bits] = []

    def add(self, batch: Any) -> None:
        """Take rows."""
        hashes = np.zeros(batch.num_rows, np.uint64)
        there = np.ones(batch.num_rows, bool)
        for name in self.columns:
            array = plain(batch.column(name))
            own, present = hashes_of(array)
            there &= present
            # For one column nothing is mixed in: the hash of a number stays one to one.
            hashes = own if len(self.columns) == 1 else mixed_bits(hashes * _ODD + own)
        self.present += int(there.sum())
        self.unknown += int((~there).sum())
        self.pending.append(hashes[there])
        if sum(part.size for part in self.pending) > 1_000_000:
            self._gather()

    def _gather(self) -> None:
        self.seen += Seen.of(np.concatenate(self.pending)) if self.pending else Seen()
        self.pending = []

    def finish(self) -> RuleCount:
        """Tell the counts."""
        self._gather()
        return RuleCount(kept=self.present, unknown=self.unknown, seen=self.seen)


def hashes_of(array: Any) -> tuple[Bits, Any]:
    """A hash of each row's value, and which rows have one."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    mask = valid_mask(array.indices if pa.types.is_dictionary(array.type) else array)
    there = np.ones(len(array), bool) if mask is None else mask.copy()
    hashes = np.zeros(len(array), np.uint64)
    if pa.types.is_integer(kind):
        # Not by doubles: beyond 2^53 they would make two numbers one.
        whole = (array.dictionary_decode() if pa.types.is_dictionary(array.type) else array).cast(
            pa.uint64() if pa.types.is_uint64(kind) else pa.int64()
        )
        values = fixed_width(whole, np.uint64 if pa.types.is_uint64(kind) else np.int64).view(np.uint64)
        hashes[there] = mixed_bits(values[there].copy())
        return hashes, there
    if is_text(kind) or not (pa.types.is_floating(kind) or pa.types.is_temporal(kind)):
        coded = as_texts(array)
        texts = coded.dictionary.cast(pa.large_string())
        codes = fixed_width(coded.indices, width_of(coded.indices.type))
        if len(texts):
            hashes[there] = arrow_text_hashes(texts)[codes[there]]
        return hashes, there
    numbers, _ = doubles(array)
    present = ~np.isnan(numbers)
    bits = (numbers + 0.0).view(np.uint64)
    hashes[there] = mixed_bits(bits)
    there[np.flatnonzero(there)[~present]] = False
    return hashes, there
