"""Broken files and requests for the studio, the same for the same `random.Random`; what to complain of in answers."""

import copy
import dataclasses
import io
import itertools
import json
import lzma
import random
import struct
import urllib.parse
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import numpy as np
import pyvips
import tifffile
from PIL import Image

from hybridvit.photo import jpeg as photo_jpeg
from hybridvit.photo import png as photo_png
from hybridvit.photo import resources
from hybridvit.photo.gif import TRAILER
from hybridvit.photo.parts import Density
from hybridvit.photo.resources import Resource
from tests.photo.tiff_files import packed, tiff_of

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF)
TEXTS = (
    "",
    " ",
    "x",
    "0",
    "-1",
    "1",
    "1.5",
    "1e999",
    "nan",
    "inf",
    "0x10",
    "٣",
    "é",
    "\0",
    "%",
    "None",
    "9" * 400,
)
PATHS = (
    "..",
    "../..",
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..",
    ".",
    "photo.hints.json",
    "a" * 3000,
    "~",
    "C:",
)
VALUES = (
    None,
    True,
    -1,
    0,
    0.5,
    1e300,
    float("nan"),
    2**70,
    "",
    "#12345g",
    "#ff00ff",
    "é\0",
    "\ud800",
    [],
    {},
    [[]],
)


def pictures() -> dict[str, bytes]:
    """One sound file of each kind: name -> bytes."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 56, 4), np.uint8)
    rgba = Image.fromarray(noise)
    rgb, gray = rgba.convert("RGB"), rgba.convert("L")
    exif = Image.Exif()
    exif[274], exif[270], exif[0x8825] = 6, "a street, 1944", {1: "N"}
    found = {}
    for name, image, options in (
        ("rgba.png", rgba, {"dpi": (300, 300)}),
        ("palette.png", rgb.quantize(16), {"transparency": 0}),
        ("gray.jpg", gray, {"exif": exif}),
        ("progressive.jpg", rgb, {"progressive": True, "icc_profile": b"none" * 40}),
        ("cmyk.jpg", rgb.convert("CMYK"), {}),
        ("rgb.tif", rgb, {"compression": "tiff_lzw"}),
        ("rgba.webp", rgba, {"lossless": True}),
        ("rgb.webp", rgb, {"exif": exif}),
        ("rgb.avif", rgb, {}),
        ("palette.gif", rgb.quantize(8), {}),
        ("gray.bmp", gray, {}),
        ("rgb.ppm", rgb, {}),
        ("rgb.jp2", rgb, {}),
    ):
        file = io.BytesIO()
        form = {"jpg": "JPEG", "tif": "TIFF", "jp2": "JPEG2000"}.get(name.rpartition(".")[2])
        image.save(file, form or name.rpartition(".")[2].upper(), **options)
        found[name] = file.getvalue()
    for name, pixels, options in (
        ("deep.tif", noise[..., 0].astype(np.uint16) * 257, {"tile": (16, 16), "compression": "zlib"}),
        ("float.tif", noise[..., :3].astype(np.float32) / 255, {"photometric": "rgb"}),
    ):
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, **options)
        found[name] = file.getvalue()
    return found | _kinds(noise) | _paged(noise) | _rich(gray, exif)


def _kinds(noise: np.ndarray) -> dict[str, bytes]:
    """TIFF files that are read by `photo.tiff_samples`, one of each way, and a PNG that states its colours."""
    gray, rgb = noise[..., :1], noise[..., :3]
    floats = (rgb / 255).astype(np.float32)
    threes = {"t277": 3, "t262": 2}
    coded = io.BytesIO()
    Image.fromarray(gray[:16, :16, 0]).save(coded, "JPEG2000", no_jp2=True)
    lzw = io.BytesIO()
    Image.fromarray(gray[..., 0]).save(lzw, "TIFF", compression="tiff_lzw")
    with tifffile.TiffFile(io.BytesIO(lzw.getvalue())) as file:
        page = file.pages[0]
        strip = lzw.getvalue()[page.dataoffsets[0] :][: page.databytecounts[0]]
    height, width = gray.shape[:2]
    planes = [np.ascontiguousarray(floats[..., c]).tobytes() for c in range(3)]
    tiles = [zlib.compress(floats[y : y + 16, x : x + 16].tobytes()) for y in (0, 16) for x in (0, 16, 32)]
    lab, chrm = [rgb.tobytes()], struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
    four = {"t258": [8] * 4, "t277": 4, "t262": 2}
    found = {
        "packed.tif": tiff_of([packed(gray * 16, 12)], width, height, t258=12),
        "white.tif": tiff_of([packed(gray // 2, 7)], width, height, ">", t258=7, t262=0, t266=2),
        "infrared.tif": tiff_of([lzma.compress(noise.tobytes())], width, height, t259=34925, t338=0, **four),
        "multiplied.tif": tiff_of([noise.tobytes()], width, height, t338=1, **four),
        "lab.tif": tiff_of(lab, width, height, t258=[8] * 3, **threes | {"t262": 9, "t274": 6}),
        "chroma.tif": tiff_of(lab, width, height, t258=[8] * 3, **threes | {"t262": 6, "t530": [1, 1]}),
        "planes.tif": tiff_of(planes, width, height, t258=[32] * 3, t284=2, t339=[3] * 3, **threes),
        "tiles.tif": tiff_of(tiles, 48, 32, t258=[32] * 3, t259=8, t339=[3] * 3, t322=16, t323=16, **threes),
        "predicted.tif": tiff_of([strip], width // 2, height, t258=16, t259=5, t317=2),
        "coded.tif": tiff_of([coded.getvalue()], 16, 16, t259=34712),
    }
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    stated = file.getvalue()
    for name, data in ((b"cHRM", chrm), (b"gAMA", struct.pack(">I", 55_556))):
        chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        stated = stated[:33] + chunk + stated[33:]
    return found | {"stated.png": stated}


def _paged(noise: np.ndarray) -> dict[str, bytes]:
    """Files of several pictures: unlike pages, a preview above the photograph, a silent pyramid, frames, a gain map."""
    large, gray = noise[..., 0], {"photometric": "minisblack", "metadata": None}
    small = gray | {"subfiletype": 1}
    found = {}
    for name, pages in (
        ("pages.tif", [(large, gray), (large[:20].astype(np.uint16), gray | {"compression": "zlib"})]),
        ("below.tif", [(large[::4, ::4], small | {"subifds": 1}), (large, gray)]),
        ("pyramid.tif", [(large, gray), (large[::2, ::2], gray), (large[::4, ::4], gray)]),
    ):
        file = io.BytesIO()
        with tifffile.TiffWriter(file) as tiff:
            for pixels, options in pages:
                tiff.write(pixels, **options)
        found[name] = file.getvalue()
    frames = [Image.fromarray(noise[..., i]) for i in range(3)]
    for name in ("frames.png", "frames.webp", "frames.mpo"):
        file = io.BytesIO()
        frames[0].save(file, name.rpartition(".")[2].upper(), save_all=True, append_images=frames[1:])
        found[name] = file.getvalue()
    file = io.BytesIO()
    with tifffile.TiffWriter(file, bigtiff=True, byteorder=">") as tiff:
        for _ in range(2):
            tiff.write(
                noise, photometric="rgb", tile=(16, 16), compression="zlib", predictor=True, metadata=None
            )
    found["big.tif"] = file.getvalue()
    if pyvips.type_find("VipsOperation", "uhdrsave"):
        light = pyvips.Image.new_from_array((noise[..., :3] / 100).astype(np.float32))
        found["gain.jpg"] = light.copy(interpretation="scrgb").uhdrsave_buffer()
    return found


def _rich(gray: Image.Image, exif: Image.Exif) -> dict[str, bytes]:
    """Files with metadata of every form that is read."""
    block = exif.tobytes()
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    packet += b'<rdf:Description rdf:about="" xmlns:a="b:" a:c="d"/></rdf:RDF></x:xmpmeta>'
    records = b"\x1c\2\x50\0\2ab"
    kept = [Resource(b"8BIM", 0x0404, b"", records), Resource(b"8BIM", 0x03ED, b"", b"\1" * 16)]
    texts = (("Title", "a street"), ("Comment", "Łódź" * 300))
    added = photo_png.chunks(
        block[6:], packet, records, resources.pack(kept), texts, Density(3.0, 2.0, False)
    )
    found = {}
    for name, form in (
        ("rich.png", "PNG"),
        ("rich.jpg", "JPEG"),
        ("rich.gif", "GIF"),
        ("rich.jp2", "JPEG2000"),
    ):
        file = io.BytesIO()
        gray.save(file, form)
        found[name] = file.getvalue()
    found["rich.png"] = photo_png.with_chunks(found["rich.png"], added)
    segments = photo_jpeg.segments(block[6:], packet + b" " * 70_000, resources.pack(kept), texts, None)
    found["rich.jpg"] = photo_jpeg.with_segments(found["rich.jpg"], segments)
    found["rich.gif"] = found["rich.gif"][:-1] + b"!\xff\x0bXMP DataXMP" + packet + TRAILER + b"!\xfe\1c\0;"
    for name, data in (
        (b"JpgTiffExif->JP2", block[6:]),
        (bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), packet),
    ):
        found["rich.jp2"] += struct.pack(">I", 24 + len(data)) + b"uuid" + name + data
    return found


def broken_files(chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of files that began as pictures, each kind in turn."""
    sound = pictures()
    for name in itertools.islice(itertools.cycle(sound), count):
        data = bytearray(sound[name])
        for _ in range(chance.randint(1, 4)):
            data = damage(data, chance, sound)
        yield name if chance.random() < 0.8 else chance.choice((*TEXTS, *PATHS)), bytes(data)


