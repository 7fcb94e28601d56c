#!/usr/bin/env bash
# tifffile 2026.3.3 packs samples of 12 bits (bitspersample=12) of a big-endian file from numbers whose bytes are already
# exchanged: 1, 2, 3, 4095 are written, and read again, as 256, 512, 768, 3855. Packed samples have no byte order (TIFF 6.0).
# Seen: {'<': [1, 2, 3, 4095], '>': [256, 512, 768, 3855]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 imagecodecs==2026.3.6 numpy
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import tifffile

found = {}
for order in "<>":
    pixels = np.array([[1, 2, 3, 4095]], np.uint16)
    tifffile.imwrite("a.tif", pixels, photometric="minisblack", bitspersample=12, byteorder=order, metadata=None)
    found[order] = tifffile.imread("a.tif").ravel().tolist()
print(found)
assert found["<"] == [1, 2, 3, 4095] and found[">"] == [256, 512, 768, 3855], "tifffile behaves otherwise now"
PYTHON
