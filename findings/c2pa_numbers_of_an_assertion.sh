#!/usr/bin/env bash
# c2pa-python 0.38.1 signs a list of numbers in a JSON assertion as it is, and reads it (Reader.json, detailed_json) as a
# base64 text of those that are whole and fit a byte; the others are lost. A colour of two CIE units, [20.5, -30.0], is "".
# Seen: {'signed as it is': True, 'json': {'ab': '', 'rgb': 'AQID'}, 'detailed_json': {'ab': '', 'rgb': 'AQID'}}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check c2pa-python==0.38.1
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import datetime
import io
import json

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

NOW, DAY = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"
ACTIONS = {"actions": [{"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE}]}
CLAIM = {
    "claim_generator_info": [{"name": "finding"}],
    "assertions": [
        {"label": "c2pa.actions.v2", "data": ACTIONS},
        {"label": "org.example.colours", "kind": "Json", "data": {"ab": [20.5, -30.0], "rgb": [1, 2, 3]}},
    ],
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
    stored = c2pa.Builder(CLAIM).sign(signer, form, io.BytesIO(data), target)
    assert c2pa.Reader(form, io.BytesIO(target.getvalue())).get_validation_state() == "Valid"
    return target.getvalue(), stored


picture = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>'
data, stored = signed(picture, "image/svg+xml")
reader = c2pa.Reader("image/svg+xml", io.BytesIO(data))
(simple,) = [
    one["data"]
    for one in reader.get_active_manifest()["assertions"]
    if one["label"] == "org.example.colours"
]
store = json.loads(reader.detailed_json())
detailed = store["manifests"][store["active_manifest"]]["assertion_store"]["org.example.colours"]
seen = {"signed as it is": b"[20.5,-30.0]" in stored, "json": simple, "detailed_json": detailed}
print(seen)
lost = {"ab": "", "rgb": "AQID"}
expected = {"signed as it is": True, "json": lost, "detailed_json": lost}
assert seen == expected, "c2pa-python behaves otherwise now"
PYTHON
