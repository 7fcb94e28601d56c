"""The page's own back end, module by module, in a browser: each does what the Python does that it stands for."""

import base64
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from hybridvit.colorize.heat_map import draw_heat_map
from hybridvit.hints.frame import Crop, Frame
from hybridvit.hints.raster import Window
from hybridvit.hints.sidecar import parse_hints, recipe_to_json
from hybridvit.inference.palette import palette_of
from hybridvit.photo.photo import photo_of, read_photo, read_provenance, write_photo
from hybridvit.photo.provenance import merge_provenance, provenance_of
from hybridvit.studio.pyramid import Grid, build_pyramid
from hybridvit.studio.reach_routes import outlines
from hybridvit.studio.static_files import STATIC
from tests.static_site import serve

PICTURE = {"width": 40, "height": 30}


@pytest.fixture(scope="module")
def run(browser):
    """`run(module, body, given)`: what `body`, JavaScript that knows `it`, the module, and `given`, returns."""
    with serve(STATIC) as site:
        page = browser.new_page()
        page.route(f"{site.address}blank", lambda route: route.fulfill(body="", content_type="text/html"))
        page.goto(f"{site.address}blank")

        def run(module: str, body: str, given: object = None):
            script = f"async given => {{ const it = await import('/js/local/{module}.js'); {body} }}"
            return page.evaluate(script, given)

        yield run
        page.close()


BYTES = """const base64 = async (blob) => {
    const bytes = new Uint8Array(await new Blob([blob]).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}; const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));"""


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def noise(height: int, width: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize(("height", "width", "channels"), [(700, 1033, 1), (515, 30, 3)])
def test_levels_are_those_of_the_studio(run, height, width, channels):
    pixels = noise(height, width, channels)
    script = """const data = bytesOf(given.data);
        const levels = it.levelsOf({ ...given, data });
        return Promise.all(levels.map(async ({ width, height, data }) => [width, height, await base64(data)]));"""
    given = {"width": width, "height": height, "channels": channels, "data": coded(pixels.tobytes())}
    found = run("levels", BYTES + script, given)
    wanted = build_pyramid(pixels)
    assert len(found) == len(wanted) == Grid(width, height).levels
    for (w, h, data), level in zip(found, wanted, strict=True):
        ours = np.frombuffer(base64.b64decode(data), np.uint8).reshape(h, w, channels).astype(int)
        assert ours.shape == level.shape
        # Where there is one row or column less, Pillow's division rounds otherwise
        assert np.abs(ours - level).max() <= 1
        assert (ours == level).mean() > 0.99


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("crop", [None, Crop(510, 3, 90, 520)])
def test_a_frame_strip_by_strip_as_a_png(run, turns, crop):
    pixels = noise(530, 620)
    script = """const whole = { width: 620, height: 530 };
        const { png } = await import("/js/local/encoded.js");
        const { imageOf } = await import("/js/local/levels.js");
        const pixels = { ...whole, channels: 3, data: bytesOf(given.data) };
        const strips = it.framedStrips(whole, given.frame, (box) => imageOf(pixels, box).data);
        return base64(await png(it.framedSize(given.frame, whole), strips));"""
    frame = {"turns": turns, "crop": crop and vars(crop)}
    file = base64.b64decode(run("framed", BYTES + script, {"frame": frame, "data": coded(pixels.tobytes())}))
    np.testing.assert_array_equal(Image.open(io.BytesIO(file)), Frame(turns, crop).apply(pixels))


def test_outlines_are_those_of_the_server(run):
    y, x = np.mgrid[:40, :60]
    weight = np.exp(-((x - 20) ** 2 + (y - 5) ** 2) / 90) + np.exp(-((x - 52) ** 2 + (y - 30) ** 2) / 40)
    inside = Window(10, 20, 400, 600)
    found = run(
        "outlines",
        "return it.outlines({ weight: Float32Array.from(given.weight), width: 60, height: 40 }, given.inside);",
        {"weight": weight.ravel().tolist(), "inside": inside._asdict()},
    )
    wanted = outlines(weight.astype(np.float32), inside)
    assert len(found) == len(wanted) == 2

    def covered(lines):
        from skimage.draw import polygon2mask

        return sum(polygon2mask((430, 640), np.array(line)[:, ::-1]).astype(int) for line in lines)

    areas = covered(found), covered(wanted)
    assert np.mean(areas[0] != areas[1]) < 0.003
    assert all(line[0] == line[-1] for line in found)


def test_the_heat_map_has_the_colours_of_the_studio(run):
    doubt = np.linspace(0, 1, 32 * 40, dtype=np.float32).reshape(32, 40)
    script = """const map = { doubt: Float32Array.from(given), width: 40, height: 32 };
        const image = it.heatMap(map, { width: 500, height: 400 });
        return [image.width, image.height, Array.from(image.data)];"""
    width, height, data = run("heat_map", script, doubt.ravel().tolist())
    wanted = draw_heat_map(doubt, 400, 500).astype(int)
    found = np.reshape(data, (height, width, 4))[..., :3]
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 6


def test_a_palette_is_about_that_of_the_studio(run):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :20], pixels[:, 20:] = (200, 40, 30), (20, 60, 180)
    rgba = np.dstack([pixels, np.full((20, 30), 255, np.uint8)])
    found = run("reference", "return it.paletteOf(Uint8ClampedArray.from(given));", rgba.ravel().tolist())
    assert sorted(found, key=lambda one: one["color"]) == sorted(
        [{"color": one.color, "weight": pytest.approx(one.weight)} for one in palette_of(pixels)],
        key=lambda one: one["color"],
    )


