"""The life around cards (owners, comments, review requests, attachments, deletion), and webhooks."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# A version is deleted only together with its card, for which a row in card_deletion is written first.
SQLITE_GUARD = """
CREATE TRIGGER card_version_is_never_deleted BEFORE DELETE ON card_version
WHEN NOT EXISTS (SELECT 1 FROM card_deletion WHERE card = OLD.card)
BEGIN SELECT RAISE(ABORT, 'A version of a card is never changed.'); END
"""
POSTGRES_GUARD = """
CREATE FUNCTION card_version_goes_with_its_card() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM card_deletion WHERE card = OLD.card) THEN
    RAISE EXCEPTION 'A version of a card is never changed.';
  END IF;
  RETURN OLD;
END $$
"""
POSTGRES_TRIGGERS = (
    """
    CREATE TRIGGER card_version_is_kept BEFORE UPDATE OR TRUNCATE ON card_version
    FOR EACH STATEMENT EXECUTE FUNCTION card_version_is_kept()
    """,
    """
    CREATE TRIGGER card_version_goes_with_its_card BEFORE DELETE ON card_version
    FOR EACH ROW EXECUTE FUNCTION card_version_goes_with_its_card()
    """,
)


def upgrade() -> None:
    """Make the tables."""
    _owners_and_deletion()
    _comments()
    _requests_and_notices()
    _attachments()
    _webhooks()


def _owners_and_deletion() -> None:
    op.add_column("card", sa.Column("owner", sa.Text))
    op.execute("UPDATE card SET owner = created_by")
    op.create_index("card_by_owner", "card", ["owner", "name"])
    op.create_table("card_deletion", sa.Column("card", sa.Text, primary_key=True))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER card_version_is_never_deleted")
        op.execute(SQLITE_GUARD)
    else:
        op.execute("DROP TRIGGER card_version_is_kept ON card_version")
        op.execute(POSTGRES_GUARD)
        for statement in POSTGRES_TRIGGERS:
            op.execute(statement)


def _comments() -> None:
    op.create_table(
        "card_comment",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("thread", sa.Text, sa.ForeignKey("card_comment.id"), nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("resolved_at", sa.Text),
        sa.Column("resolved_by", sa.Text),
    )
    op.create_index("card_comment_by_thread", "card_comment", ["card", "thread", "id"])
    op.create_table(
        "card_comment_text",
        sa.Column("comment", sa.Text, sa.ForeignKey("card_comment.id"), primary_key=True),
        sa.Column("edition", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("mentions", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
    )


def _requests_and_notices() -> None:
    op.create_table(
        "card_review_request",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("reviewer", sa.Text, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("asked_at", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("answered_at", sa.Text),
        sa.Column("answered_number", sa.Integer),
    )
    op.create_index("card_review_request_by_card", "card_review_request", ["card", "id"])
    op.create_index("card_review_request_by_reviewer", "card_review_request", ["reviewer", "state", "id"])
    op.create_table(
        "card_notice",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("read_at", sa.Text),
    )
    op.create_index("card_notice_by_person", "card_notice", ["person", "id"])
    op.create_index("card_notice_by_card", "card_notice", ["card"])


def _attachments() -> None:
    op.create_table(
        "card_attachment",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("card", sa.Text, sa.ForeignKey("card.name"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("removed_at", sa.Text),
        sa.Column("removed_by", sa.Text),
        sa.Column("removed_number", sa.Integer),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("card_attachment_by_card", "card_attachment", ["card", "id"])


def _webhooks() -> None:
    op.create_table(
        "webhook",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("paused_until", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("removed_at", sa.Text),
    )
    op.create_table(
        "webhook_secret",
        sa.Column("webhook", sa.Text, sa.ForeignKey("webhook.name"), primary_key=True),
        sa.Column("generation", sa.Integer, primary_key=True),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("until", sa.Text),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("webhook", sa.Text, sa.ForeignKey("webhook.name"), nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("event_name", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("rounds", sa.Integer, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("last_at", sa.Text),
        sa.Column("last_status", sa.Integer),
        sa.Column("last_answer", sa.Text, nullable=False),
        sa.Column("last_error", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
    )
    op.create_index("webhook_delivery_by_webhook", "webhook_delivery", ["webhook", "created_at", "id"])
