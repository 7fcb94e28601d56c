import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from hybridvit.provenance.credentials import Signer
from hybridvit.provenance.keys import PASSWORD, load_signing_key, make_test_key
from tests.provenance.certificates import DAY, NOW, Museum, certify, pem_of

KEYS = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_c2pa_signs_with_keys_of_each_kind(algorithm, tmp_path):
    museum = Museum(tmp_path, KEYS[algorithm]())
    key = load_signing_key(museum.key_file, museum.chain_file)
    assert (key.algorithm, key.name, key.is_test) == (algorithm, "City Museum, City Museum GmbH", False)
    Signer(key)


def test_key_and_chain_may_be_one_file_in_any_order(tmp_path):
    museum = Museum(tmp_path)
    for i, parts in enumerate(((museum.key, museum.own, museum.root), (museum.root, museum.own, museum.key))):
        bundle = tmp_path / f"{i}.pem"
        bundle.write_bytes(pem_of(*parts))
        key = load_signing_key(bundle)
        assert x509.load_pem_x509_certificates(key.chain) == [museum.own, museum.root]
        Signer(key)


def test_certificates_of_others_are_no_part_of_the_chain(tmp_path):
    museum, other = Museum(tmp_path), Museum(tmp_path / "other")
    museum.chain_file.write_bytes(pem_of(other.root, other.own, museum.own, museum.root))
    key = load_signing_key(museum.key_file, museum.chain_file)
    assert x509.load_pem_x509_certificates(key.chain) == [museum.own, museum.root]


def test_an_encrypted_key_is_opened_by_its_password_alone(tmp_path, monkeypatch):
    museum = Museum(tmp_path)
    museum.key_file.write_bytes(pem_of(museum.key, password=b"sesame"))
    monkeypatch.delenv(PASSWORD, raising=False)
    with pytest.raises(ValueError, match=rf"key\.pem: the key is encrypted: give its password as {PASSWORD}"):
        load_signing_key(museum.key_file, museum.chain_file)
    monkeypatch.setenv(PASSWORD, "simsim")
    with pytest.raises(ValueError, match=r"does not open this key"):
        load_signing_key(museum.key_file, museum.chain_file)
    monkeypatch.setenv(PASSWORD, "sesame")
    key = load_signing_key(museum.key_file, museum.chain_file)
    assert serialization.load_pem_private_key(key.key, None).public_key() == museum.key.public_key()
    assert "PRIVATE" not in repr(key)


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ({"begin": NOW - 9 * DAY, "end": NOW - DAY}, f"City Museum GmbH expired on {NOW - DAY:%Y-%m-%d}"),
        ({"begin": NOW + DAY}, f"City Museum GmbH begins on {NOW + DAY:%Y-%m-%d} only"),
        ({"ca": True}, "is an authority's, not for signing pictures"),
        ({"usage": ("key_agreement",)}, "is not for digital signatures"),
        ({"purpose": None}, "is for none of C2PA's purposes"),
        ({"purpose": x509.oid.ExtendedKeyUsageOID.SERVER_AUTH}, "is for none of C2PA's purposes"),
    ],
)
def test_a_certificate_that_is_not_good_is_one_line(certificate, said, tmp_path):
    museum = Museum(tmp_path, **certificate)
    with pytest.raises(ValueError, match=r"^/") as error:
        load_signing_key(museum.key_file, museum.chain_file)
    assert said in str(error.value)
    assert str(error.value).startswith(str(museum.chain_file))
    assert "\n" not in str(error.value)


def test_an_expired_authority_is_told(tmp_path):
    museum = Museum(tmp_path)
    root = certify(
        "The Authority",
        museum.root_key,
        "The Authority",
        museum.root_key,
        ca=True,
        begin=NOW - 9 * DAY,
        end=NOW - DAY,
    )
    museum.chain_file.write_bytes(pem_of(museum.own, root))
    with pytest.raises(ValueError, match="certificate of The Authority, The Authority GmbH expired"):
        load_signing_key(museum.key_file, museum.chain_file)


def test_what_is_no_key_or_another_ones_is_one_line(tmp_path):
    museum, other = Museum(tmp_path), Museum(tmp_path / "other")
    weak, alone = tmp_path / "weak.pem", tmp_path / "alone.pem"
    weak.write_bytes(pem_of(ec.generate_private_key(ec.SECP256K1())))
    alone.write_bytes(pem_of(museum.key, certify("City Museum", museum.key, "City Museum", museum.key)))
    for key, chain, said in (
        (other.key_file, museum.chain_file, "none of its certificates is of the key"),
        (museum.chain_file, museum.chain_file, "no private key in PEM"),
        (museum.key_file, museum.key_file, "no certificate in PEM"),
        (museum.key_file, None, "the chain may stand in the key's file, or be named by --certificate"),
        (weak, museum.chain_file, "C2PA does not sign with such a key"),
        (alone, None, "C2PA takes no self-signed certificate"),
    ):
        with pytest.raises(ValueError, match=said) as error:
            load_signing_key(key, chain)
        assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError):
        load_signing_key(tmp_path / "missing.pem")


def test_a_test_key_says_so():
    key = make_test_key()
    own, issuer = x509.load_pem_x509_certificates(key.chain)
    assert key.is_test
    assert "which proves nothing" in own.subject.rfc4514_string()
    assert own.issuer == issuer.subject
    own.verify_directly_issued_by(issuer)
    assert make_test_key().chain != key.chain
    Signer(key)