GOOD = {
    "version": 2,
    "picture": PICTURE,
    "hints": [
        {"type": "point", "x": 3, "y": 4.5, "color": "#AA5500", "source": "a letter"},
        {"type": "stroke", "points": [[1, 2], [30, 20]], "width": 3, "color": [10, -20], "reach": 0.2},
        {"type": "region", "polygon": [[0, 0], [9, 0], [9, 9]], "color": "#00aa55", "strength": 0.5},
    ],
    "palette": [{"color": "#102030"}],
    "settings": {"size": 384, "decode": "mean"},
    "protected": [
        {
            "mask": {"left": 1, "top": 1, "width": 4, "height": 2, "runs": [1, 3, 4]},
            "hints": [],
            "settings": {"seed": 3},
        }
    ],
    "frame": {"turns": 1, "crop": {"x": 2, "y": 3, "width": 10, "height": 12}},
}


def test_a_sidecar_is_read_as_the_desktop_reads_it(run):
    script = """const { recipeOf, recipeToJson } = await import("/js/recipe.js");
        return recipeToJson(recipeOf(it.checkedRecipe(given.sidecar, given.picture)));"""
    for sidecar in (GOOD, {**GOOD, "version": 1, "hints": [GOOD["hints"][0]]}):
        found = run("sidecar", script, {"sidecar": sidecar, "picture": PICTURE})
        wanted = parse_hints(json.dumps({**sidecar, "hints": found["hints"], "version": 2})).recipe
        assert parse_hints(json.dumps({"version": 2, "picture": PICTURE, **found})).recipe == wanted
        assert recipe_to_json(wanted) == recipe_to_json(parse_hints(json.dumps(sidecar)).recipe)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 3),
        (("picture", "width"), 41),
        (("hints",), {}),
        (("hints", 0, "x"), 40),
        (("hints", 0, "color"), "green"),
        (("hints", 0, "reach"), 2),
        (("hints", 0, "more"), 1),
        (("hints", 1, "points"), []),
        (("hints", 1, "points", 0), [1]),
        (("hints", 1, "width"), 0),
        (("hints", 2, "polygon"), [[-9, -9], [-8, -9], [-8, -8]]),
        (("hints", 2, "type"), "circle"),
        (("palette", 0, "weight"), 0),
        (("settings", "decode"), "best"),
        (("settings", "size"), 8),
        (("settings", "seed"), 1.5),
        (("protected", 0, "mask", "runs"), [1, 3, 5]),
        (("protected", 0, "mask", "left"), 38),
        (("frame", "turns"), 4),
        (("frame", "crop", "width"), 39),
    ],
)
def test_a_mistake_in_a_sidecar_names_its_field(run, path, value):
    sidecar = json.loads(json.dumps(GOOD))
    place = sidecar
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    script = """try { it.checkedRecipe(given.sidecar, given.picture); }
        catch (error) { return [error.status, error.message]; }"""
    status, message = run("sidecar", script, {"sidecar": sidecar, "picture": PICTURE})
    assert status == 400
    field = message.partition(":")[0]
    if path == ("picture", "width"):
        return  # of another picture: nothing is wrong with it itself
    with pytest.raises(ValueError, match="^" + field.replace("[", r"\[").replace("]", r"\]") + ":"):
        parse_hints(json.dumps(sidecar))


SAID = {"statement": "colours generated", "model": "tiny", "hints": [{"x": 1}], "settings": {"size": 256}}


