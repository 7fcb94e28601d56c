#!/usr/bin/env bash
# libvips 8.18.7 (pyvips[binary]) reads TIFF of 16-bit floats rightly where the samples of a pixel lie together, and without
# an error wrongly where each has a plane of its own (PlanarConfiguration 2). Planes of 32-bit floats are right.
# Seen: largest difference of 1: {'half, together': 0.0, 'half, planes': 0.98, 'single, planes': 0.0}
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

rgb = (np.arange(48 * 64 * 3).reshape(48, 64, 3) * 7 % 1000 / 1000).astype(np.float16)
found = {}
for name, dtype, planes in (("half, together", "f2", False), ("half, planes", "f2", True), ("single, planes", "f4", True)):
    pixels = rgb.astype(dtype)
    how = {"planarconfig": "separate"} if planes else {}
    tifffile.imwrite(f"{name}.tif", np.moveaxis(pixels, -1, 0) if planes else pixels, photometric="rgb", metadata=None, **how)
    read = pyvips.Image.new_from_file(f"{name}.tif").numpy()
    found[name] = float(np.abs(read - rgb.astype(np.float32)).max())
print("largest difference of 1:", found)
assert found["half, together"] == found["single, planes"] == 0 and found["half, planes"] > 0.3, "libvips is otherwise now"
PYTHON
