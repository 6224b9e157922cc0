"""Write the script that makes a new SQLite database from what the migrations make."""

import sys
import tempfile
from pathlib import Path

from modelward.storage.database import Database
from modelward.storage.migrations import whole
from modelward.storage.migrations.upgrade import run


def main() -> int:
    """Migrate an empty database and keep its schema."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.in_folder(Path(folder))
        database.write(run)
        whole.SCRIPT.write_text(database.read(whole.told))
        database.close()
    print(f"{whole.SCRIPT.name} has {len(list(whole.statements(whole.SCRIPT.read_text())))} statements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
