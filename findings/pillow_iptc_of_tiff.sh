#!/usr/bin/env bash
# Pillow 12.3.0 keeps four bytes of a TIFF's IPTC (tag 33723) where it is written as 32-bit numbers, as some programs do:
# of the numbers it takes the first, with a warning of "too many entries". As bytes the same records are kept whole.
# Seen: {'numbers': 5243420, 'bytes': b'\x1c\x02P\x00\x07Rehberg'}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check tifffile==2026.3.3 numpy Pillow==12.3.0
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import struct
import warnings

import numpy as np
import tifffile
from PIL import Image

warnings.simplefilter("ignore")
records = b"\x1c\2\x50\0\7Rehberg"  # 2:80, the photographer
numbers = struct.unpack("<3I", records)
kept = {}
for name, more in (("numbers", ("I", 3, numbers)), ("bytes", ("B", len(records), records))):
    tag = (33723, *more, True)
    tifffile.imwrite(f"{name}.tif", np.zeros((8, 8), np.uint8), photometric="minisblack", metadata=None, extratags=[tag])
    assert records in open(f"{name}.tif", "rb").read()
    kept[name] = Image.open(f"{name}.tif").tag_v2[33723]
print(kept)
assert kept["numbers"] == numbers[0] and bytes(kept["bytes"]) == records, "Pillow behaves otherwise now"
PYTHON
