"""Alembic's entry: it works on the connection that ``upgrade`` hands over, inside that transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