def damage(data: bytearray, chance: random.Random, sound: Mapping[str, bytes]) -> bytearray:
    """The same with one thing changed, cut, put in, or taken from another of the sound files."""
    if not data:
        return data
    at, end = (chance.randrange(len(data)) for _ in range(2))
    early = chance.randrange(min(len(data), 160))  # where sizes and offsets stand
    match chance.randrange(8):
        case 0:
            data[at] ^= 1 << chance.randrange(8)
        case 1:
            for _ in range(chance.randint(2, 30)):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 2:
            return data[: chance.choice((at, early))]
        case 3:
            del data[min(at, end) : max(at, end)]
        case 4:
            number, order, form = chance.choice(NUMBERS), chance.choice("<>"), chance.choice("HI")
            packed = struct.pack(order + form, number & (0xFFFF if form == "H" else 0xFFFFFFFF))
            data[early : early + len(packed)] = packed
        case 5:
            data[at:at] = chance.randbytes(chance.randint(1, 300))
        case 6:
            return data[:at] + chance.choice(list(sound.values()))[at:]
        case 7:
            data[min(at, end) : max(at, end)] = bytes(abs(at - end))
    return data


@dataclasses.dataclass(frozen=True)
class Call:
    """A request."""

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, bytes]
    body: bytes

    def send(self, client: httpx.Client) -> httpx.Response:
        """The answer; nothing of the path is put straight."""
        url = self.path + ("?" + urllib.parse.urlencode(self.query, errors="replace") if self.query else "")
        headers = {"Host": client.base_url.netloc.decode(), **self.headers}
        request = client.build_request(self.method, "/", content=self.body, headers=headers)
        request.url = request.url.copy_with(raw_path=url.encode())
        return client.send(request)


