"""What a reading leaves out: counted, and the first few told."""

SHOWN_MAX = 5


class LeftOut:
    """Records that were left out so far. It fills while batches are read, and is complete after the last."""

    def __init__(self, count: int = 0, notes: tuple[str, ...] = ()) -> None:
        """Begin with what is known before the first batch."""
        self.count = count
        self._notes = list(notes)

    def add(self, note: str) -> None:
        """Count a record; ``note`` says which and why."""
        self.count += 1
        if len(self._notes) < SHOWN_MAX:
            self._notes.append(note)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was told, and how many records it does not tell of."""
        more = self.count - len(self._notes)
        last = (f"... and {more} more {'record was' if more == 1 else 'records were'} left out.",) if more > 0 else ()
        return (*self._notes, *last)
