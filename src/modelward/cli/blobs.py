"""`modelward blobs`: stored bytes that nothing refers to."""

from typing import Any

import click

from modelward.cli.showing import as_json_option, client, show_json


@click.group()
def blobs() -> None:
    """The stored bytes: files, reports, documents, by their digests."""


@blobs.command()
@as_json_option
def look(as_json: bool) -> None:
    """Count the bytes that nothing refers to; nothing is deleted."""
    with client() as modelward:
        found = modelward.blobs.unreferenced()
    if as_json:
        show_json(found)
        return
    click.echo(
        f"{_told(found.blobs, found.bytes)} are stored; nothing refers to {_told(found.blobs_unreferenced, found.bytes_unreferenced)}."
    )
    click.echo(f"Put so long ago that a collection would delete them now: {_told(found.blobs_due, found.bytes_due)}.")
    if found.elsewhere:
        click.echo(found.elsewhere)


@blobs.command()
@as_json_option
def collect(as_json: bool) -> None:
    """Delete the bytes to which nothing has referred for blob_grace_days."""
    with client() as modelward:
        done = modelward.blobs.collect()
    if as_json:
        show_json(done)
        return
    click.echo(f"{_told(done.blobs, done.bytes)} were deleted.")
    if done.reason:
        click.echo(f"{done.reason} {done.blobs_left:,} blobs are left.")


def _told(count: Any, size: Any) -> str:
    return f"{count:,} {'blob' if count == 1 else 'blobs'} of {size:,} bytes"
