import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.photo.number_range import to_16_bits

TONES = np.linspace(0.01, 0.99, 4000).reshape(40, 100)


@settings(max_examples=80, deadline=None)
@given(
    white=st.sampled_from([1, 255, 65535]),
    few=st.lists(st.floats(-1e9, 1e9), max_size=30),
    brightest=st.floats(0.3, 1.0),
)
def test_a_few_values_change_no_others(white, few, brightest):
    values = TONES * brightest * white
    values.flat[: len(few)] = few
    found, _ = to_16_bits(values)
    expected = np.clip(values / white, 0, 1) * 65535
    assert np.abs(found - expected).max() <= 0.51


def test_what_is_cut_off_is_said():
    assert to_16_bits(TONES)[1] == ()
    values = TONES * 255
    values[0, 0] = 255.4
    assert "outside of 0..255" in to_16_bits(values)[1][0]


@pytest.mark.parametrize("values", [TONES - 0.4, np.full((9, 9), np.nan), -TONES])
def test_what_is_no_picture_is_refused(values):
    with pytest.raises(ValueError, match="negative or not a number"):
        to_16_bits(values)


@pytest.mark.parametrize(
    ("dtype", "bits", "white"),
    [
        ("i1", None, 127),
        ("i2", None, 32767),
        ("i2", None, 255),
        ("i4", None, 65535),
        ("i4", 16, 32767),
        ("u4", None, 2**32 - 1),
        ("i4", None, 2**31 - 1),
        ("u8", None, 2**64 - 1),
    ],
)
def test_integers_count_to_what_holds_them(dtype, bits, white):
    codes = (TONES * float(white)).astype(dtype)
    found, remarks = to_16_bits(codes, bits)
    assert np.abs(found / 65535 - codes / white).max() < 1e-4
    assert remarks == ()


def test_floats_beyond_any_range_are_counted_to_the_bulk():
    found, remarks = to_16_bits(TONES * 1e9)
    assert found.max() == 65535
    assert np.abs(found / 65535 - np.minimum(TONES / np.quantile(TONES, 0.99), 1)).max() < 1e-3
    assert remarks
