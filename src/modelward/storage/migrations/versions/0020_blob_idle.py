"""Since when nothing refers to a blob: a collection deletes it only some days after that."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Make the table. The digests are bare, so that to be on this list is not to be referred to."""
    op.create_table(
        "blob_idle",
        sa.Column("hex", sa.Text, primary_key=True),
        sa.Column("since", sa.Text, nullable=False),
    )
