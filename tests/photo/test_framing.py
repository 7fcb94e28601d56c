import dataclasses

import numpy as np
import pytest

from hybridvit.hints.frame import WHOLE, Crop, Frame
from hybridvit.photo import tiff_tags as tags
from hybridvit.photo.framing import LEFT_OUT, framed
from hybridvit.photo.metadata import Metadata
from hybridvit.photo.photo import Photo, photo_of
from hybridvit.photo.resources import Resource
from hybridvit.photo.tiff_tags import Directory

CAMERA, AREA, GUIDES, COPYRIGHT = 0x9003, 0x9214, 0x0408, 0x040A


@pytest.fixture
def photo() -> Photo:
    inner = {CAMERA: tags.Tag(tags.ASCII, b"1944\0"), AREA: tags.numbers(5, 6)}
    metadata = Metadata(
        exif=Directory({tags.EXIF: inner, 315: tags.Tag(tags.ASCII, b"A. Reader\0")}),
        resources=(Resource(b"8BIM", GUIDES, b"", b"guides"), Resource(b"8BIM", COPYRIGHT, b"", b"\1")),
        dpi=(300.0, 200.0),
    )
    return dataclasses.replace(photo_of(np.zeros((8, 12), np.uint8)), metadata=metadata)


def test_without_a_frame_nothing_is_touched(photo):
    assert framed(photo, WHOLE) == (photo, ())


@pytest.mark.parametrize("frame", [Frame(2), Frame(1), Frame(0, Crop(1, 1, 5, 4))])
def test_what_was_marked_at_places_is_left_out_and_all_else_kept(photo, frame):
    found, remarks = framed(photo, frame)
    assert remarks == (LEFT_OUT,)
    assert set(found.metadata.exif.tags) == {tags.EXIF, 315}
    assert set(found.metadata.exif.tags[tags.EXIF]) == {CAMERA}
    assert [one.number for one in found.metadata.resources] == [COPYRIGHT]
    assert found.metadata.dpi == ((200.0, 300.0) if frame.turns == 1 else (300.0, 200.0))
    assert AREA in photo.metadata.exif.tags[tags.EXIF]  # that of the original stays


def test_where_nothing_is_marked_there_is_no_remark(photo):
    plain = dataclasses.replace(photo, metadata=Metadata(dpi=(300.0, 200.0)))
    found, remarks = framed(plain, Frame(1))
    assert (found.pixels.shape, found.metadata.dpi, remarks) == ((12, 8, 1), (200.0, 300.0), ())
