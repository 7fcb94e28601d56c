import dataclasses
import json

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

import hybridvit
from hybridvit.color import bins
from hybridvit.color.bins import NUM_BINS
from hybridvit.hints.frame import Crop, Frame
from hybridvit.hints.recipe import Recipe
from hybridvit.hints.settings import Settings
from hybridvit.hints.shapes import PaletteColor, Point, Region
from hybridvit.inference.colorizer import Colorizer
from hybridvit.inference.decode import mean_ab, vivid_ab, with_hints
from hybridvit.inference.weights import save_weights
from hybridvit.models.prediction import Prediction
from hybridvit.photo.framing import LEFT_OUT
from hybridvit.photo.metadata import Metadata
from hybridvit.photo.photo import photo_of, read_photo, read_provenance


@pytest.fixture(scope="module")
def colorizer(tiny_weights) -> Colorizer:
    return Colorizer(tiny_weights)


@pytest.fixture(scope="module")
def gray() -> np.ndarray:
    y, x = np.mgrid[:90, :150]
    return (40 + 0.5 * y + 0.8 * x + 20 * (x > 70)).astype(np.uint8)


def test_pixels_keep_their_lightness_and_get_colour(colorizer, gray):
    result = colorizer.colorize(gray, size=64)
    assert result.rgb.shape == (90, 150, 3)
    assert result.rgb.dtype == np.uint8
    before, after = (rgb2lab(x) for x in (np.repeat(gray[..., None], 3, -1), result.rgb))
    assert np.abs(before[..., 0] - after[..., 0]).max() <= 0.5
    assert np.abs(after[..., 1:]).max() > 5
    assert result.uncertainty.shape == (8, 14)
    assert np.isfinite(result.uncertainty).all()


def test_array_pillow_path_and_list_agree(colorizer, gray, tmp_path):
    Image.fromarray(gray).save(tmp_path / "a.png")
    pictures = [gray, Image.fromarray(gray), tmp_path / "a.png", str(tmp_path / "a.png")]
    results = colorizer.colorize(pictures, size=64)
    for result in results:
        np.testing.assert_array_equal(result.rgb, results[0].rgb)


def test_an_opened_picture_is_coloured_alike(colorizer, gray):
    hints = (Point(20, 30, (12.0, -8.0)),)
    canvas = colorizer.open(gray)
    for one in ((), hints):
        opened = canvas.picture(Recipe(one, settings=Settings(size=64)))
        np.testing.assert_array_equal(opened, colorizer.colorize(gray, one, size=64).rgb)


def test_16_bits(colorizer, gray):
    result = colorizer.colorize(gray.astype(np.uint16) * 257, size=64)
    assert result.rgb.dtype == np.uint16
    L = rgb2lab(result.rgb / 65535)[..., 0]
    expected = rgb2lab(np.repeat(gray[..., None], 3, -1))[..., 0]
    assert np.abs(L - expected).max() <= 0.05


def test_hints_are_honoured_at_their_pixels(colorizer, gray):
    hints = [Point(20, 30, (12.0, -8.0)), Region(((100, 20), (130, 20), (130, 60), (100, 60)), (5.0, 14.0))]
    lab = rgb2lab(colorizer.colorize(gray, hints, size=64).rgb)
    for y, x, ab in ((30, 20, (12, -8)), (40, 115, (5, 14))):
        wanted = np.array([lab[y, x, 0], *ab])
        assert deltaE_ciede2000(lab[y, x], wanted) <= 2


def test_predict_ab_is_exact_at_the_hints_and_needs_none(colorizer):
    rng = np.random.default_rng(0)
    L = rng.uniform(20, 80, (2, 40, 56)).astype(np.float32)
    ab, mask = np.zeros((2, 40, 56, 2), np.float32), np.zeros((2, 40, 56), np.float32)
    free = colorizer.predict_ab(L, ab, mask)
    assert free.shape == ab.shape
    assert free.dtype == np.float32
    mask[0, 10:12, 20:22], ab[0, 10:12, 20:22] = 1, (15, -9)
    hinted = colorizer.predict_ab(L, ab, mask)
    np.testing.assert_allclose(hinted[0, 10:12, 20:22], ab[0, 10:12, 20:22])
    assert np.abs(hinted[0] - free[0]).max() > 1
    np.testing.assert_allclose(hinted[1], free[1], atol=1e-3)  # no hints there
    with pytest.raises(ValueError, match="neither 'mean' nor 'vivid'"):
        colorizer.predict_ab(L, ab, mask, decode="sample")


def test_samples_differ_by_seed_alone(colorizer, gray):
    one, again, other = (colorizer.colorize(gray, size=64, decode="sample", seed=s).rgb for s in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one.astype(int) - other).max() > 5


def test_strength(colorizer, gray):
    rgb = colorizer.colorize(gray, size=64, strength=0.0).rgb
    np.testing.assert_array_equal(rgb, np.repeat(gray[..., None], 3, -1))
    chroma = [
        np.linalg.norm(rgb2lab(colorizer.colorize(gray, size=64, strength=s).rgb)[..., 1:], axis=-1).mean()
        for s in (0.2, 0.4)
    ]
    assert chroma[1] == pytest.approx(2 * chroma[0], rel=0.15)


