#!/usr/bin/env bash
# Pillow 12.3.0 scrambles uncompressed TIFF of one strip in a mode that it maps into memory (L, I;16, P, CMYK, RGBA) whose
# orientation is 5 to 8, when it is opened by its name: the mapped rows are taken to be as long as the picture is high.
# Opened as a file object, or compressed, the same picture is right.
# Seen: by name (4, 6) [20, 16, 12, 8, 4, 0], as a file (6, 4) [18, 12, 6, 0]; right: [False, True]
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

stored = np.arange(24, dtype=np.uint8).reshape(4, 6)
tifffile.imwrite("a.tif", stored, photometric="minisblack", metadata=None, extratags=[(274, 3, 1, 6, True)])
upright = np.rot90(stored, -1)
by_name = np.asarray(Image.open("a.tif"))
with open("a.tif", "rb") as file:
    as_file = np.asarray(Image.open(file))
print("by name", by_name.shape, by_name[0].tolist(), "as a file", as_file.shape, as_file[0].tolist())
right = [by_name.shape == upright.shape and (by_name == upright).all(), (as_file == upright).all()]
print("right:", [bool(one) for one in right])
assert right == [False, True], "Pillow behaves otherwise now"
PYTHON
