"""Signing what `write_photo` writes, checked by the library's own reader."""

import hashlib
import json
import pathlib

import c2pa
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from hybridvit.photo.photo import Photo, read_photo, read_provenance, write_photo
from hybridvit.photo.record import make_record, read_record
from hybridvit.provenance.claim import ACTIONS, BY_METHOD, BY_MODEL, BY_PERSON, DISCLOSURE, LABEL
from hybridvit.provenance.credentials import Signer, read_credentials
from hybridvit.provenance.keys import load_signing_key, make_test_key
from tests.provenance.certificates import Museum

GRAY = np.asarray(Image.fromarray(data.coffee()).convert("L"))[:90, :120]
SIGNED = {"jpeg": "a.jpg", "png": "a.png", "tiff": "a.tif", "webp": "a.webp", "avif": "a.avif"}
HINT = {"type": "point", "x": 3.0, "y": 4.0, "color": "#2e6b3a", "source": "catalogue no. 12"}
MODEL = {
    "software": "hybridvit 9",
    "model": "small",
    "weights_sha256": "5" * 64,
    "hints": [HINT],
    "palette": [],
}


@pytest.fixture(scope="module")
def museum(tmp_path_factory) -> Museum:
    return Museum(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def signer(museum) -> Signer:
    return Signer(load_signing_key(museum.key_file, museum.chain_file))


@pytest.fixture
def original(tmp_path, exif_block) -> pathlib.Path:
    path = tmp_path / "scan.tif"
    tags = [(315, 2, None, "A. Reader", True), (42112, 2, None, "kept", True)]
    tifffile.imwrite(
        path, GRAY, photometric="minisblack", metadata=None, resolution=(300, 300), extratags=tags
    )
    return path


def coloured(photo: Photo) -> np.ndarray:
    rgb = np.repeat(photo.pixels[..., :1], 3, -1)
    rgb[..., 2] //= 2
    return rgb


def write(
    original: pathlib.Path, path: pathlib.Path, signer: Signer | None = None, form=None, **more
) -> pathlib.Path:
    photo = read_photo(original)
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    said = MODEL | {"source": original.name} | make_record(digest).provenance() | more
    seal = signer and (lambda file: signer.seal(file, original, form or photo.format, path.name, said))
    write_photo(path, coloured(photo), photo, said, form, seal=seal)
    return path


@pytest.mark.parametrize("form", SIGNED)
def test_what_is_signed_is_the_same_picture_with_the_same_metadata(form, original, signer, museum, tmp_path):
    plain = write(original, tmp_path / f"plain-{SIGNED[form]}", None, form)
    signed = write(original, tmp_path / SIGNED[form], signer, form)
    one, other = read_photo(plain), read_photo(signed)
    np.testing.assert_array_equal(one.pixels, other.pixels)
    assert (one.metadata, one.icc, one.bits) == (other.metadata, other.icc, other.bits)
    assert read_record(signed) == read_record(plain) is not None
    assert read_provenance(signed) == read_provenance(plain)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        [original.name, plain.name, signed.name]
    )

    anchored = c2pa.Context.from_dict({"trust": {"trust_anchors": museum.anchors_file.read_text()}})
    with c2pa.Reader(signed, context=anchored) as reader:
        assert reader.get_validation_state() == "Trusted"
        manifest = reader.get_active_manifest()
    (ingredient,) = manifest["ingredients"]
    digest = hashlib.sha256(original.read_bytes()).hexdigest()
    assert (ingredient["title"], ingredient["relationship"]) == ("scan.tif", "parentOf")
    assert (ingredient["format"], ingredient["instance_id"]) == ("image/tiff", f"urn:sha256:{digest}")
    assert manifest["title"] == signed.name
    said = {one["label"]: one["data"] for one in manifest["assertions"]}
    actions = said[ACTIONS]["actions"]
    told = [(one["action"], one.get("digitalSourceType")) for one in actions]
    assert told[:3] == [
        ("c2pa.opened", None),
        ("c2pa.color_adjustments", BY_PERSON),
        ("c2pa.color_adjustments", BY_MODEL),
    ]
    assert told[3:] == ([] if form == "tiff" else [("c2pa.transcoded", None)])
    assert "ingredient" in actions[0]["parameters"]["ingredients"][0]["url"]
    assert said[DISCLOSURE]["modelName"] == "small"
    assert said[DISCLOSURE]["contentProfile"] == {"humanOversightLevel": "prompt_guided"}
    assert json.loads(said[LABEL]["hints"]) == [HINT]
    assert said[LABEL]["source_sha256"] == digest
    assert "test_key" not in said[LABEL]


