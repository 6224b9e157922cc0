"""Until when an approval holds: the moment at which evidence that it rests on becomes too old."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

# The evidence under approvals that were given before this was kept.
OF_VERSIONS = """
UPDATE version SET approved_until = (
  SELECT min(bound.expires_at) FROM card_binding bound JOIN card ON card.name = bound.card
  WHERE card.version = version.ref AND card.status <> 'archived' AND bound.stale = ''
) WHERE status = 'approved'
"""
OF_ENDPOINTS = """
UPDATE endpoint SET approved_until = (SELECT version.approved_until FROM version WHERE version.ref = endpoint.version)
WHERE version_status = 'approved'
"""


def upgrade() -> None:
    """Add the columns and fill them for what is approved."""
    op.add_column("version", sa.Column("approved_until", sa.Text))
    op.add_column("endpoint", sa.Column("approved_until", sa.Text))
    op.execute(OF_VERSIONS)
    op.execute(OF_ENDPOINTS)
