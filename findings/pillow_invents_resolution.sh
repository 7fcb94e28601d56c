#!/usr/bin/env bash
# Pillow 12.3.0 says a resolution of files that have none: 72 dpi of a JPEG whose EXIF does not mention one (by JFIF its
# unit is "none"), 1 dpi of a TIFF without the tags 282, 283 and 296. Without EXIF the same JPEG has no dpi, as documented.
# Seen: {'with EXIF': (72, 72), 'without EXIF': None, 'TIFF': (1, 1)}
# So a scan of unknown size becomes one of a known, wrong size when its dpi is written into another file.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check Pillow==12.3.0
"$folder/env/bin/python" - <<'PYTHON'
import io
import struct

from PIL import Image

exif = Image.Exif()
exif[0x013B] = "a photographer"
gray = Image.new("L", (8, 8), 100)
jpegs = {}
for name, how in (("with EXIF", {"exif": exif}), ("without EXIF", {})):
    file = io.BytesIO()
    gray.save(file, "JPEG", **how)
    assert b"JFIF\0\1\1\0" in file.getvalue()  # unit 0: none
    jpegs[name] = Image.open(io.BytesIO(file.getvalue())).info.get("dpi")

# The baseline tags of a gray TIFF, but no resolution
tags = [(256, 4, 8), (257, 4, 8), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 0), (277, 3, 1), (278, 4, 8), (279, 4, 64)]
start = 8 + 2 + 12 * len(tags) + 4
tags = [(tag, kind, start if tag == 273 else value) for tag, kind, value in tags]
entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
tiff = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + b"\0" * 4 + b"d" * 64
image = Image.open(io.BytesIO(tiff))
assert not {282, 283, 296} & set(image.tag_v2)
seen = {**jpegs, "TIFF": image.info.get("dpi")}
print(seen)
assert seen == {"with EXIF": (72, 72), "without EXIF": None, "TIFF": (1, 1)}, "Pillow behaves otherwise now"
PYTHON
