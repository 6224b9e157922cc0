"""The secrets of key pairs: each is made from one key in a file and the pair's id, so that none of them is stored."""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from modelward.kernel.errors import Unavailable

SECRET_BYTES = 30
KEY_BYTES = 32


class Keyring:
    """Makes the secret of a key pair whenever it is needed. The file is made at first use (mode 0600)."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._key = b""

    def secret_of(self, pair: str) -> str:
        """The secret of a pair: 40 characters, from 240 bits that only who has the file can find.

        Raises:
            Unavailable: the file cannot be read or made.
        """
        drawn = hmac.new(self._master(), b"key pair\0" + pair.encode(), hashlib.sha256).digest()
        return base64.b64encode(drawn[:SECRET_BYTES]).decode()

    def _master(self) -> bytes:
        if not self._key:
            try:
                self._key = self._read() if self._file.exists() else self._make()
            except OSError as problem:
                raise self._broken(problem.strerror or str(problem)) from problem
        return self._key

    def _read(self) -> bytes:
        text = self._file.read_text().strip()
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) < KEY_BYTES:
            raise self._broken(f"it does not hold {KEY_BYTES} bytes in hexadecimal digits")
        return key

    def _make(self) -> bytes:
        drawn = secrets.token_hex(KEY_BYTES)
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(drawn + "\n")
                file.flush()
                os.fsync(file.fileno())
            # Of two servers that begin at once, one makes the key and both read it.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, self._file)
        finally:
            temporary.unlink(missing_ok=True)
        return self._read()

    def _broken(self, why: str) -> Unavailable:
        return Unavailable(
            f"The file {self._file}, from which the secrets of key pairs are made, cannot be used: {why}.",
            field="key_pairs_file",
            hint="Put the file back from a backup; with a new one, all key pairs must be made anew.",
        )
