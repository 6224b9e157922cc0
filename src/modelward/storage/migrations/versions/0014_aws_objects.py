"""What the registry keeps beside models and versions: stages, metadata, tags on things, deployables, training runs."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the tables."""
    _models_and_versions()
    _things_with_names()
    _cards()


def _models_and_versions() -> None:
    for name in ("particulars", "policy", "withdrawn_at"):
        op.add_column("model", sa.Column(name, sa.Text))
    op.add_column("model", sa.Column("single", sa.Boolean))
    for name in ("stage", "metadata", "particulars", "modified_at", "modified_by", "withdrawn_at"):
        op.add_column("version", sa.Column(name, sa.Text))
    op.create_index("model_by_age", "model", ["created_at", "name"])
    op.create_index("version_by_age", "version", ["created_at", "ref"])


def _things_with_names() -> None:
    op.create_table(
        "tag",
        sa.Column("thing", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "deployable",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("containers", sa.Text, nullable=False),
        sa.Column("particulars", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
    )
    op.create_index("deployable_by_age", "deployable", ["created_at", "name"])
    op.create_table(
        "training_run",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("artifact_uri", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("particulars", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("modified_at", sa.Text, nullable=False),
    )
    op.create_index("training_run_by_age", "training_run", ["created_at", "name"])
    op.create_index("training_run_by_artifact", "training_run", ["artifact_uri", "name"])


def _cards() -> None:
    op.create_table(
        "card_wording",
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "card_particulars",
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "card_delivery",
        sa.Column("export", sa.Text, primary_key=True),
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("artifact", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.UniqueConstraint("card", "name", name="card_delivery_name"),
    )
