"""Which stores a setting may name; what is refused is refused in words, and no password is shown."""

import pytest

from modelward.kernel.errors import Invalid
from modelward.storage.blobs import open_blobs


@pytest.mark.parametrize("store", ["s3://", "s3:///prefix", "gs://bucket", "http://ana:hush@host/bucket"])
def test_what_names_no_store_is_refused_without_showing_a_password(store):
    with pytest.raises(Invalid, match="not a store Modelward knows") as told:
        open_blobs(store)

    assert told.value.field == "store"
    assert "hush" not in str(told.value)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Invalid, match="cannot be used"):
        open_blobs(str(tmp_path / "file" / "blobs"))
