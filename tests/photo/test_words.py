import numpy as np
from PIL import Image, PngImagePlugin

from hybridvit.photo.words import MOST, words_of

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:my="http://example.org/my" photoshop:City="Łódź" my:note="not a word of it">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">The regiment,
 at the station</rdf:li></rdf:Alt></dc:description>
<dc:subject><rdf:Bag><rdf:li>coat</rdf:li><rdf:li><![CDATA[flag & drum]]></rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
GRAY = Image.fromarray(np.full((8, 8), 90, np.uint8))


def test_what_a_jpeg_says(tmp_path):
    exif = Image.Exif()
    exif[270], exif[315] = "A street", "Ada"
    GRAY.save(tmp_path / "a.jpg", exif=exif, xmp=XMP.encode())
    lines = words_of(tmp_path / "a.jpg").split("\n")
    assert set(lines) == {"A street", "Ada", "Łódź", "The regiment, at the station", "coat", "flag & drum"}


def test_what_a_png_and_a_tiff_say(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Miller")
    GRAY.save(tmp_path / "a.png", pnginfo=texts)
    GRAY.save(tmp_path / "a.tif", tiffinfo={270: "a wedding"})
    assert words_of(tmp_path / "a.png") == "Miller"
    assert words_of(tmp_path / "a.tif") == "a wedding"


def test_what_says_nothing_or_cannot_be_read(tmp_path):
    GRAY.save(tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"\xff\xd8nothing")
    assert [words_of(tmp_path / name) for name in ("a.png", "b.jpg", "none.jpg")] == ["", "", ""]


def test_there_is_a_most(tmp_path):
    GRAY.save(tmp_path / "a.tif", tiffinfo={270: "word " * 2000})
    assert len(words_of(tmp_path / "a.tif")) == MOST
