#!/usr/bin/env bash
# Pillow 12.3.0 reads colours of JPEG 2000 with more than 8 bits as 8, and the whitest of them, from 65408 of 65535 on, as 0:
# it adds a half before it cuts off the lower bits, and the sum of 256 does not fit. Gray of 16 bits is right.
# Seen: {0: 0, 128: 1, 65407: 255, 65408: 0, 65535: 0}; gray {65535: 65535}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check Pillow==12.3.0 imagecodecs==2026.3.6 numpy
"$folder/env/bin/python" - <<'PYTHON'
import io

import imagecodecs
import numpy as np
from PIL import Image


def read(value: int, shape: tuple[int, ...]) -> int:
    coded = imagecodecs.jpeg2k_encode(np.full(shape, value, np.uint16), level=0, reversible=True, codecformat="jp2")
    assert (imagecodecs.jpeg2k_decode(coded) == value).all()
    (found,) = np.unique(np.asarray(Image.open(io.BytesIO(coded))))
    return int(found)


colours = {value: read(value, (32, 32, 3)) for value in (0, 128, 65407, 65408, 65535)}
gray = {65535: read(65535, (32, 32))}
print(colours, "gray", gray)
assert colours[65407] == 255 and colours[65408] == colours[65535] == 0 and gray[65535] == 65535, "it is otherwise now"
PYTHON
