#!/usr/bin/env bash
# c2pa-python 0.38.1 signs a TIFF of several pages by a directory of its own behind the last page's, in the same chain,
# which has no ImageWidth: what counts or checks all pages stops there. Pillow 12.3.0's n_frames raises a TypeError, libvips
# 8.18 by fail_on="error" reads no page at all. Of a TIFF of one page the credentials are a tag of its own directory.
# Seen: {1: ('1 frames', 'read'), 2: ('TypeError', 'not read')}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check c2pa-python==0.38.1 "pyvips[binary]==3.2.0" numpy \
    Pillow==12.3.0 tifffile==2026.3.3
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import datetime
import io


import c2pa
import numpy as np
import pyvips
import tifffile
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

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


def seen_by_pillow(data):
    try:
        return f"{Image.open(io.BytesIO(data)).n_frames} frames"
    except Exception as error:
        return type(error).__name__


def seen_by_libvips(data):
    try:
        pyvips.Image.new_from_buffer(data, "", fail_on="error").numpy()
        return "read"
    except pyvips.Error:
        return "not read"


seen = {}
for count in (1, 2):
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as tiff:
        for _ in range(count):
            tiff.write(np.zeros((16, 16, 3), np.uint8), photometric="rgb", metadata=None)
    data = file.getvalue()
    assert (seen_by_pillow(data), seen_by_libvips(data)) == (f"{count} frames", "read")
    data = signed(data, "image/tiff")
    seen[count] = seen_by_pillow(data), seen_by_libvips(data)
print(seen)
assert seen == {1: ("1 frames", "read"), 2: ("TypeError", "not read")}, "one of them behaves otherwise now"
PYTHON
