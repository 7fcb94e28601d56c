"""Keys and certificates as an institution has them, made by the cryptography package alone, good or not."""

import datetime
import pathlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
USAGES += ("key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def name_of(text: str) -> x509.Name:
    pairs = ((NameOID.ORGANIZATION_NAME, f"{text} GmbH"), (NameOID.COMMON_NAME, text))
    return x509.Name([x509.NameAttribute(*pair) for pair in pairs])


def certify(
    name: str,
    key: Any,
    issuer: str,
    issuer_key: Any,
    *,
    ca: bool = False,
    begin: datetime.datetime = NOW - DAY,
    end: datetime.datetime = NOW + 9 * DAY,
    purpose: Any = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    usage: tuple[str, ...] = ("digital_signature",),
) -> x509.Certificate:
    used = dict.fromkeys(USAGES, False) | dict.fromkeys(("key_cert_sign", "crl_sign") if ca else usage, True)
    builder = (
        x509.CertificateBuilder(name_of(issuer), name_of(name), key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), True)
        .add_extension(x509.KeyUsage(**used), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    )
    if purpose is not None and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), False)
    return builder.sign(issuer_key, hashes.SHA256())


def pem_of(*items: Any, password: bytes | None = None) -> bytes:
    text = b""
    for item in items:
        if isinstance(item, x509.Certificate):
            text += item.public_bytes(serialization.Encoding.PEM)
        else:
            locked = (
                serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
            )
            text += item.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    return text


class Museum:
    """An authority, and a museum's key that it has certified; in files of a folder."""

    def __init__(self, folder: pathlib.Path, key: Any = None, **certificate: Any):
        folder.mkdir(parents=True, exist_ok=True)
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = certify("The Authority", self.root_key, "The Authority", self.root_key, ca=True)
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.own = certify("City Museum", self.key, "The Authority", self.root_key, **certificate)
        self.key_file, self.chain_file = folder / "key.pem", folder / "chain.pem"
        self.anchors_file = folder / "authority.pem"
        self.key_file.write_bytes(pem_of(self.key))
        self.chain_file.write_bytes(pem_of(self.own, self.root))
        self.anchors_file.write_bytes(pem_of(self.root))
