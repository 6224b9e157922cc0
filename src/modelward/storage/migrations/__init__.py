"""How the schema came to be: one Alembic script per change, none ever edited after a release."""

from modelward.storage.migrations.upgrade import HEAD, upgrade

__all__ = ["HEAD", "upgrade"]