def test_the_statement_of_a_file_without_one(run):
    packet = run("statement", "return it.stated(null, given);", SAID).encode()
    ours, theirs = provenance_of(packet), provenance_of(merge_provenance(None, SAID))
    assert {name: text.replace(" ", "") for name, text in ours.items()} == {
        name: text.replace(" ", "") for name, text in theirs.items()
    }
    assert b"compositeWithTrainedAlgorithmicMedia" in packet


def test_the_statement_keeps_a_packets_own_properties(run):
    own = """<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x="adobe:ns:meta/">
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="me"
        xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"
        xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" e:DigitalSourceType="scan"
        ><dc:creator>Ada &amp; Bo</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
    script = "const once = it.stated(given.own, given.said); return [once, it.stated(once, given.said)];"
    for packet in run("statement", script, {"own": own, "said": SAID}):
        assert "Ada &amp; Bo" in packet
        assert "tiff:Orientation" not in packet
        assert packet.count("compositeWithTrained") == 1
        assert provenance_of(packet.encode())["original_source_type"] == "scan"
    for broken in ("<!DOCTYPE a>", "no xml", own.replace("</rdf:RDF>", "")):
        assert provenance_of(run("statement", "return it.stated(given, { model: 'm' });", broken).encode())


@pytest.mark.parametrize("form", ["jpeg", "png", "webp"])
@pytest.mark.parametrize("into", ["jpeg", "png"])
def test_metadata_go_from_the_photograph_into_the_result(run, tmp_path, form, into):
    """Read back by Python: EXIF but for the turn, XMP and the statement."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif.get_ifd(0x8769)[0xA002] = 6, "A street", 20
    packet = merge_provenance(None, {})
    before = io.BytesIO()
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", packet.decode())
    Image.fromarray(noise(20, 30)).save(before, form, exif=exif, xmp=packet, pnginfo=texts)
    script = """const type = `image/${given.into}`;
        const own = await it.metadataOf(new Blob([bytesOf(given.file)]));
        const canvas = new OffscreenCanvas(20, 30); const context = canvas.getContext("2d");
        [context.fillStyle] = ["#777"]; context.fillRect(0, 0, 9, 30);
        const blob = await canvas.convertToBlob({ type });
        const result = await it.withMetadata(blob, { width: 20, height: 30, fields: given.said }, own);
        return [own.xmp, await base64(result)];"""
    xmp, data = run(
        "saved_file", BYTES + script, {"into": into, "file": coded(before.getvalue()), "said": SAID}
    )
    assert xmp.encode().strip() == packet.strip()
    path = tmp_path / f"result.{into}"
    path.write_bytes(base64.b64decode(data))
    image = Image.open(path)
    image.load()  # the PNG's checksums too
    found = image.getexif()
    assert (image.size, found[0x0112], found[0x010E]) == ((20, 30), 1, "A street")
    assert found.get_ifd(0x8769)[0xA002] == 20
    assert read_provenance(path)["model"] == "tiny"
    assert read_photo(path).remarks == ()
    # The desktop takes it in, and writes it again
    photo = photo_of(np.asarray(image.convert("RGB")))
    write_photo(tmp_path / f"again.{into}", photo.pixels, read_photo(path), SAID)
    assert read_provenance(tmp_path / f"again.{into}")["model"] == "tiny"


def test_a_recipe_too_long_for_a_jpegs_packet_is_left_to_the_hints_file(run, tmp_path):
    script = """const canvas = new OffscreenCanvas(8, 8); canvas.getContext("2d");
        const blob = await canvas.convertToBlob({ type: "image/jpeg" });
        const fields = { model: "tiny", hints: Array.from({ length: 3000 }, (_, x) => ({ type: "point", x })) };
        return base64(await it.withMetadata(blob, { width: 8, height: 8, fields }));"""
    path = tmp_path / "long.jpg"
    path.write_bytes(base64.b64decode(run("saved_file", BYTES + script)))
    said = read_provenance(path)
    assert said["model"] == "tiny"
    assert "hints" not in said
    assert "hints" in said["left_out"]


