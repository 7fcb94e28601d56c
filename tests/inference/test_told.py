import numpy as np
import pytest
from PIL import Image

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.predictor import Predictor
from hybridvit.inference.sampling import probabilities
from hybridvit.inference.told import Seen, Told, digest_of

ABOUT = {"matched": 0.25}


def test_what_is_told_makes_it_likelier_there_and_nowhere_else(tiny_weights):
    predictor = Predictor(tiny_weights)
    L = np.full((1, 64, 128), 50, np.float32)
    red = int(np.linalg.norm(BIN_CENTRES - (50, 30), axis=-1).argmin())
    told = np.zeros((4, 8, NUM_BINS), np.float32)
    told[:, :2, red] = 30
    album = Told(predictor, told, "d", ABOUT)
    before, after = predictor(L), album(L)
    assert probabilities(after.logits[0])[:, :3, red].min() > 0.9
    assert np.linalg.norm(after.mean[0, :, :16] - (50, 30), axis=-1).mean() < 20
    np.testing.assert_allclose(after.mean[0, :, 64:], before.mean[0, :, 64:], atol=1e-3)
    np.testing.assert_allclose(after.vivid[0, :, 64:], before.vivid[0, :, 64:], atol=0.05)
    np.testing.assert_array_equal(after.logits[0, :, 8:], before.logits[0, :, 8:])
    assert album.provenance == {**predictor.provenance, "album": ABOUT}
    assert album.digest == Told(predictor, told, "d", {}).digest
    assert len({album.digest, predictor.digest, Told(predictor, told, "e", {}).digest}) == 3


def test_the_vivid_colours_are_those_of_the_model_where_nothing_is_told_at_any_size(tiny_weights):
    predictor = Predictor(tiny_weights)
    L = np.random.default_rng(0).uniform(20, 80, (1, 70, 90)).astype(np.float32)
    nothing = Told(predictor, np.zeros((5, 6, NUM_BINS), np.float32), "", {})
    np.testing.assert_allclose(nothing(L).vivid[0, :62, :82], predictor(L).vivid[0, :62, :82], atol=0.05)
    np.testing.assert_array_equal(nothing(L).mean, predictor(L).mean)


def test_what_the_model_said_when_the_photograph_was_described_is_not_asked_again(tiny_weights):
    predictor = Predictor(tiny_weights)
    L, other = np.full((2, 1, 64, 64), 50, np.float32)
    other[0, 0, 0] = 51
    said = predictor(L)
    seen = Seen(digest_of(L[0]), said.mean[0] + 1, said.logits[0])
    told = Told(predictor, np.zeros((4, 4, NUM_BINS), np.float32), "", {}, seen)
    np.testing.assert_array_equal(told(L).mean, said.mean + 1)
    np.testing.assert_array_equal(told(other).mean, predictor(other).mean)


@pytest.mark.parametrize(
    "grid", [(5, 6), (12, 20), (9, 12)]
)  # coarser than the cells of 8 px, finer, the same
def test_what_is_told_is_brought_to_the_cells_as_pillow_resizes(tiny_weights, grid):
    predictor = Predictor(tiny_weights)
    L = np.full((1, 70, 90), 50, np.float32)
    told = np.zeros((*grid, NUM_BINS), np.float32)
    told[..., 7] = np.random.default_rng(0).normal(size=grid)
    added = (Told(predictor, told, "", {})(L).logits - predictor(L).logits)[0, ..., 7]
    plane = Image.fromarray(told[..., 7]).resize((12, 9), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(added, np.asarray(plane), atol=1e-4)


def test_with_hints_it_holds_too(tiny_weights):
    L = np.full((1, 64, 64), 50, np.float32)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, :4, :4] = True
    hints = np.where(mask[..., None], np.float32([30, -20]), 0), mask
    predictor = Predictor(tiny_weights)
    nothing = Told(predictor, np.zeros((4, 4, NUM_BINS), np.float32), "", {})
    np.testing.assert_array_equal(nothing(L, hints).mean, predictor(L, hints).mean)
    assert nothing(L, hints).vivid is None
