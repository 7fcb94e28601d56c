#!/usr/bin/env bash
# LittleCMS 2.19 makes a table of 33 steps of a gray profile's curve and interpolates in it, unless told not to optimize:
# of linear gray (gamma 1.0), dark tones come out wrong by 10 of 255 in Pillow 12.3.0's ImageCms and by 2.7 L* in libvips
# 8.18.7's icc_import of 16 bits. With ImageCms.Flags.NOOPTIMIZE it is right to the rounding.
# Seen: Pillow, of 255: 9.7, without optimizing 0.5; libvips, L*: 2.8
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7 Pillow==12.3.0 numpy
"$folder/env/bin/python" - <<'PYTHON'
import io
import struct

import numpy as np
import pyvips
from PIL import Image, ImageCms

white = struct.pack(">3i", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
tags = {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"gray\0" + b"\0" * 79, b"cprt": b"text\0\0\0\0none\0\0\0\0"}
tags |= {b"wtpt": b"XYZ \0\0\0\0" + white, b"kTRC": b"curv\0\0\0\0" + struct.pack(">IHH", 1, 256, 0)}
table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
for name, value in tags.items():
    table += name + struct.pack(">II", start + len(body), len(value))
    body += value
head = struct.pack(">I4xI4s4s4s12s4s28x", start + len(body), 0x02100000, b"mntr", b"GRAY", b"XYZ ", b"\0" * 12, b"acsp")
icc = (head + white).ljust(128, b"\0") + table + body

light = np.arange(256) / 255
expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-9) ** (1 / 2.4) - 0.055) * 255
gray = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
apart = {}
for name, flags in (("Pillow", ImageCms.Flags.NONE), ("without optimizing", ImageCms.Flags.NOOPTIMIZE)):
    profiles = ImageCms.ImageCmsProfile(io.BytesIO(icc)), ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(*profiles, "L", "RGB", flags=flags)
    found = np.asarray(ImageCms.applyTransform(gray, transform))[..., 0].ravel()
    apart[name] = round(float(np.abs(found - expected).max()), 1)
codes = np.arange(65536, dtype=np.uint16).reshape(256, 256)
image = pyvips.Image.new_from_array(codes).copy(interpretation="grey16")
image.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
found = image.icc_import(embedded=True, intent="relative", pcs="lab").numpy()[..., 0]
light = codes / 65535
lightness = np.where(light > 216 / 24389, 116 * np.cbrt(light) - 16, 24389 / 27 * light)
apart["libvips, L*"] = round(float(np.abs(found - lightness).max()), 1)
print(apart)
assert apart["Pillow"] > 5 and apart["without optimizing"] <= 0.6 and apart["libvips, L*"] > 1, "LittleCMS is otherwise now"
PYTHON
