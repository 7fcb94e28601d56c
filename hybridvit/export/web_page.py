"""The studio's page as a folder for any web server, which colours by itself: its files, and what takes it offline.

The page is the studio's own, told by a `<meta>` that nobody but itself answers it. A service worker keeps what is in
the folder, by the digests that are written here; a manifest and icons let it be installed. Sources: W3C "Service
Workers Nightly", "Web Application Manifest", "Content Security Policy Level 3".
"""

import base64
import hashlib
import json
import pathlib
import shutil
import tempfile
from typing import Any

from PIL import Image, ImageDraw

import hybridvit
from hybridvit.export.web_model import BUILDS, RUNTIME_FILES, write_model
from hybridvit.inference.weights import Weights
from hybridvit.version import VERSION

STATIC = pathlib.Path(hybridvit.__file__).parent / "studio" / "static"
LEFT_OUT = (
    "review.html",
    "js/review",
    "css/review.css",
    "js/local/service_worker.js",
)  # no use, or another place
SERVICE_WORKER = "service_worker.js"
PRECACHE = "precache.js"
DESCRIPTION = "web.json"
EARLY = (
    2**20
)  # bytes: larger files are kept once the page has loaded them, with a bar that shows how far it is
POLICY = (  # 'wasm-unsafe-eval' lets WebAssembly be compiled, and no script from a text
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"
)
_HEAD = """    <meta http-equiv="Content-Security-Policy" content="{policy}">
    <meta name="hybridvit-backend" content="local">
    <meta name="referrer" content="no-referrer">
    <meta name="description" content="Colours old photographs, on this device alone.">
    <meta name="theme-color" content="#242424">
    <link rel="manifest" href="manifest.webmanifest">
    <link rel="apple-touch-icon" href="icon-192.png">
"""
_CHARSET = '    <meta charset="utf-8">\n'
_REVIEW = '        <a class="button" href="review.html" data-testid="to-review">Review</a>\n'
_NO_SCRIPT = "This page needs JavaScript; it is served by the studio itself and works without the internet."
_NO_SCRIPT_HERE = (
    "This page needs JavaScript: it colours photographs on this device, and sends nothing anywhere."
)
_GROUND, _GRAY, _ORANGE = "#242424", "#a6a6a6", "#e0803a"  # of icon.svg
_SMOOTH = 4  # times the icon's size that it is drawn at


def save_web_page(weights: Weights, folder: pathlib.Path) -> dict[str, int]:
    """Writes the whole page with its model into a folder, which is made; the folder appears whole or not at all.

    Returns the bytes that a first visit loads, by what runs the model (the keys of `BUILDS`). Raises
    ModuleNotFoundError, ValueError and OSError as `write_model`.
    """
    with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=".") as scratch:
        made = pathlib.Path(scratch, "page")
        made.mkdir()
        write_model(weights, made)
        write_page(made)
        if folder.exists():
            folder.rmdir()  # it is empty
        made.rename(folder)
    whole = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    sizes = {name: (folder / "ort" / name).stat().st_size for name in RUNTIME_FILES}
    large = {how: sum(sizes[name] for name in names if sizes[name] > EARLY) for how, names in BUILDS.items()}
    return {how: whole - sum(large.values()) + large[how] for how in BUILDS}


def write_page(folder: pathlib.Path) -> None:
    """Writes the page beside what lies in the folder already: the model, and what runs it.

    Files of its names are replaced. Raises OSError if it cannot be written.
    """
    for source in sorted(STATIC.rglob("*")):
        name = source.relative_to(STATIC).as_posix()
        if source.is_dir() or name.startswith(LEFT_OUT):
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    shutil.copyfile(STATIC / "js/local/service_worker.js", folder / SERVICE_WORKER)
    (folder / "index.html").write_text(local_page((STATIC / "index.html").read_text("utf-8")), "utf-8")
    for size in (192, 512):
        draw_icon(size).save(folder / f"icon-{size}.png", optimize=True)
    draw_icon(512, whole=True).save(folder / "icon-maskable.png", optimize=True)
    (folder / "manifest.webmanifest").write_text(json.dumps(_manifest(), indent=1), "utf-8")
    (folder / DESCRIPTION).write_text(json.dumps({"version": VERSION}), "utf-8")
    (folder / PRECACHE).write_text(_precache(folder), "utf-8")


def local_page(page: str) -> str:
    """The studio's index.html as one that nobody but itself answers."""
    for old, new in (
        (_CHARSET, _CHARSET + _HEAD.format(policy=POLICY)),
        (_REVIEW, ""),
        (_NO_SCRIPT, _NO_SCRIPT_HERE),
    ):
        if page.count(old) != 1:
            raise ValueError(f"index.html has {old.strip()!r} {page.count(old)} times, not once")
        page = page.replace(old, new)
    return page


def draw_icon(size: int, whole: bool = False) -> Image.Image:
    """icon.svg at `size` px; `whole`: to the edges, and smaller within, for systems that cut a shape out of it."""
    side = size * _SMOOTH
    image = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(image)
    unit = side / 32
    draw.rounded_rectangle((0, 0, side - 1, side - 1), 0 if whole else 7 * unit, _GROUND)
    radius = (8 if whole else 10) * unit
    circle = (side / 2 - radius, side / 2 - radius, side / 2 + radius, side / 2 + radius)
    draw.pieslice(circle, 90, 270, _GRAY)
    draw.pieslice(circle, -90, 90, _ORANGE)
    return image.resize((size, size), Image.Resampling.BOX)


def _manifest() -> dict[str, Any]:
    icons = [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}]
    icons += [
        {"src": f"icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)
    ]
    icons += [{"src": "icon-maskable.png", "sizes": "512x512", "type": "image/png", "purpose": "maskable"}]
    return {
        "name": "hybridvit Studio",
        "short_name": "hybridvit",
        "description": "Colours old photographs, on this device alone.",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": _GROUND,
        "theme_color": _GROUND,
        "icons": icons,
    }


def _precache(folder: pathlib.Path) -> str:
    files = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() or name in (SERVICE_WORKER, PRECACHE) or name.startswith("."):
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        files[name] = [base64.b64encode(digest).decode(), path.stat().st_size <= EARLY]
    return f"self.POLICY = {json.dumps(POLICY)};\nself.FILES = {json.dumps(files, indent=1)};\n"
