"""The XML of the object store: documents that are sent, and the few that come in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from modelward.interfaces.aws.errors import AwsError

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
Node = tuple[str, Any]


def document(name: str, nodes: Sequence[Node]) -> bytes:
    """A document: a node is a name with a text, or with more nodes."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{SPACE}">{_written(nodes)}</{name}>'.encode()


def _written(nodes: Sequence[Node]) -> str:
    pieces = []
    for name, value in nodes:
        if value is None:
            continue
        inner = _written(value) if isinstance(value, list) else _text(value)
        pieces.append(f"<{name}>{inner}</{name}>")
    return "".join(pieces)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return "".join(_character(each) for each in escape(str(value)))


def _character(each: str) -> str:
    # XML 1.0 can write no other control characters; clients ask for encoding-type=url where keys may have them.
    return each if each >= " " or each in "\t\n" else f"&#{ord(each)};" if each == "\r" else "?"


def keyed(key: str, *, encoded: bool) -> str:
    """A key as the client asked to have it: as it is, or percent-encoded."""
    return quote(key, safe="/-_.~*") if encoded else key


def read(body: bytes, *, root: str) -> ElementTree.Element:
    """Read a document without a type declaration, which could make it endless.

    Raises:
        AwsError: MalformedXML.
    """
    if b"<!" in body:
        raise _malformed()
    try:
        found = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError) as problem:
        raise _malformed() from problem
    for each in found.iter():
        each.tag = str(each.tag).rpartition("}")[2]
    if found.tag != root:
        raise _malformed()
    return found


def _malformed() -> AwsError:
    return AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate.")


def parts_named(body: bytes) -> list[tuple[int, str]]:
    """Number and etag of each part, in the order of the document."""
    named = []
    for part in read(body, root="CompleteMultipartUpload").findall("Part"):
        number = (part.findtext("PartNumber") or "").strip()
        if not number.isdecimal() or not number.isascii() or len(number) > 5:
            raise _malformed()
        named.append((int(number), (part.findtext("ETag") or "").strip()))
    return named


def keys_named(body: bytes) -> tuple[list[str], bool]:
    """The keys of objects to remove, and whether the answer is to be quiet about those that were."""
    found = read(body, root="Delete")
    keys = [each.findtext("Key") or "" for each in found.findall("Object")]
    if not keys or len(keys) > 1000 or not all(keys):
        raise _malformed()
    return keys, (found.findtext("Quiet") or "").strip() == "true"


def region_named(body: bytes) -> str:
    """The region in which a bucket is wanted; empty for the caller's."""
    if not body.strip():
        return ""
    return (read(body, root="CreateBucketConfiguration").findtext("LocationConstraint") or "").strip()[:32]
