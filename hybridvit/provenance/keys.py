"""The key that content credentials are signed with, and the certificates that say whose it is.

What C2PA asks of them (technical specification 2.x, "X.509 Certificates") is checked before any picture is coloured, so
that a broken, foreign or expired one costs a line and not a night.
"""

import dataclasses
import datetime
import functools
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TEST = "test"  # instead of a file: a key made on the spot
PASSWORD = "HYBRIDVIT_KEY_PASSWORD"  # the environment's variable, of an encrypted key
TEST_NAME = "hybridvit test key, which proves nothing"
TEST_ORGANIZATION = "TEST, no institution"
DAYS = 30  # that a test certificate is good for
LEAST_RSA = 2048  # bits
CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}  # -> C2PA's name of the algorithm
PURPOSES = {  # one of them is what a certificate has to be for
    ExtendedKeyUsageOID.EMAIL_PROTECTION,
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # signing of documents
    x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1"),  # C2PA's own
}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclasses.dataclass(frozen=True)
class SigningKey:
    """A private key and its certificate chain.

    Attributes:
      key: PEM, PKCS #8, not encrypted; for this process alone.
      chain: PEM, the key's own certificate first, each one's issuer after it.
      algorithm: C2PA's name of it.
      name: whose it is, for people.
      fingerprint: SHA-256 of its own certificate, in hex; "test" of a test key, as all of them count as one.
    """

    key: bytes = dataclasses.field(repr=False)
    chain: bytes
    algorithm: str
    name: str
    fingerprint: str

    @property
    def is_test(self) -> bool:
        """Whether it was made on the spot, and proves nothing."""
        return self.fingerprint == TEST


def load_signing_key(path: str | os.PathLike, certificate: str | os.PathLike | None = None) -> SigningKey:
    """The key in a PEM file, and the chain in the file `certificate`, or in the same one.

    An encrypted key is opened by the environment's HYBRIDVIT_KEY_PASSWORD.

    Raises:
      OSError: a file cannot be read.
      ValueError: no key, no certificate, not of one another, out of its time, or not fit for C2PA; one line.
    """
    key = _load_key(path)
    where = certificate or path
    try:
        found = x509.load_pem_x509_certificates(Path(where).read_bytes())
    except ValueError:
        more = "" if certificate else "; the chain may stand in the key's file, or be named by --certificate"
        raise ValueError(f"{where}: no certificate in PEM is there{more}") from None
    public = _public_bytes(key)
    own = next((one for one in found if _spki(one) == public), None)
    if own is None:
        raise ValueError(f"{where}: none of its certificates is of the key in {path}")
    chain = _chain_of(own, found)
    for one in chain:
        _check_time(where, one)
    _check_fit(where, own)
    name = _named(own)
    return SigningKey(
        _pem_of_key(key), _pem(chain), _algorithm(path, key), name, own.fingerprint(hashes.SHA256()).hex()
    )


def read_anchors(path: str | os.PathLike) -> str:
    """Certificates in PEM, of authorities that are trusted. Raises OSError, or ValueError if there are none."""
    data = Path(path).read_bytes()
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError:
        raise ValueError(f"{path}: no certificate in PEM is there") from None
    return _pem(found).decode()


def make_test_key() -> SigningKey:
    """A key, and certificates that say that they are for tests; those of others would not trust them."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name(f"{TEST_NAME} (issuer)")
    root = _certificate(issuer, issuer, root_key, root_key)
    own = _certificate(_name(TEST_NAME), issuer, key, root_key)
    return SigningKey(_pem_of_key(key), _pem([own, root]), "es256", _named(own), TEST)


def _load_key(path: str | os.PathLike) -> PrivateKey:
    data = Path(path).read_bytes()
    password = os.environ.get(PASSWORD)
    load = functools.partial(serialization.load_pem_private_key, data)
    try:
        key = load(None)
    except TypeError:  # it is encrypted
        if not password:
            raise ValueError(f"{path}: the key is encrypted: give its password as {PASSWORD}") from None
        try:
            key = load(password.encode())
        except ValueError:
            raise ValueError(f"{path}: {PASSWORD} does not open this key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(f"{path}: no private key in PEM is there") from None
    _algorithm(path, key)
    return key


def _algorithm(path: str | os.PathLike, key: PrivateKey) -> str:
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in CURVES:
        return CURVES[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= LEAST_RSA:
        return "ps256"
    raise ValueError(
        f"{path}: C2PA does not sign with such a key: one of P-256, P-384, P-521, Ed25519, or RSA of {LEAST_RSA} "
        "bits or more is needed"
    )


def _chain_of(own: x509.Certificate, found: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Each followed by its issuer, as far as it is there."""
    chain = [own]
    while True:
        last = chain[-1]
        issuer = next((one for one in found if one not in chain and _is_issuer(one, last)), None)
        if issuer is None:
            return chain
        chain.append(issuer)


def _is_issuer(one: x509.Certificate, other: x509.Certificate) -> bool:
    try:
        other.verify_directly_issued_by(one)
    except Exception:  # of several kinds, one for each way not to be
        return False
    return True


def _check_time(where: str | os.PathLike, one: x509.Certificate) -> None:
    now = datetime.datetime.now(datetime.UTC)
    if now > one.not_valid_after_utc:
        raise ValueError(
            f"{where}: the certificate of {_named(one)} expired on {one.not_valid_after_utc:%Y-%m-%d}"
        )
    if now < one.not_valid_before_utc:
        raise ValueError(
            f"{where}: the certificate of {_named(one)} begins on {one.not_valid_before_utc:%Y-%m-%d} only"
        )


def _check_fit(where: str | os.PathLike, own: x509.Certificate) -> None:
    if own.issuer == own.subject:
        raise ValueError(f"{where}: C2PA takes no self-signed certificate: have an authority issue one")
    extensions = {type(one.value): one.value for one in own.extensions}
    basic, usage = extensions.get(x509.BasicConstraints), extensions.get(x509.KeyUsage)
    if basic is not None and basic.ca:
        raise ValueError(
            f"{where}: the certificate of {_named(own)} is an authority's, not for signing pictures"
        )
    if usage is None or not usage.digital_signature:
        raise ValueError(
            f"{where}: the certificate of {_named(own)} is not for digital signatures (its key usage)"
        )
    if not PURPOSES & set(extensions.get(x509.ExtendedKeyUsage, ())):
        raise ValueError(
            f"{where}: the certificate of {_named(own)} is for none of C2PA's purposes "
            "(its extended key usage: C2PA signing, document signing or email protection)"
        )


def _named(one: x509.Certificate) -> str:
    texts = [
        str(name.value)
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for name in one.subject.get_attributes_for_oid(kind)
    ]
    return ", ".join(texts) or one.subject.rfc4514_string()


def _spki(one: x509.Certificate) -> bytes:
    return one.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _public_bytes(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _pem_of_key(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(chain: Sequence[x509.Certificate]) -> bytes:
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain)


def _name(common: str) -> x509.Name:
    pairs = ((NameOID.ORGANIZATION_NAME, TEST_ORGANIZATION), (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(*pair) for pair in pairs])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, issuer_key: PrivateKey
) -> x509.Certificate:
    is_root = subject == issuer
    now = datetime.datetime.now(datetime.UTC)
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
    )
    usage = dict.fromkeys((*names, "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
    usage |= {"key_cert_sign": is_root, "crl_sign": is_root, "digital_signature": not is_root}
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
