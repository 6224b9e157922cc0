"""The templates of capture records found so far, and blocks of lines read by them."""

import base64
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np

from modelward.analysis.captures.kinds import Kind
from modelward.analysis.captures.shapes import Part, Places, Shape, shapes_of
from modelward.analysis.captures.templates import Template, Unlike, read_alike, template_of

TEMPLATE_LINES = 64
TEMPLATES_MAX = 8
SHAPES_MAX = 1_024
FEW_LINES = 8

_IN_BASE64 = re.compile(rb'"data":\s?"([A-Za-z0-9+/]*=*)",\s?"encoding":\s?"BASE64"')


class Sorted(NamedTuple):
    """A block of lines of several shapes: the rows of those that were read, and which lines were not."""

    lines: int
    parts: list[Part]
    others: Places


class Templates:
    """The templates for whole blocks, the last found in front, and those of lines of one shape. Threads share them."""

    def __init__(self) -> None:
        """Know none yet."""
        self.known: list[Template] = []
        self.shaped: dict[int, Template] = {}
        self.encoded = False
        self._learning = threading.Lock()

    def learn(self, lines: Sequence[bytes]) -> bool:
        """Look at the first lines of a block, where no template fits it; tell whether there is a new one."""
        lines = [line.rstrip(b"\r") for line in lines[:TEMPLATE_LINES] if line.strip()]
        if any(b'"BASE64"' in line for line in lines):
            self.encoded = True
            lines = [_IN_BASE64.sub(_as_text, line) for line in lines]
        found = template_of(lines) if lines else None
        with self._learning:
            new = found is not None and found not in self.known
            if found is not None and new:
                self.known = [found, *self.known][:TEMPLATES_MAX]
        return new

    def _plain(self, block: memoryview) -> memoryview:
        return memoryview(_IN_BASE64.sub(_as_text, block)) if self.encoded else block

    def read(self, block: memoryview, kinds: Mapping[str, Kind]) -> Any:
        """The table of a block of alike lines, and how many these were; None where they are not alike."""
        plain = self._plain(block)
        for template in self.known:
            table = _table(plain, template, kinds)
            if table is not None:
                return table, table.num_rows // len(template.rows)
        return None

    def read_sorted(self, block: memoryview, kinds: Mapping[str, Kind]) -> Sorted:
        """The rows of a block whose lines are of several shapes; what fits no template is left to others."""
        count, shapes = shapes_of(self._plain(block))
        others, parts = np.ones(count, bool), []
        for shape in shapes:
            found = self._read_shape(shape, kinds)
            if found is not None:
                table, rows = found
                parts.append(Part(shape.lines, np.full(shape.lines.size, rows), table))
                others[shape.lines] = False
        return Sorted(count, parts, np.flatnonzero(others))

    def _read_shape(self, shape: Shape, kinds: Mapping[str, Kind]) -> Any:
        """The table of lines of one shape, and how many rows each has; None where no template is found that fits."""
        found = self._by_template(shape, kinds)
        # Few lines are read sooner one by one than learnt from; what was the same in all lines may be another now.
        if found is None and shape.lines.size >= FEW_LINES and self._learn_shape(shape):
            found = self._by_template(shape, kinds)
        return found

    def _by_template(self, shape: Shape, kinds: Mapping[str, Kind]) -> Any:
        template = self.shaped.get(shape.number)
        table = None if template is None else _table(shape.text, template, kinds)
        return None if template is None or table is None else (table, len(template.rows))

    def _learn_shape(self, shape: Shape) -> bool:
        """Look at the first lines of a shape; tell whether there is a template that was not known."""
        lines = [line.rstrip(b"\r") for line in shape.head(TEMPLATE_LINES)]
        found = template_of(lines, cut=shape.cut)
        with self._learning:
            if found is None or found == self.shaped.get(shape.number):
                return False
            if len(self.shaped) >= SHAPES_MAX:
                self.shaped.clear()
            self.shaped[shape.number] = found
        return True


def _table(block: memoryview, template: Template, kinds: Mapping[str, Kind]) -> Any:
    if not all(name in kinds for name in template.columns):
        return None
    try:
        return read_alike(block, template, kinds)
    except Unlike:
        return None


def _as_text(found: re.Match[bytes]) -> bytes:
    """A body in base64 as a text; as it was where it is none."""
    try:
        text = base64.b64decode(found[1], validate=True).decode()
    except ValueError:
        return found[0]
    # By its first sign a body of JSON is told from one of CSV.
    return b'"data":' + msgspec.json.encode(text) + b',"encoding":"CSV"'
