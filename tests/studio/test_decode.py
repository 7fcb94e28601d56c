"""The same photographs and the same errors as `read_photo`; and files, and decoders, that do harm."""

import concurrent.futures
import dataclasses
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from hybridvit.photo.photo import read_photo
from hybridvit.studio import decode
from hybridvit.studio.decode import decode_photo, warm_up_decoder

MOST = 100_000_000  # px


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Temporary files lie here, to see that none stays."""
    monkeypatch.setattr(tempfile, "tempdir", os.fspath(tmp_path))
    return tmp_path


def picture(name, folder):
    """A file of that name, of random pixels."""
    rng, path = np.random.default_rng(len(name)), folder / name
    if name == "gray16.tif":
        tifffile.imwrite(path, rng.integers(0, 65536, (31, 17), np.uint16), description="Lodz 1944")
    elif name == "float.tif":
        tifffile.imwrite(path, rng.random((31, 17, 3), np.float32), photometric="rgb")
    else:
        pixels = rng.integers(0, 256, (31, 17, 4), np.uint8)
        exif = Image.Exif()
        exif[274], exif[270] = 6, "upright"
        shown = pixels if name.endswith("png") else pixels[..., :3]
        Image.fromarray(shown).save(path, dpi=(300, 200), exif=exif)
    return path


@pytest.mark.parametrize(
    "name", ["rgba.png", "rgb.jpg", "gray16.tif", "float.tif", "odd name\n.webp", "b.bmp", "a.avif"]
)
def test_as_read_photo(folder, name):
    path = picture(name, folder)
    expected, photo = read_photo(path), decode_photo(path, MOST)
    for field in dataclasses.fields(expected):
        there, here = getattr(expected, field.name), getattr(photo, field.name)
        if isinstance(there, np.ndarray):
            assert here.dtype == there.dtype
            np.testing.assert_array_equal(here, there)
        else:
            assert here == there, field.name
    photo.pixels[:] = 0  # private memory, as that of any array
    assert list(folder.iterdir()) == [path]


def fault(call, *args) -> tuple[type, str]:
    with pytest.raises((OSError, ValueError)) as caught:
        call(*args)
    return caught.type, str(caught.value)


@pytest.mark.parametrize("name", ["missing.jpg", "empty.jpg", "text.jpg", "cut.png", "big.png", "folder"])
def test_its_errors_too(folder, monkeypatch, name):
    monkeypatch.chdir(folder)  # names are as they were given
    if name == "folder":
        (folder / name).mkdir()
    elif name == "big.png":
        Image.new("L", (1001, 1000)).save(name)
    elif name == "cut.png":
        whole = picture("whole.png", folder).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])
    elif name != "missing.jpg":
        (folder / name).write_bytes(b"once upon a time" * (name == "text.jpg"))
    assert fault(decode_photo, name, 1_000_000) == fault(read_photo, name, 1_000_000)


@pytest.mark.skipif(sys.platform != "linux", reason="the system bounds no address space")
@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_a_bomb_meets_the_limit(folder, monkeypatch, suffix):
    bomb = folder / f"bomb.{suffix}"
    Image.new("L", (12_000, 12_000)).save(
        bomb, **({"compression": "tiff_deflate"} if suffix == "tif" else {})
    )
    monkeypatch.setattr(decode, "_memory", lambda max_pixels: 250 * 2**20)
    _, said = fault(decode_photo, bomb, 200_000_000)
    assert said == f"{bomb}: needs more than 250 MB to be decoded: reduce it first"


def test_the_limit_leaves_room_for_the_largest_photograph():
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert decode._memory(1) > 2**30
    assert decode._memory(10**12) <= max(2**30, physical // 2)


@pytest.mark.skipif(os.name != "posix", reason="no named pipes")
def test_what_never_ends_is_ended(folder, monkeypatch):
    os.mkfifo(folder / "endless.jpg")  # opening it waits for a writer
    monkeypatch.setattr(decode, "SECONDS", 0.3)
    began = time.monotonic()
    _, said = fault(decode_photo, folder / "endless.jpg", 1)
    assert said.startswith(f"{folder}/endless.jpg: cannot be decoded: damaged, or it needs more")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("script", ["import os; os.abort()", "", "import sys; sys.exit(1)"])
def test_a_decoder_that_crashes(folder, monkeypatch, script):
    def start() -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        )

    monkeypatch.setattr(decode, "_start", start)
    monkeypatch.setattr(decode, "_spare", [])
    _, said = fault(decode_photo, picture("a.jpg", folder), MOST)
    assert "cannot be decoded" in said
    for child in decode._spare:
        child.communicate()


SOUND = {
    "bits": 8,
    "format": "png",
    "icc": None,
    "remarks": [],
    "xmp": None,
    "iptc": None,
    "dpi": None,
    "aspect": None,
    "resources": [],
    "texts": [],
}
SOUND |= {"exif": None, "pixels": [[1, 1, 3], "|u1"], "alpha": None}


@pytest.mark.parametrize(
    "said",
    [
        pickle.dumps({"pixels": 1}),
        b"[" * 100_000,
        *(
            json.dumps(SOUND | wrong).encode()
            for wrong in (
                {"pixels": [[10**6, 10**6, 3], "|u1"]},  # more than the file of the pixels has
                {"pixels": [[1, 1, 3], "|O"]},
                {"icc": "?"},
                {"exif": {"tags": {"x": 1}, "order": "<", "note_at": None}},
                {"more": 1},
            )
        ),
    ],
)
def test_a_decoder_that_was_taken_over_cannot_reach_the_server(folder, said):
    (folder / "pixels").write_bytes(bytes(3))
    (folder / "rest").write_bytes(json.dumps(SOUND).encode())
    assert decode._collect(folder / "a.jpg", folder).pixels.shape == (1, 1, 3)
    (folder / "rest").write_bytes(said)
    with pytest.raises(ValueError, match=r"^\S+a\.jpg: .+$"):
        decode._collect(folder / "a.jpg", folder)


def test_several_at_once_while_the_waiting_process_has_died(folder):
    paths = [picture(name, folder) for name in ("a.jpg", "bb.jpg", "ccc.png", "dddd.webp")]
    warm_up_decoder()
    decode._spare[0].kill()
    decode._spare[0].wait()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        photos = list(pool.map(decode_photo, paths, [MOST] * 4))
    for path, photo in zip(paths, photos, strict=True):
        np.testing.assert_array_equal(photo.pixels, read_photo(path).pixels)


def ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")  # of what nobody has asked for its exit code yet
    return state.exists() and ") Z " in state.read_text()


@pytest.mark.skipif(os.name != "posix", reason="process groups")
def test_the_waiting_process_ends_with_the_server_and_not_by_ctrl_c():
    script = (
        "import os, signal, time\nfrom hybridvit.studio import decode\n"
        "decode.warm_up_decoder(); child = decode._spare[0]\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN); os.killpg(0, signal.SIGINT); time.sleep(0.3)\n"
        "print(child.pid, child.poll(), flush=True); os._exit(0)"
    )
    server = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True, start_new_session=True
    )
    pid, alive = server.stdout.split()
    assert alive == "None"
    for _ in range(100):
        if ended(int(pid)):
            return
        time.sleep(0.1)
    os.kill(int(pid), signal.SIGKILL)
    pytest.fail("it stayed")


def test_no_jax_in_the_child():
    script = "import hybridvit.studio.decode_child, sys; print('jax' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
