#!/usr/bin/env bash
# libvips 8.18.7 (pyvips[binary]) takes TIFF's ResolutionUnit 1, "no absolute unit of measurement" (TIFF 6.0: for pictures
# with pixels that are not square), for pixels per millimetre: 300 becomes 7620 dpi, and is written so. And it writes its
# default of 1 px/mm where none is known, and a reader cannot tell it from one that is: PNG, TIFF and AVIF's EXIF.
# Seen: unit 1: 7620.0 dpi, written as 7620.0 dpi; of a new image: PNG (1000, 1000) per metre, TIFF and AVIF 25.4 dpi
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7 tifffile==2026.3.3 Pillow==12.3.0
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import struct

import numpy as np
import pyvips
import tifffile
from PIL import Image

gray = np.full((8, 8), 100, np.uint8)
tifffile.imwrite("unit.tif", gray, photometric="minisblack", resolution=(300, 300), resolutionunit=1, metadata=None)
read = pyvips.Image.new_from_file("unit.tif")
read.tiffsave("written.tif")
tags = tifffile.TiffFile("written.tif").pages[0].tags
written = tags[282].value[0] / tags[282].value[1], int(tags[296].value)
print("unit 1:", read.xres * 25.4, "dpi, written as", written[0], "per unit", written[1])
assert round(read.xres * 25.4) == 7620 and round(written[0]) == 7620 and written[1] == 2, "libvips behaves otherwise now"

new = pyvips.Image.new_from_array(np.dstack([gray] * 3)).copy(interpretation="srgb")
new.pngsave("new.png")
data = open("new.png", "rb").read()
png = struct.unpack(">IIB", data[data.index(b"pHYs") + 4 :][:9])
new.tiffsave("new.tif")
tags = tifffile.TiffFile("new.tif").pages[0].tags
tiff = tags[282].value[0] / tags[282].value[1], int(tags[296].value)
new.heifsave("new.avif", compression="av1")
exif = Image.open("new.avif").getexif()
avif = exif.get(282), exif.get(296)
print("of a new image: PNG", png, "TIFF", tiff, "AVIF", avif)
assert png == (1000, 1000, 1) and avif == (25.4, 2), "libvips behaves otherwise now"
assert (round(tiff[0], 3), tiff[1]) == (25.4, 2), "libvips behaves otherwise now"
PYTHON