def test_palette(colorizer, gray):
    red, blue = (
        rgb2lab(colorizer.colorize(gray, size=64, palette=[PaletteColor(color)]).rgb)[..., 1:].mean((0, 1))
        for color in ("#a03030", "#3040a0")
    )
    assert red[0] - blue[0] > 5
    assert red[1] - blue[1] > 5


def test_provenance_is_in_the_file(colorizer, gray, tmp_path):
    colorizer.colorize(gray, [Point(3, 4, "#2e6b3a", "a letter")], size=64).save(tmp_path / "c.png")
    found = read_provenance(tmp_path / "c.png")
    assert found["model"] == "tiny"
    assert found["weights_sha256"] == "0" * 64
    assert '"decode": "vivid"' in found["settings"]
    assert "a letter" in found["hints"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decode": "bright"}, "none of vivid, mean, sample"),
        ({"size": 8}, "size: 8 is not"),
        ({"strength": -1.0}, "strength: -1.0 is not"),
    ],
)
def test_settings_out_of_range(colorizer, gray, settings, message):
    with pytest.raises(ValueError, match=message):
        colorizer.colorize(gray, **settings)


def test_load(tiny_weights, gray, tmp_path):
    save_weights(tiny_weights, tmp_path / "w.safetensors")
    loaded = hybridvit.load(tmp_path / "w.safetensors")
    assert loaded.name == "tiny"
    one, other = (c.colorize(gray, size=64, decode="mean").rgb for c in (loaded, Colorizer(tiny_weights)))
    assert np.abs(one.astype(int) - other).max() <= 4  # half precision, of a model of very strong opinions


def test_vivid_moves_from_the_mean_towards_the_mode():
    logits = np.zeros((1, 2, 2, NUM_BINS), np.float32) - 30
    logits[..., 250], logits[..., 60] = 1.0, 0.5  # the first is the likelier
    prediction = Prediction(chroma=jnp.zeros((1, 13, 16, 2)), bins=jnp.asarray(logits))
    np.testing.assert_array_equal(mean_ab(prediction), 0)
    moved = np.asarray(vivid_ab(prediction, np.zeros(NUM_BINS, np.float32)))
    assert moved.shape == (1, 13, 16, 2)
    assert (moved @ (bins.BIN_CENTRES[250] - bins.BIN_CENTRES[60]) > 0).all()


def test_vivid_raises_what_is_coloured_and_lowers_what_is_not():
    chroma = jnp.zeros((1, 8, 8, 2)).at[0, 0, 0].set([0.3, 0.0]).at[0, 7, 7].set([0.0, 0.02])
    ab = vivid_ab(Prediction(chroma, jnp.zeros((1, 1, 1, NUM_BINS))), np.zeros(NUM_BINS, np.float32))[0]
    drift = ab[4, 4]  # of the flat distribution, which temperature leaves as it is
    np.testing.assert_allclose(drift, 0, atol=1e-3)
    assert ab[0, 0, 0] > 1.5 * 33
    assert ab[7, 7, 1] < 0.8 * 2.2


def test_hints_are_not_made_more_vivid():
    mean, free = np.zeros((1, 4, 4, 2), np.float32), np.zeros((1, 4, 4, 2), np.float32)
    vivid = np.full_like(free, 10.0)
    mean[0, 0, 0] = (60, 0)
    ab = with_hints(mean, free, vivid)
    np.testing.assert_allclose(ab[0, 0, 0], (60, 0), atol=0.1)
    np.testing.assert_allclose(ab[0, 3, 3], (10, 10), atol=1e-4)


def test_a_frame_saves_the_very_pixels_of_that_part_turned(colorizer, gray, tmp_path):
    """And the file says it; its hint lies outside of what is saved, and counts all the same."""
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/">'
        b"<mwg-rs:Regions/></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
    alpha = np.arange(gray.size, dtype=np.uint8).reshape(gray.shape)
    photo = dataclasses.replace(
        photo_of(np.dstack([gray, alpha])), metadata=Metadata(xmp=xmp, dpi=(300.0, 200.0))
    )
    hints = [Point(5, 5, "#a02020", reach=1)]
    whole = colorizer.colorize(photo, hints, size=64)
    frame = Frame(1, Crop(60, 20, 80, 41))
    part = colorizer.colorize(photo, hints, frame=frame, size=64)
    expected = np.rot90(whole.rgb[20:61, 60:140], -1)
    np.testing.assert_array_equal(part.rgb, expected)
    part.save(tmp_path / "part.png")
    found = read_photo(tmp_path / "part.png")
    np.testing.assert_array_equal(found.pixels, expected)
    np.testing.assert_array_equal(found.alpha, np.rot90(alpha[20:61, 60:140], -1))
    assert found.metadata.dpi == pytest.approx((200, 300), rel=1e-3)
    assert b"mwg-rs:Regions" not in found.metadata.xmp
    assert part.remarks == (LEFT_OUT,)
    said = read_provenance(tmp_path / "part.png")
    crop = {"x": 60, "y": 20, "width": 80, "height": 41}
    assert json.loads(said["frame"]) == {"turns": 1, "crop": crop}
    assert json.loads(said["hints"])[0]["x"] == 5
    assert "frame" not in whole.provenance
    with pytest.raises(
        ValueError, match=r"frame\.crop: it is partly outside the picture, which is 150 x 90 px"
    ):
        colorizer.colorize(gray, frame=Frame(0, Crop(100, 0, 51, 9)))
