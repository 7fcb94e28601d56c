#!/usr/bin/env bash
# c2pa-python 0.38.1 signs an AVIF whose items are placed by their extents alone, beside bases (iloc's base_offset) of 0,
# as ISO/IEC 14496-12 allows, so that it is no picture any more: what is put before the items is added to base and extent
# both. With the same places written as bases the signed file is whole. It signs both, and finds both valid.
# Seen: {'by bases': 'read', 'by extents': 'not read'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check c2pa-python==0.38.1 "pyvips[binary]==3.2.0" numpy
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import datetime
import io
import struct

import c2pa
import numpy as np
import pyvips
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW, DAY = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
ACTIONS = {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]}
CLAIM = {
    "claim_generator_info": [{"name": "finding"}],
    "assertions": [{"label": "c2pa.actions.v2", "data": ACTIONS}],
}


def certificate(name, key, issuer, issuer_key, ca):
    names = [x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, one)]) for one in (issuer, name)]
    builder = x509.CertificateBuilder(*names, key.public_key(), x509.random_serial_number(), NOW - DAY, NOW + DAY)
    purpose = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
    for value, critical in (
        (x509.BasicConstraints(ca, None), True),
        (x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
        *(() if ca else ((purpose, False),)),
    ):
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def signed(data, form):
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = certificate("leaf", key, "root", root, False) + certificate("root", root, "root", root, True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    target = io.BytesIO()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, private, None))
    c2pa.Builder(CLAIM).sign(signer, form, io.BytesIO(data), target)
    assert c2pa.Reader(form, io.BytesIO(target.getvalue())).get_validation_state() == "Valid"
    return target.getvalue()


def placed(data, by_base):
    """The file, with the place of each item in its base or in its extent; the sum of both stays."""
    data, at = bytearray(data), data.index(b"iloc") + 4
    version, sizes, bases, count = struct.unpack_from(">B3xBBH", data, at)
    assert (version, sizes, bases) == (0, 0x44, 0x40)
    for entry in range(at + 12, at + 12 + 18 * count, 18):
        base, extents, offset = struct.unpack_from(">IHI", data, entry)
        assert extents == 1
        struct.pack_into(">IHI", data, entry, *((base + offset, 1, 0) if by_base else (0, 1, base + offset)))
    return bytes(data)


def read(data):
    try:
        return np.array_equal(pyvips.Image.new_from_buffer(data, "").numpy(), pixels) and "read"
    except pyvips.Error:
        return "not read"


picture = pyvips.Image.new_from_array(np.arange(3 * 64 * 64, dtype=np.uint8).reshape(64, 64, 3))
written = picture.heifsave_buffer(compression="av1")
pixels = pyvips.Image.new_from_buffer(written, "").numpy()
seen = {}
for name, by_base in (("by bases", True), ("by extents", False)):
    data = placed(written, by_base)
    assert read(data) == "read"  # before it is signed
    seen[name] = read(signed(data, "image/avif"))
print(seen)
assert seen == {"by bases": "read", "by extents": "not read"}, "c2pa-python behaves otherwise now"
PYTHON
