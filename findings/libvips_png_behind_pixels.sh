#!/usr/bin/env bash
# libvips 8.18.7 (pyvips[binary]) does not see metadata that stand behind the pixels of a PNG, where the standard allows
# them (eXIf and texts: anywhere between IHDR and IEND) and where programs that add them to a finished file put them: the
# picture is not turned upright by its EXIF, and its XMP and texts are lost. Pillow 12.3.0 and ExifTool see all three.
# Seen: libvips {'orientation': None, 'xmp': False, 'texts': []}, Pillow (6, True, 'an author')
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7 Pillow==12.3.0
"$folder/env/bin/python" - <<'PYTHON'
import io
import struct
import zlib

import pyvips
from PIL import Image

file = io.BytesIO()
Image.new("L", (8, 4), 100).save(file, "PNG")
exif = Image.Exif()
exif[0x0112] = 6
packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'
chunks = [(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")), (b"tEXt", b"Author\0an author")]
chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))


def with_chunks(place: bytes) -> bytes:
    data = file.getvalue()
    at = data.index(place) - 4
    more = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    return data[:at] + b"".join(more) + data[at:]


def by_libvips(data: bytes, access: str) -> dict:
    image = pyvips.Image.new_from_buffer(data, "", access=access)
    image.copy_memory()
    fields = image.get_fields()
    texts = [image.get(name) for name in fields if name.startswith("png-comment")]
    return {"orientation": image.get("orientation") if "orientation" in fields else None, "xmp": "xmp-data" in fields, "texts": texts}


before, behind = with_chunks(b"IDAT"), with_chunks(b"IEND")
assert by_libvips(before, "random") == {"orientation": 6, "xmp": True, "texts": ["an author"]}
for access in ("random", "sequential"):
    seen = by_libvips(behind, access)
    print("libvips", access, seen)
    assert seen == {"orientation": None, "xmp": False, "texts": []}, "libvips behaves otherwise now"
image = Image.open(io.BytesIO(behind))
image.load()
print("Pillow", (image.getexif().get(0x0112), "xmp" in image.info, image.text.get("Author")))
PYTHON
