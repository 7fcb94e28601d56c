#!/usr/bin/env bash
# Pillow 12.3.0 opens uncompressed TIFF whose colours lie in planes of 16 bits (PlanarConfiguration 2), and reads their bytes
# as if they were samples of 8 bits: no error, no picture. The same planes compressed are right, and so are planes of 8 bits.
# Seen: largest difference of 255: {'8 bits': 0, '16 bits': 253, '16 bits, Deflate': 1}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check Pillow==12.3.0 tifffile==2026.3.3 numpy
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import tifffile
from PIL import Image

rgb = np.arange(48 * 64 * 3, dtype=np.uint32).reshape(48, 64, 3) * 7 % 65536
found = {}
for name, pixels, how in (
    ("8 bits", (rgb >> 8).astype(np.uint8), {}),
    ("16 bits", rgb.astype(np.uint16), {}),
    ("16 bits, Deflate", rgb.astype(np.uint16), {"compression": "zlib"}),
):
    tifffile.imwrite("a.tif", np.moveaxis(pixels, -1, 0), photometric="rgb", planarconfig="separate", metadata=None, **how)
    apart = np.abs(np.asarray(Image.open("a.tif")).astype(int) - (rgb >> 8))
    found[name] = int(apart.max())
print("largest difference of 255:", found)
assert found["8 bits"] == 0 and found["16 bits"] > 100 and found["16 bits, Deflate"] <= 1, "Pillow behaves otherwise now"
PYTHON
