"""Cards are found by the model whose version they are about, versions by their last change; key pairs tell of their last use."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

# What clients ask for when they say nothing of the order.
BY_CHANGE = "CREATE INDEX version_by_change ON version (coalesce(modified_at, created_at), ref)"
CONTENTS = """
SELECT card.name, card_version.content FROM card
JOIN card_version ON card_version.card = card.name AND card_version.number = card.number
WHERE card_version.content LIKE '%model_package%'
"""


def upgrade() -> None:
    """Add the columns, and fill in what the cards that are there say."""
    op.add_column("card", sa.Column("of_model", sa.Text))
    op.create_index("card_by_model_said", "card", ["of_model", "name"])
    op.execute(BY_CHANGE)
    op.add_column("key_pair", sa.Column("used_at", sa.Text))
    connection = op.get_bind()
    put = sa.text("UPDATE card SET of_model = :model WHERE name = :name")
    for name, content in connection.execute(sa.text(CONTENTS)).all():
        if found := _model_said(json.loads(content)):
            connection.execute(put, {"name": name, "model": found})


def _model_said(content: dict[str, Any]) -> str | None:
    package = content.get("model_package_details") or {}
    if package.get("model_package_group_name"):
        return str(package["model_package_group_name"])
    group, slash, number = str(package.get("model_package_arn", "")).partition(":model-package/")[2].rpartition("/")
    return group if slash and number.isdigit() else None
