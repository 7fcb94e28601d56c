"""Names of uploads."""

import email.message
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridvit.studio.labels import LONGEST, attachment, known_suffix, label_of


@given(st.text(max_size=300))
def test_a_label_is_a_line_and_no_path(name):
    label = label_of(name)
    assert 0 < len(label) <= LONGEST
    assert not re.search(r'[\x00-\x1f/\\<>:"|?*]', label)
    assert not label.startswith(".")
    assert label_of(label) == label
    assert known_suffix(label) in label.lower()
    header = attachment(label)["Content-Disposition"]
    assert header.isascii()
    assert header.isprintable()
    message = email.message.Message()
    message["Content-Disposition"] = header
    assert message.get_filename() is not None


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("/etc/passwd", "passwd"),
        ("C:\\scans\\Foto 1.TIF", "Foto 1.TIF"),
        ("..", "photo"),
        ("", "photo"),
        (".tif", "tif"),
        ("a\nb.png", "a_b.png"),
        ("x" * 500 + ".jpeg", "x" * 115 + ".jpeg"),
    ],
)
def test_labels(name, label):
    assert label_of(name) == label


def test_a_name_reaches_the_other_side_whole():
    header = attachment('Łódź "1944" 100%.tif')["Content-Disposition"]
    plain, coded = "odz _1944_ 100_.tif", "%C5%81%C3%B3d%C5%BA%20%221944%22%20100%25.tif"
    assert header == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{coded}"
