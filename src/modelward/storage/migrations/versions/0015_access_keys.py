"""Key pairs that sign requests, buckets and their objects."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

# Keys of objects are listed in the order of their bytes, whatever the language of the database.
BY_BYTES = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "key_pair",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("revoked_at", sa.Text),
    )
    op.create_index("key_pair_by_person", "key_pair", ["person", "created_at"])
    op.create_table(
        "bucket",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_table(
        "bucket_object",
        sa.Column("bucket", sa.Text, primary_key=True),
        sa.Column("key", BY_BYTES, primary_key=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("pieces", sa.Text, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Text, nullable=False),
    )
    op.create_table(
        "upload",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("key", BY_BYTES, nullable=False),
        sa.Column("headers", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("begun_at", sa.Text, nullable=False),
    )
    op.create_table(
        "upload_part",
        sa.Column("upload", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("etag", sa.Text, nullable=False),
        sa.Column("checksums", sa.Text, nullable=False),
        sa.Column("stored_at", sa.Text, nullable=False),
    )
