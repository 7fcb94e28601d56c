#!/usr/bin/env bash
# libvips 8.18.7 (pyvips[binary]) reads TIFF with a gray channel and another one beside it (ExtraSamples: transparency or
# infrared) rightly where the samples of a pixel lie together, and without an error wrongly where each has a plane of its own
# (PlanarConfiguration 2), at 8 and 16 bits and as floats. Planes of RGB, with and without another channel, are right.
# Seen: share of samples that are right:
# {'gray and another, together': 1.0, 'gray and another, planes': 0.02, 'RGB, planes': 1.0, 'RGB and another, planes': 1.0}
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
for name, channels, photometric, planes in (
    ("gray and another, together", 2, "minisblack", False),
    ("gray and another, planes", 2, "minisblack", True),
    ("RGB, planes", 3, "rgb", True),
    ("RGB and another, planes", 4, "rgb", True),
):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 48, channels), np.uint8)
    extra = ["UNSPECIFIED"] * (channels % 2 == 0)
    how = {"photometric": photometric, "extrasamples": extra, "planarconfig": "separate" if planes else "contig"}
    stored = np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) if planes else pixels
    tifffile.imwrite(f"{name}.tif", stored, metadata=None, **how)
    assert np.array_equal(tifffile.imread(f"{name}.tif"), stored)
    read = pyvips.Image.new_from_file(f"{name}.tif").numpy()
    found[name] = round(float((read == pixels).mean()), 2)
print("share of samples that are right:", found)
wrong = found.pop("gray and another, planes")
assert wrong < 0.1 and set(found.values()) == {1.0}, "libvips is otherwise now"
PYTHON
