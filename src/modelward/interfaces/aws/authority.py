"""A certificate authority of our own for AWS host names, made at first use. It can sign for no other names."""

import contextlib
import os
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from modelward.kernel.errors import Unavailable

NAMES = ("amazonaws.com", "amazonaws.com.cn")
AUTHORITY_DAYS = 3650
LEAF_DAYS = 30
CONTEXTS_MAX = 256


class Authority:
    """Signs certificates for AWS host names, for programs that were told to trust this authority."""

    def __init__(self, folder: Path) -> None:
        """Open the authority in a folder, or make it there.

        Raises:
            Unavailable: the folder cannot be used, or the package cryptography is missing.
        """
        self._x509 = _loaded()
        self.file, self._key_file = folder / "ca.pem", folder / "ca-key.pem"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not (self.file.exists() and self._key_file.exists()):
                self._make()
            self._certificate = self._x509.load_pem_x509_certificate(self.file.read_bytes())
            self._key = _read_key(self._key_file.read_bytes())
        except (OSError, ValueError) as problem:
            raise Unavailable(
                f"The certificate authority in {folder} cannot be used: {problem}.",
                hint="Mend the folder's owner and mode, or remove it: a new authority is made then.",
            ) from problem
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, host: str) -> ssl.SSLContext:
        """What a server needs to show itself as ``host``."""
        found = self._contexts.get(host)
        if found is None:
            if len(self._contexts) >= CONTEXTS_MAX:
                self._contexts.clear()
            found = self._contexts[host] = self._made_for(host)
        return found

    def _make(self) -> None:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        x509 = self._x509
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(x509, "Modelward proxy authority")
        now = datetime.now(UTC)
        permitted = [x509.DNSName(each) for each in NAMES]
        usage = _usage(x509, signs_certificates=True)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        _write_private(self._key_file, _pem(key), mode=0o600)
        _write_private(self.file, _pem(made), mode=0o644)

    def _made_for(self, host: str) -> ssl.SSLContext:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        x509 = self._x509
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        authority_key: Any = self._key.public_key()
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(x509, host[:64]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=LEAF_DAYS))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(x509, signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        # The library reads certificates from files only.
        with tempfile.TemporaryDirectory(prefix="modelward-") as folder:
            file = Path(folder) / "leaf.pem"
            _write_private(file, _pem(key) + _pem(made), mode=0o600)
            context.load_cert_chain(file)
        return context


def _loaded() -> Any:
    try:
        from cryptography import x509
    except ModuleNotFoundError as problem:
        raise Unavailable(
            "The proxy needs the package cryptography, which is not installed.", hint="pip install 'modelward[aws]'"
        ) from problem
    return x509


def _name(x509: Any, text: str) -> Any:
    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])


def _usage(x509: Any, *, signs_certificates: bool) -> Any:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(thing: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    if hasattr(thing, "private_bytes"):
        written: bytes = thing.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return written
    certificate: bytes = thing.public_bytes(serialization.Encoding.PEM)
    return certificate


def _read_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem, password=None)


def _write_private(file: Path, content: bytes, *, mode: int) -> None:
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    temporary.replace(file)
