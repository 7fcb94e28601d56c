#!/usr/bin/env bash
# libvips 8.18.7 (pyvips[binary]) divides colours by associated alpha (TIFF's ExtraSamples 1) as it reads. Of unsigned samples
# of 32 bits what comes out counts to 255 and not to 4294967295 as the type does and as without alpha: it is all black, and
# transparency is as if it were cut off.
# Seen: colour 0.6 at transparency 0.5: {8: [152, 127], 16: [39320, 32767], 32: [153, 255]}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7 tifffile==2026.3.3 numpy
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import pyvips
import tifffile

found = {}
for bits in (8, 16, 32):
    top = 2**bits - 1
    pixels = np.full((16, 16, 4), top * 0.3, np.float64)  # 0.6 at half transparency
    pixels[..., 3] = top * 0.5
    how = {"photometric": "rgb", "extrasamples": ["assocalpha"], "metadata": None}
    tifffile.imwrite(f"{bits}.tif", pixels.astype(f"u{bits // 8}"), **how)
    read = pyvips.Image.new_from_file(f"{bits}.tif").numpy()
    assert read.dtype == f"u{bits // 8}"
    found[bits] = [int(value) for value in read[0, 0, 2:]]
print(found)
assert found[8] == [152, 127] and found[16] == [39320, 32767] and found[32] == [153, 255], "libvips is otherwise now"
PYTHON
