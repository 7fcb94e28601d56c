"""What hybridvit sees in a file, before anything is made of it: for bug reports, and for trust.

`inspect_file` reads as `read_photo` does, and beside it looks at what the file says of itself, so that both can be
compared: what is stored, what is read, what of the metadata comes into the result and what does not.
"""

import io
import mmap
import os
import warnings
from pathlib import Path
from typing import Any

import pyvips
from PIL import ExifTags, Image, ImageCms, TiffTags

from hybridvit.photo import tiff_layout
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.encode import left_out
from hybridvit.photo.metadata import LAYOUT, read_parts
from hybridvit.photo.pages import open_page, pages_of
from hybridvit.photo.photo import Photo, read_photo
from hybridvit.photo.profile import space_of
from hybridvit.photo.record import read_record
from hybridvit.photo.tiff_layout import layout_of
from hybridvit.photo.tiff_pages import TiffEntry, tiff_entries
from hybridvit.photo.tiff_tags import Directory
from hybridvit.photo.vips import number_of, source_of, text_of

POINTERS = {tags.EXIF, tags.GPS, tags.INTEROPERABILITY}
COMPRESSIONS = tiff_layout.COMPRESSIONS | {
    **{
        1: "not compressed",
        2: "CCITT RLE",
        3: "CCITT T.4",
        4: "CCITT T.6",
        5: "LZW",
        8: "Deflate",
        32946: "Deflate",
    },
    **{32773: "PackBits", 34925: "LZMA", 50000: "ZSTD"},
}
PHOTOMETRICS = {0: "gray, white is 0", 1: "gray", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr"}
PHOTOMETRICS |= {8: "CIELab", 9: "ICCLab", 32803: "raw", 34892: "raw, linear"}
SAMPLES = {
    "uchar": "8 bit",
    "ushort": "16 bit",
    "short": "16 bit signed",
    "uint": "32 bit",
    "int": "32 bit signed",
}
SAMPLES |= {"float": "32 bit float", "double": "64 bit float", "char": "8 bit signed"}
MODELS = {"b-w": "gray", "grey16": "gray", "srgb": "RGB", "rgb": "RGB", "rgb16": "RGB", "scrgb": "linear RGB"}
ORIENTATION = 274
FILE_ALONE = (0xA001, 0xA002, 0xA003)  # colour space and size, of EXIF: they are written anew


def inspect_file(path: str | os.PathLike) -> dict[str, Any]:
    """What is in a file, as JSON can hold it.

    "file", "bytes", "format"; "pages", one an entry (see `_page`); "left_out": pictures that are no pages; "result":
    whether it is a result of hybridvit; "error" where it, or a page, is not read: one line, as the commands say it.
    """
    path = Path(path)
    seen: dict[str, Any] = {"file": os.fspath(path), "bytes": 0, "format": None, "pages": [], "left_out": []}
    try:
        seen["bytes"] = path.stat().st_size
        with path.open("rb") as file:
            pictures = tiff_entries(file)
        pages = pages_of(path)
        seen["left_out"] = [_left_out(one) for one in pictures if one not in pages]
        seen["format"] = "TIFF" if pictures else _format(path)
        seen["result"] = read_record(path) is not None
    except (OSError, ValueError) as error:
        return seen | {"error": _reason(error, path)}
    for page in pages or (None,):
        stored = _stored(path, page)
        try:
            seen["pages"].append(stored | _read(path, page, read_photo(path, page=page)))
        except (OSError, ValueError) as error:
            seen["pages"].append(stored | {"error": _reason(error, path)})
            seen["error"] = seen["pages"][-1]["error"]
    return seen


def _stored(path: Path, page: TiffEntry | None) -> dict[str, Any]:
    """What the file says of a page: "stored" and "compression", as far as its header is known."""
    if page is not None:
        return _stored_in_tiff(path, page)
    try:
        image = open_page(source_of(path), None)
    except pyvips.Error:
        return {"stored": _stored_by_pillow(path)}
    samples, model = str(image.format), str(image.interpretation)
    stored = {
        "width": image.width,
        "height": image.height,
        "samples": SAMPLES.get(samples, samples),
        "channels": image.bands,
        "model": MODELS.get(model, model),
        "orientation": number_of(image, "orientation", 1),
    }
    return {"stored": stored}


def _stored_in_tiff(path: Path, page: TiffEntry) -> dict[str, Any]:
    try:
        layout = layout_of(Directory(_directory(path, page)))
    except ValueError:
        return {"stored": None}
    depth = f"{layout.depth} bit" if layout.depth else f"{', '.join(map(str, layout.bits))} bit"
    stored = {
        "width": layout.width,
        "height": layout.height,
        "samples": depth + {"u": "", "i": " signed", "f": " float"}.get(layout.kind, " of an unknown kind"),
        "channels": layout.samples,
        "model": PHOTOMETRICS.get(layout.photometric, f"colours of kind {layout.photometric}"),
        "orientation": layout.orientation,
    }
    number = layout.compression
    return {"stored": stored, "compression": COMPRESSIONS.get(number, f"method {number}")}


def _stored_by_pillow(path: Path) -> dict[str, Any] | None:
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            return {
                "width": image.width,
                "height": image.height,
                "samples": image.mode,
                "channels": len(image.getbands()),
                "model": image.mode,
                "orientation": image.getexif().get(ORIENTATION, 1),
            }
    except Exception:  # whatever damaged files make decoders raise: reading them says what is wrong
        return None


def _read(path: Path, page: TiffEntry | None, photo: Photo) -> dict[str, Any]:
    """What is read of a page, and what comes of it into the result."""
    height, width, colors = photo.pixels.shape
    inside = photo.inside
    border = None
    if inside is not None:
        top, left, *size = inside
        border = {
            "above": top,
            "below": height - top - size[0],
            "left": left,
            "right": width - left - size[1],
        }
    kept, lost = _metadata(path, page, photo)
    return {
        "read": {
            "width": width,
            "height": height,
            "bits": photo.bits,
            "colors": "gray" if colors == 1 else "RGB",
            "alpha": photo.alpha is not None,
        },
        "profile": _profile(photo.icc),
        "dpi": photo.metadata.dpi and [round(value, 2) for value in photo.metadata.dpi],
        "kept": kept,
        "not_kept": lost,
        "border": border,
        "written_as": photo.format,
        "remarks": list(photo.remarks),
    }


def _metadata(path: Path, page: TiffEntry | None, photo: Photo) -> tuple[list[str], list[str]]:
    """Names of what is kept of the metadata, and of what is not; not of what describes the old file's layout."""
    metadata = photo.metadata
    kept = _names(metadata.exif.tags if metadata.exif else {})
    parts = {"XMP": metadata.xmp, "IPTC": metadata.iptc, "Photoshop's resources": metadata.resources}
    kept += [name for name, part in parts.items() if part]
    kept += [f"text {keyword}" for keyword, _ in metadata.texts]
    there = [name for found in _directories(path, page) for name in _names(found)]
    return sorted(set(kept)), sorted({*there} - {*kept}) + list(left_out(metadata, photo.format))


def _directories(path: Path, page: TiffEntry | None) -> list[dict]:
    """EXIF, as a TIFF's directory or in blocks, without what describes the old file's layout."""
    if page is not None:
        found = [_directory(path, page)]
    else:
        with path.open("rb") as file:
            parts = read_parts(file)
        found = []
        for block in parts.exif if parts else ():
            try:
                found.append(tags.read_directory(block.removeprefix(b"Exif\0\0")).tags)
            except ValueError:  # it is broken, and none of it is read
                continue
    return [{tag: value for tag, value in one.items() if tag not in LAYOUT} for one in found]


def _directory(path: Path, page: TiffEntry) -> dict:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return tags.read_directory(data, page.offset).tags
    except ValueError:
        return {}


def _names(found: dict, known: dict[int, str] | None = None) -> list[str]:
    """What the tags of a directory, and of those within it, are called."""
    names: list[str] = []
    for tag, value in found.items():
        if isinstance(value, dict):
            names += _names(value, ExifTags.GPSTAGS if tag == tags.GPS else None)
        elif tag not in (*POINTERS, *FILE_ALONE):
            name = (known or ExifTags.TAGS).get(tag) or TiffTags.lookup(tag).name
            names.append(name if name and name != "unknown" else f"tag {tag}")
    return names


def _profile(icc: bytes | None) -> dict[str, Any] | None:
    """Of the result: its name, and the space of its colours."""
    if icc is None:
        return None
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(icc))).strip()
    except (ImageCms.PyCMSError, OSError):
        name = "without a name"
    return {"name": name, "space": space_of(icc), "bytes": len(icc)}


def _left_out(picture: TiffEntry) -> dict[str, Any]:
    what = "mask" if picture.mask else "reduced copy" if picture.reduced else "copy or inner picture"
    return {"what": what, "width": picture.width, "height": picture.height}


def _format(path: Path) -> str | None:
    try:
        loader = text_of(open_page(source_of(path), None), "vips-loader")
        name = loader.removesuffix("_source").removesuffix("load").upper()
        return {"UHDR": "JPEG", "HEIF": "HEIF or AVIF"}.get(name, name)
    except pyvips.Error:
        pass
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path) as image:
            return image.format
    except Exception:  # see `_stored_by_pillow`
        return None


def _reason(error: Exception, path: Path) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.removeprefix(f"{path}: ").split())
