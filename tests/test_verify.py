"""`hybridvit verify` on results of `hybridvit colorize`, whose model is a stub; signatures by real keys."""

import json
import pathlib
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from hybridvit import verify
from hybridvit.colorize import command as colorize
from hybridvit.hints.frame import Crop, Frame
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.shapes import Point, Stroke
from hybridvit.hints.sidecar import Sidecar, recipe_to_json, save_hints
from hybridvit.photo.photo import read_photo, write_photo
from hybridvit.provenance import account
from tests.commands import SIZE, call, results, write_scans
from tests.provenance.certificates import Museum

HINTS = (Point(3, 4, "#2e6b3a", "catalogue no. 12"), Stroke(((1, 2), (5, 6)), 3, (20.0, -30.0)))


class Colorizer:
    """Tints, and says what a `Colorizer` with weights says."""

    digest = "5" * 64

    def colorize(self, photo, hints=(), **settings):
        rgb = np.repeat(photo.pixels[..., :1], 3, -1)
        rgb[..., 2] //= 2
        said = {"software": "hybridvit 9", "model": "small", "weights_sha256": self.digest}
        said |= recipe_to_json(Recipe(tuple(hints), frame=settings["frame"]))
        said |= {"settings": {"size": settings["size"]}}
        return SimpleNamespace(
            rgb=rgb, uncertainty=None, photo=photo, provenance=said, remarks=(), further=()
        )


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`run("colorize ...")` and `run("verify ...")` -> exit code, lines of stdout, lines of stderr."""
    monkeypatch.chdir(tmp_path)
    write_scans()
    save_hints("scans/a.hints.json", Sidecar(*SIZE, recipe=Recipe(HINTS)))
    stand_in = SimpleNamespace(load=lambda path: Colorizer())
    monkeypatch.setitem(sys.modules, "hybridvit.inference.colorizer", stand_in)
    mains = {"colorize": colorize.main, "verify": verify.main}

    def run(line: str) -> tuple[int, list[str], list[str]]:
        name, _, rest = line.partition(" ")
        return call(mains[name], rest, capsys)

    return run


@pytest.fixture
def museum(tmp_path) -> Museum:
    return Museum(tmp_path / "keys")


def test_an_unsigned_result_is_told_in_words(run):
    assert run("colorize scans --output out")[0] == 0
    code, out, _ = run("verify out/a.jpg --original scans/a.jpg")
    assert code == 0
    assert out[0] == "out/a.jpg"
    assert out[1] == "  coloured by hybridvit 9 with the weights small (SHA-256 5555555555555555...)"
    assert out[2].startswith("  original: a.jpg (SHA-256 ")
    assert out[2].endswith("...); scans/a.jpg is it")
    assert out[3:] == [
        "  evidence: 2 colours that a person gave",
        '    #2e6b3a at 3, 4, by "catalogue no. 12"',
        "    ab (20, -30) along a stroke from 1, 2, without a source",
        "  guesses: every other colour",
        "  lightness: the original's",
        "  signature: none; what is said above, anybody may have written",
        "  changed since: cannot be told; it is not signed",
    ]
    save_hints("scans/a.hints.json", Sidecar(*SIZE, recipe=Recipe(HINTS, frame=Frame(0, Crop(1, 0, 6, 5)))))
    assert run("colorize scans --output out")[0] == 0
    assert (
        "  frame: cropped to 6 x 5 px from 1, 0; places are those of the whole original"
        in run("verify out/a.jpg")[1]
    )
    code, out, _ = run("verify out/box/b.png")
    assert code == 0
    assert "  evidence: none; no colour was given by a person" in out
    assert "  guesses: every colour" in out


def test_a_signed_folder_against_its_originals(run, museum):
    key, chain, anchors = museum.key_file, museum.chain_file, museum.anchors_file
    code, out, _ = run(f"colorize scans --output out --sign {key} --certificate {chain}")
    assert (code, out) == (0, ["out: 2 coloured, signed by City Museum, City Museum GmbH"])
    assert results() == ["a.jpg", "box/b.png"]
    code, out, _ = run(f"verify out --trust {anchors}")
    assert code == 0
    signed = (
        "  signature: valid, by City Museum, City Museum GmbH; who that is, is vouched for by those you trust"
    )
    assert out.count(signed) == 2
    assert out.count("  changed since: no") == 2
    assert '    #2e6b3a at 3, 4, by "catalogue no. 12"' in out
    assert run("verify out/a.jpg")[1][-2].endswith("; who that is was not checked (--trust)")


def test_what_is_signed_is_done_and_what_another_key_signed_is_not(run, museum, tmp_path):
    sign = f"--sign {museum.key_file} --certificate {museum.chain_file}"
    other = Museum(tmp_path / "other")
    assert run("colorize scans --output out")[1] == ["out: 2 coloured"]
    assert run(f"colorize scans --output out {sign}")[1][0].startswith("out: 2 coloured, signed by")
    assert run(f"colorize scans --output out {sign}")[1][0].startswith("out: 0 coloured, 2 done already")
    again = f"colorize scans --output out --sign {other.key_file} --certificate {other.chain_file}"
    assert run(again)[1][0].startswith("out: 2 coloured")
    assert run("colorize scans --output test --sign test")[1][0].startswith(
        "test: 2 coloured, signed by a test key"
    )
    assert run("colorize scans --output test --sign test")[1][0].startswith(
        "test: 0 coloured, 2 done already"
    )


def test_a_test_key_is_told(run):
    run("colorize scans --output out --sign test")
    code, out, _ = run("verify out/a.jpg")
    assert code == 0
    assert out[-2].endswith("; a TEST KEY, which proves nothing")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--sign missing.pem", "missing.pem: No such file or directory"),
        ("--sign keys/chain.pem", "keys/chain.pem: no private key in PEM is there"),
        ("--sign keys/key.pem", "keys/key.pem: no certificate in PEM is there"),
        ("--sign keys/key.pem --certificate other/chain.pem", "none of its certificates is of the key"),
        ("--sign old/key.pem --certificate old/chain.pem", "City Museum GmbH expired on"),
        ("--certificate keys/chain.pem", "--certificate is of the key that --sign names"),
    ],
)
def test_a_bad_key_is_one_line_and_nothing_is_written(flags, said, run, museum, tmp_path):
    from tests.provenance.certificates import DAY, NOW

    Museum(tmp_path / "other")
    Museum(tmp_path / "old", begin=NOW - 9 * DAY, end=NOW - DAY)
    code, out, err = run(f"colorize scans --output out {flags}")
    assert (code, out, len(err)) == (2, [], 1)
    assert said in err[0]
    assert not pathlib.Path("out").exists()


def test_changes_after_signing_are_told_apart(run, museum):
    run(f"colorize scans --output out --sign {museum.key_file} --certificate {museum.chain_file}")
    shutil.copy("out/box/b.png", "pixels.png")
    content = bytearray(pathlib.Path("pixels.png").read_bytes())
    photo = read_photo("out/box/b.png")
    # The same pixels, another title: by a chunk behind the credentials
    at = content.rindex(b"IEND") - 4
    chunk = b"tEXt" + b"Title\0Harbour"
    import struct
    import zlib

    added = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    pathlib.Path("title.png").write_bytes(bytes(content[:at] + added + content[at:]))
    np.testing.assert_array_equal(read_photo("title.png").pixels, photo.pixels)
    # Other pixels, in the same chunks but for theirs
    start = content.index(b"IDAT") - 4
    (length,) = struct.unpack_from(">I", content, start)
    raw = bytearray(zlib.decompress(content[start + 8 : start + 8 + length]))
    raw[-1] ^= 8
    packed = b"IDAT" + zlib.compress(bytes(raw))
    new = struct.pack(">I", len(packed) - 4) + packed + struct.pack(">I", zlib.crc32(packed))
    pathlib.Path("pixels.png").write_bytes(bytes(content[:start] + new + content[start + 12 + length :]))
    code, out, _ = run("verify title.png")
    assert code == 1
    assert out[-3:] == [
        "  signature: not valid, by City Museum, City Museum GmbH; who that is was not checked (--trust)",
        "  changed since: its metadata, not its pixels",
        "  NOT AS IT SHOULD BE: its metadata was changed after it was signed",
    ]
    code, out, _ = run("verify pixels.png")
    assert code == 1
    assert out[-1] == "  NOT AS IT SHOULD BE: its pixels were changed after it was signed"


def test_another_original_or_signer_is_told(run, museum, tmp_path):
    run(f"colorize scans --output out --sign {museum.key_file} --certificate {museum.chain_file}")
    code, out, _ = run("verify out/a.jpg --original scans/box/b.png")
    assert code == 1
    assert (
        "  NOT AS IT SHOULD BE: scans/box/b.png is not the original that it is made of, or was changed since"
        in out
    )
    assert any(line.endswith("scans/box/b.png is NOT it") for line in out)
    other = Museum(tmp_path / "other")
    code, out, _ = run(f"verify out/a.jpg --trust {other.anchors_file}")
    assert code == 1
    assert out[-1] == "  NOT AS IT SHOULD BE: who signed it is none of those who are trusted"
    assert run("verify out --original scans")[0] == 0  # in folders as the originals
    pathlib.Path("scans/box/b.png").rename("scans/box/c.png")
    code, out, _ = run("verify out --original scans")
    assert code == 1
    missing = "the original scans/box/b.png cannot be compared (No such file or directory)"
    assert out[-1] == f"  NOT AS IT SHOULD BE: {missing}"


def test_nothing_known_is_said_so(run):
    code, out, _ = run("verify scans/a.jpg")
    assert (code, out) == (3, ["scans/a.jpg", "  nothing is known: it does not say how it came about"])
    pathlib.Path("a.txt").write_text("once upon a time")
    assert run("verify a.txt")[0] == 3
    assert run("verify scans/a.jpg --original scans/a.jpg")[0] == 1


def test_json_has_the_facts(run, museum):
    run(f"colorize scans --output out --sign {museum.key_file} --certificate {museum.chain_file}")
    code, out, _ = run(f"verify --json out/a.jpg scans/a.jpg --trust {museum.anchors_file}")
    first, second = json.loads("\n".join(out))
    assert code == 1  # the second is not signed, and signatures were asked for
    assert (first["known"], first["ours"], first["said_by"], first["changed"]) == (
        True,
        True,
        "signature",
        "no",
    )
    assert first["evidence"]["hints"] == json.loads(json.dumps(recipe_to_json(Recipe(HINTS))))["hints"]
    assert first["signature"]["trusted"] is True
    assert first["signature"]["actions"] == ["c2pa.opened", *["c2pa.color_adjustments"] * 2]
    assert first["said"]["model"] == "small"
    assert second["known"] is False
    assert second["trouble"] == ["it is not signed"]


def test_credentials_of_others_are_told(run, museum, tmp_path):
    from io import BytesIO

    import c2pa

    from hybridvit.provenance.credentials import Signer
    from hybridvit.provenance.keys import load_signing_key

    signer = Signer(load_signing_key(museum.key_file, museum.chain_file))
    builder = c2pa.Builder({"claim_generator_info": [{"name": "Camera", "version": "2"}], "title": "x"})
    builder.set_intent(c2pa.C2paBuilderIntent.CREATE, c2pa.C2paDigitalSourceType.DIGITAL_CAPTURE)
    target = BytesIO()
    builder.sign(signer._signer, "image/jpeg", BytesIO(pathlib.Path("scans/a.jpg").read_bytes()), target)
    pathlib.Path("camera.jpg").write_bytes(target.getvalue())
    code, out, _ = run("verify camera.jpg")
    assert code == 0
    assert out[1:3] == [
        "  no result of hybridvit; its credentials are made by Camera 2",
        "  done: c2pa.created",
    ]


def test_without_the_library_signatures_are_not_looked_at(run, monkeypatch):
    run("colorize scans --output out")
    find = account.importlib.util.find_spec
    monkeypatch.setattr(
        account.importlib.util, "find_spec", lambda name: None if name == "c2pa" else find(name)
    )
    code, out, _ = run("verify out/a.jpg")
    assert code == 0
    assert "  signature: not looked at: that needs c2pa-python (pip install 'hybridvit[c2pa]')" in out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("verify", "the following arguments are required: FILE"),
        ("verify nowhere", "nowhere: no such file or folder"),
        ("verify scans --original nowhere", "--original nowhere: no such file or folder"),
        ("verify scans --trust scans/a.jpg", "scans/a.jpg: no certificate in PEM is there"),
    ],
)
def test_mistakes_are_one_line(line, said, run):
    code, out, err = run(line)
    assert (code, out, len(err)) == (2, [], 1)
    assert said in err[0]


def test_what_is_said_in_xmp_may_be_anything(tmp_path):
    path = tmp_path / "a.png"
    gray = np.full((8, 8), 99, np.uint8)
    Image.fromarray(gray).save(tmp_path / "scan.png")
    said = {"software": "hybridvit 9", "hints": "[1, {", "palette": 3, "protected": "x", "source": "y"}
    write_photo(path, np.repeat(gray[..., None], 3, -1), read_photo(tmp_path / "scan.png"), said)
    found = account.account_of(path)
    assert found["known"]
    assert "\n".join(account.told(found))


def test_maps_of_doubt_are_no_pictures(tmp_path):
    path = tmp_path / "a.png"
    gray = np.full((8, 8), 99, np.uint8)
    Image.fromarray(gray).save(tmp_path / "scan.png")
    said = {"software": "hybridvit 9", "model": "small", "weights_sha256": "5" * 64, "shows": "doubt"}
    write_photo(path, np.repeat(gray[..., None], 3, -1), read_photo(tmp_path / "scan.png"), said)
    lines = account.told(account.account_of(path))
    assert lines[1].startswith("  no picture but a map of doubt; coloured by")
    assert not any("guesses" in line for line in lines)


def test_premis_is_written_for_what_is_done_too(run):
    assert run("colorize scans --output out")[0] == 0
    assert run("colorize scans --output out --premis")[1] == ["out: 0 coloured, 2 done already"]
    assert results() == ["a.jpg", "a.jpg.premis.xml", "box/b.png", "box/b.png.premis.xml"]
