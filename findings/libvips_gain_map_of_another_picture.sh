#!/usr/bin/env bash
# libvips 8.18.7 (pyvips[binary]) keeps the gain map of an Ultra HDR JPEG as metadata and writes it again by itself with
# whatever the pixels have become, here with other colours: the file is Ultra HDR again, and on a screen of high dynamic
# range the new picture is lit by the old one's map. By its documentation jpegsave writes JPEG; nothing says so in the call.
# Seen: read by uhdrload, written by jpegsave, read again by uhdrload; the gain map is the same: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7 numpy
cd "$folder"
"$folder/env/bin/python" - <<'PYTHON'
import numpy as np
import pyvips

light = np.linspace(0, 2, 96 * 64 * 3, dtype=np.float32).reshape(64, 96, 3)
pyvips.Image.new_from_array(light).copy(interpretation="scrgb").uhdrsave("hdr.jpg")
read = pyvips.Image.new_from_file("hdr.jpg")
loader = read.get("vips-loader")
(read * [0.2, 0.5, 1.0]).cast("uchar").jpegsave("other.jpg")
again = pyvips.Image.new_from_file("other.jpg")
maps = [pyvips.Image.jpegload_buffer(bytes(one.get("gainmap-data"))).numpy() for one in (read, again)]
same = maps[0].shape == maps[1].shape and int(np.abs(maps[0].astype(int) - maps[1]).max()) <= 2
print(f"read by {loader}, written by jpegsave, read again by {again.get('vips-loader')}; the gain map is the same: {same}")
assert loader == again.get("vips-loader") == "uhdrload" and same, "libvips behaves otherwise now"
PYTHON
