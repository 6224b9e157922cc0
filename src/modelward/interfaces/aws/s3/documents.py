"""The XML of the object store: documents that are sent, and the few that come in."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from modelward.interfaces.aws.errors import AwsError

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
KEYS_MAX = 1000
# Members of an object to remove that other stores obey: for good, or only under a condition.
NOT_SERVED = frozenset({"ETag", "LastModifiedTime", "Size", "VersionId"})
TOLD = ("Key", "VersionId", "DeleteMarker", "DeleteMarkerVersionId", "Code", "Message")
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
    try:
        # In another encoding, which NUL gives away to the parser, a type declaration would look otherwise.
        text = body.decode("utf-8-sig")
        if "<!" in text or "\x00" in text:
            raise _malformed()
        found = ElementTree.fromstring(text)
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
    """The keys of objects to remove, and whether the answer is to be quiet about those that were.

    Strict, for what is read here in one way must not be read by another store in another.

    Raises:
        AwsError: MalformedXML; NotImplemented, a version is named, or a condition.
    """
    found = read(body, root="Delete")
    told = [each.text or "" for each in found if each.tag == "Quiet"]
    keys = [_key_of(each) for each in found if each.tag != "Quiet"]
    if (
        len(told) > 1
        or not 0 < len(keys) <= KEYS_MAX
        or not all(keys)
        or any(len(each) for each in found.findall("Quiet"))
    ):
        raise _malformed()
    return keys, "".join(told).strip() == "true"


def _key_of(found: ElementTree.Element) -> str:
    names = [each.tag for each in found]
    if found.tag != "Object" or set(names) - {"Key", *NOT_SERVED}:
        raise _malformed()
    if refused := sorted(set(names) & NOT_SERVED):
        raise AwsError("NotImplemented", f"Objects are removed here by their keys alone, not by {refused[0]}.")
    if names != ["Key"] or len(found[0]):
        raise _malformed()
    return found[0].text or ""


def deletion(keys: Sequence[str], *, quiet: bool) -> bytes:
    """The document that asks for the removal of objects, as we read it and nothing besides."""
    return document("Delete", [("Quiet", quiet), *(("Object", [("Key", key)]) for key in keys)])


def deletion_told(body: bytes, mend: Callable[[str, str], str]) -> bytes:
    """What a store tells of a removal, written anew; ``mend`` gives the message of an error from its code and message."""
    nodes: list[Node] = []
    for each in read(body, root="DeleteResult"):
        told = {member.tag: member.text or "" for member in each if member.tag in TOLD}
        if "Message" in told:
            told["Message"] = mend(told.get("Code", ""), told["Message"])
        if each.tag in ("Deleted", "Error"):
            nodes.append((each.tag, [*told.items()]))
    return document("DeleteResult", nodes)


def region_named(body: bytes) -> str:
    """The region in which a bucket is wanted; empty for the caller's."""
    if not body.strip():
        return ""
    return (read(body, root="CreateBucketConfiguration").findtext("LocationConstraint") or "").strip()[:32]