def broken_calls(
    api: dict[str, Any], photos: Sequence[dict[str, Any]], chance: random.Random, count: int
) -> Iterator[Call]:
    """Requests that begin as ones of the OpenAPI document, each in turn, for photographs as GET shows them."""
    operations = [(method, path, one) for path, of in api["paths"].items() for method, one in of.items()]
    for method, path, operation in itertools.islice(itertools.cycle(operations), count):
        photo = chance.choice(photos)
        known = {
            **{"id": photo["id"], "what": chance.choice(("original", photo["revision"])), "seed": "7"},
            **dict.fromkeys(("level", "row", "column"), "0"),
            **{
                "x": "3.5",
                "y": "4",
                "revision": photo["revision"],
                "count": "2",
                "format": "png",
                "name": "a.jpg",
            },
        }
        wrong = chance.choice(("path", "query", "body", "header", "method", "all"))

        def value(name: str, kind: str, known: Mapping[str, str] = known, wrong: str = wrong) -> str:
            if wrong in (kind, "all") and chance.random() < 0.6:
                return chance.choice((*TEXTS, *PATHS, *known.values()))
            return known.get(name, "x")

        query = []
        for parameter in operation["parameters"]:
            name = parameter["name"]
            if parameter["in"] == "path":
                path = path.replace("{" + name + "}", _quoted(value(name, "path"), chance))
            elif parameter["in"] == "query" and not (wrong == "query" and chance.random() < 0.2):
                query += [(name, value(name, "query"))] * (1 + (wrong == "query" and chance.random() < 0.1))
        body = _body(operation, photo, chance, wrong in ("body", "all"))
        headers = _headers(chance) if wrong in ("header", "all") else {}
        method = chance.choice(METHODS) if wrong == "method" else method.upper()
        yield Call(method, path, query, headers, body if method in ("POST", "PUT", "PATCH") else b"")