def test_a_photograph_is_decoded_upright_in_srgb_and_gray_where_it_is(run, tmp_path):
    gray, color = noise(20, 30, 1)[..., 0], np.full((20, 30, 3), (200, 90, 60), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb = ImageCms.createProfile("sRGB")
    wide = Image.fromarray(color)
    linear = _linear_profile()
    cases = [
        ("lies.png", Image.fromarray(gray), {"exif": exif}),
        ("srgb.png", wide, {"icc_profile": ImageCms.ImageCmsProfile(rgb).tobytes()}),
        ("linear.png", wide, {"icc_profile": linear}),
    ]
    script = """const found = await it.decoded(new Blob([bytesOf(given)]), "a");
        return { ...found, data: await base64(found.data) };"""
    for name, image, options in cases:
        image.save(tmp_path / name, **options)
        found = run("decoded", BYTES + script, coded((tmp_path / name).read_bytes()))
        photo = read_photo(tmp_path / name)
        shape = found["height"], found["width"], found["channels"]
        assert shape == photo.pixels.shape, name
        theirs = photo.pixels if photo.pixels.dtype == np.uint8 else np.rint(photo.pixels / 257)
        ours = np.frombuffer(base64.b64decode(found["data"]), np.uint8).reshape(shape)
        assert np.abs(ours - theirs.astype(int)).max() <= 1, name
        assert found["remarks"] == []


def _linear_profile() -> bytes:
    """A profile whose primaries are sRGB's and whose light is linear: read as sRGB it would be much darker."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)}
    columns = {b"rXYZ": (28572, 14580, 912), b"gXYZ": (25247, 46983, 6364), b"bXYZ": (9371, 3973, 46785)}
    tags |= {name: b"XYZ \0\0\0\0" + struct.pack(">3i", *xyz) for name, xyz in columns.items()}
    tags |= {name: b"curv" + bytes(8) for name in (b"rTRC", b"gTRC", b"bTRC")}
    text = b"desc" + bytes(4) + struct.pack(">I", 7) + b"linear\0" + bytes(78)
    tags[b"desc"] = text + bytes(-len(text) % 4)
    at, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for name, tag in tags.items():
        table += name + struct.pack(">2I", at + len(data), len(tag))
        data += tag
    head = struct.pack(">I4sI4s4s4s", at + len(data), b"    ", 0x02100000, b"mntr", b"RGB ", b"XYZ ")
    head = (head + bytes(12) + b"acsp").ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


@pytest.mark.parametrize(
    ("data", "remark"), [(b"II*\0 nothing more", "this browser cannot read it"), (b"", "cannot")]
)
def test_a_file_that_is_no_picture(run, data, remark):
    script = """try { await it.decoded(new Blob([bytesOf(given)]), "scan.tif"); }
        catch (error) { return [error.status, error.message]; }"""
    status, message = run("decoded", BYTES + script, coded(data))
    assert (status, message.startswith("scan.tif: ")) == (415, True)
    assert remark in message


def test_sixteen_bits_and_transparency_are_said_to_be_lost(run, tmp_path):
    Image.fromarray(np.full((8, 8), 40000, np.uint16)).save(tmp_path / "deep.png")
    Image.new("RGBA", (8, 8), (10, 20, 30, 128)).save(tmp_path / "clear.png")
    script = """return (await it.decoded(new Blob([bytesOf(given)]), "a")).remarks;"""
    deep, clear = (
        run("decoded", BYTES + script, coded((tmp_path / f"{name}.png").read_bytes()))
        for name in ("deep", "clear")
    )
    assert "8 of its 16 bits" in deep[0]
    assert clear == ["Its transparency is left out."]


def test_what_is_likely_is_made_ready_between_what_is_asked_for(run):
    script = """const [made, asked] = [[], [0, 1, 0, 0, 1, 0, 0, 0]]; // whether something is, before each step
        const photo = {
            revision: "now",
            forgetPainted: () => made.push("forgotten"),
            async prepare(recipe, pause) {
                for (const step of [1, 2]) {
                    await pause();
                    made.push(`${recipe} ${step}`);
                }
            },
        };
        const pause = async () => { if (asked.shift()) throw new it.Left(); };
        const ahead = new it.Ahead();
        ahead.begin(photo, ["red", "blue"]);
        const times = [];
        for (; ahead.isLeft; times.push(made.length)) await ahead.goOn(pause);
        ahead.begin(photo, ["green"]);
        photo.revision = "later";
        return { made, times, isLeft: ahead.isLeft };"""
    found = run("ahead", script)
    assert found["made"] == [
        "forgotten",
        *("red 1", "red 1", "red 2", "blue 1", "blue 2"),
        "forgotten",
    ]
    assert found["times"] == [2, 4, 6]
    assert not found["isLeft"]


def test_what_is_rejected_is_made_again(run):
    script = """const kept = new it.Kept(3);
        const fails = async () => { throw new Error("left"); };
        await kept.once("a", fails).catch(() => {});
        return Promise.all([kept.once("a", async () => 1), kept.once("a", fails)]);"""
    assert run("engine/kept", script) == [1, 1]