def test_16_bits_are_signed_and_several_pages_refused(signer, tmp_path):
    deep, pages = tmp_path / "deep.tif", tmp_path / "pages.tif"
    tifffile.imwrite(deep, GRAY.astype(np.uint16) * 257, photometric="minisblack", metadata=None)
    path = write(deep, tmp_path / "a.tif", signer)
    np.testing.assert_array_equal(read_photo(path).pixels, coloured(read_photo(deep)))
    assert read_credentials(path).intact
    with tifffile.TiffWriter(pages) as tiff:
        for k in (1, 2):
            tiff.write(GRAY // k, photometric="minisblack", metadata=None)
    signer.check(read_photo(deep), "tiff")
    signer.check(read_photo(pages), "png")
    with pytest.raises(ValueError, match="a TIFF of several pages"):
        signer.check(read_photo(pages), "tiff")


def test_pixels_that_signing_would_change_are_noticed(original, signer, tmp_path, monkeypatch):
    sign = c2pa.Builder.sign

    def spoil(self, signer, form, source, target):
        sign(self, signer, form, source, target)
        target.seek(100)
        target.write(b"spoilt")

    monkeypatch.setattr(c2pa.Builder, "sign", spoil)
    with pytest.raises(ValueError, match=r"damaged|would change its pixels"):
        write(original, tmp_path / "a.tif", signer)
    assert [one.name for one in tmp_path.iterdir()] == ["scan.tif"]


def test_a_frame_is_an_action(original, signer, tmp_path):
    crop = {"x": 1, "y": 2, "width": 9, "height": 8}
    path = write(original, tmp_path / "out.tif", signer, frame={"turns": 1, "crop": crop})
    with c2pa.Reader(path) as reader:
        said = {one["label"]: one["data"] for one in reader.get_active_manifest()["assertions"]}
    told = {one["action"]: one.get("description") for one in said[ACTIONS]["actions"]}
    assert told["c2pa.cropped"] == "cropped to 9 x 8 px from 1, 2"
    assert told["c2pa.orientation"] == "turned clockwise by 90 degrees"


def test_a_method_is_no_trained_model(original, signer, tmp_path):
    said = {"software": "hybridvit 9", "method": "levin", "parameters_sha256": "1" * 64}
    said |= {"source": original.name} | make_record("ab" * 32).provenance()
    photo, path = read_photo(original), tmp_path / "a.tif"
    write_photo(
        path,
        coloured(photo),
        photo,
        said,
        seal=lambda file: signer.seal(file, original, "tiff", "a.tif", said),
    )
    with c2pa.Reader(path) as reader:
        found = {one["label"]: one["data"] for one in reader.get_active_manifest()["assertions"]}
    assert [one.get("digitalSourceType") for one in found[ACTIONS]["actions"]] == [None, BY_METHOD]
    assert DISCLOSURE not in found


def test_a_test_key_is_marked_in_the_claim(original, tmp_path):
    path = write(original, tmp_path / "a.tif", Signer(make_test_key()))
    found = read_credentials(path)
    assert found.intact
    assert found.own["test_key"] == "it proves nothing"
    assert "test key" in found.by[0]


@pytest.mark.parametrize("form", ["jpeg", "png", "tiff", "webp"])
def test_one_changed_byte_of_the_picture_is_noticed(form, original, signer, tmp_path):
    path = write(original, tmp_path / SIGNED[form], signer, form)
    assert read_credentials(path) is not None
    found = read_credentials(path)
    assert (found.intact, found.changed, found.trusted) == (True, False, None)
    assert found.by == ("City Museum", "City Museum GmbH")
    content = bytearray(path.read_bytes())
    marks = {"jpeg": b"\xff\xda", "png": b"IDAT", "tiff": b"II*\0", "webp": b"VP8 "}
    content[content.rindex(marks[form]) + 60] ^= 1
    path.write_bytes(content)
    found = read_credentials(path)
    assert (found.intact, found.changed) == (False, True)


def test_credentials_of_the_original_are_kept_with_it(signer, tmp_path, original):
    photo = read_photo(original)
    first = write(original, tmp_path / "first.jpg", signer, "jpeg")
    gray = tmp_path / "second.png"
    second = write(first, gray, signer, "png")
    assert photo.pixels.shape[:2] == read_photo(second).pixels.shape[:2]
    with c2pa.Reader(second) as reader:
        store = json.loads(reader.json())
    assert len(store["manifests"]) == 2
    (ingredient,) = store["manifests"][store["active_manifest"]]["ingredients"]
    assert ingredient["title"] == "first.jpg"
    assert ingredient["active_manifest"] in store["manifests"]
    assert read_credentials(second).intact


def test_credentials_of_an_original_are_none_of_an_unsigned_result(signer, tmp_path, original):
    for form in SIGNED:
        signed = write(original, tmp_path / f"signed-{SIGNED[form]}", signer, form)
        plain = write(signed, tmp_path / f"plain-{SIGNED[form]}", None, form)
        assert read_credentials(plain) is None


def test_an_original_that_c2pa_does_not_read_is_named(signer, tmp_path):
    original = tmp_path / "scan.pgm"
    Image.fromarray(GRAY).save(original)
    path = write(original, tmp_path / "a.png", signer, "png")
    found = read_credentials(path)
    assert (found.intact, found.ingredients) == (True, ("scan.pgm",))


def test_without_credentials_there_is_nothing_to_read(original, tmp_path):
    assert read_credentials(original) is None
    (tmp_path / "a.txt").write_text("once upon a time")
    assert read_credentials(tmp_path / "a.txt") is None


def test_trust_is_of_those_who_are_named(original, signer, museum, tmp_path):
    path = write(original, tmp_path / "a.tif", signer)
    assert read_credentials(path, museum.anchors_file.read_text()).trusted is True
    other = Museum(tmp_path / "other")
    found = read_credentials(path, other.anchors_file.read_text())
    assert (found.intact, found.trusted) == (True, False)


def test_who_signed_is_known_though_the_file_be_changed_since(original, signer, museum, tmp_path):
    path = write(original, tmp_path / "a.png", signer, "png")
    data = bytearray(path.read_bytes())
    data[-40] ^= 0x55  # of the pixels, before the last chunk
    path.write_bytes(data)
    found = read_credentials(path, museum.anchors_file.read_text())
    assert (found.intact, found.changed, found.trusted) == (False, True, True)


def test_nothing_is_written_where_signing_fails(original, tmp_path, monkeypatch):
    signer = Signer(make_test_key())
    monkeypatch.setattr(signer, "_signer", None)
    path = tmp_path / "a.tif"
    path.write_bytes(b"what was there")
    with pytest.raises(ValueError, match="it cannot be signed"):
        write(original, path, signer)
    assert path.read_bytes() == b"what was there"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.tif", "scan.tif"]