def _quoted(text: str, chance: random.Random) -> str:
    return urllib.parse.quote(text, safe=chance.choice(("", "/.")), errors="replace")


def _headers(chance: random.Random) -> dict[str, bytes]:
    names = (
        "If-Match",
        "If-None-Match",
        "Range",
        "Accept",
        "Accept-Encoding",
        "Content-Type",
        "Cookie",
        "Authorization",
    )
    odd = (
        b"",
        b"*",
        b'"',
        b'W/"x',
        b"bytes=0-1,2-",
        b"bytes=9999999999-",
        b"\xff\xfe",
        b"x" * 2000,
        b",,,;q=x",
    )
    return {name: chance.choice(odd) for name in chance.sample(names, 2)}


def _body(operation: dict[str, Any], photo: dict[str, Any], chance: random.Random, wrong: bool) -> bytes:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/octet-stream" in content:
        name, data = next(broken_files(chance, 1))
        return data[:200] if wrong or len(name) > 3 else data
    sidecar = copy.deepcopy(photo["sidecar"])
    sidecar["hints"] = [
        {"type": "point", "x": 5, "y": 6, "color": "#2e6b3a"},
        {"type": "stroke", "points": [[1, 1], [9, 9.5]], "radius": 2, "color": [10, -20]},
        {"type": "region", "polygon": [[1, 1], [20, 2], [9, 19]], "color": "#806040"},
    ]
    schema = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    value: Any = {"Sidecar": sidecar, "Carry": {"to": [photo["id"]]}, "Save": {"format": "jpeg"}}.get(
        schema, {}
    )
    if not wrong:
        return json.dumps(value).encode()
    for _ in range(chance.randint(1, 3)):
        value = odd(value, chance)
    text = bytearray(json.dumps(value).encode())
    match chance.randrange(8):
        case 0:
            return bytes(text[: chance.randrange(len(text) + 1)])
        case 1:
            return b"[" * 100_000
        case 2:
            return chance.randbytes(300)
    return bytes(text)


def odd(value: Any, chance: random.Random) -> Any:
    """The same with one thing in it changed, removed or added."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        return chance.choice(VALUES)
    if isinstance(value, list):
        at = chance.randrange(len(value))
        changed = (
            [value[at]] * chance.choice((0, 2, 300)) if chance.random() < 0.3 else [odd(value[at], chance)]
        )
        return [*value[:at], *changed, *value[at + 1 :]]
    name = chance.choice(list(value))
    if chance.random() < 0.2:
        return {key: one for key, one in value.items() if key != name} | {chance.choice(TEXTS): 1}
    return {**value, name: odd(value[name], chance)}


def complaint(response: httpx.Response) -> str | None:
    """What is wrong with an answer, None if nothing is: 2xx, 3xx, or 4xx with {"error": one line}."""
    status = response.status_code
    if status >= 500:
        return f"{status} {response.text[:200]}"
    if status < 400 or response.request.method == "HEAD":
        return None
    try:
        (name, line), *_ = response.json().items()
    except ValueError:
        return f"{status} without JSON: {response.text[:200]}"
    if name != "error" or not isinstance(line, str) or not line.strip() or "\n" in line or len(line) > 2000:
        return f"{status} with {response.text[:200]}"
    return None
