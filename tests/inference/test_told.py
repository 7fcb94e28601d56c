import numpy as np

from hybridvit.color.bins import BIN_CENTRES, NUM_BINS
from hybridvit.inference.predictor import Predictor
from hybridvit.inference.sampling import probabilities
from hybridvit.inference.told import Told


def test_what_is_told_makes_it_likelier_there_and_nowhere_else(tiny_weights):
    predictor = Predictor(tiny_weights)
    L = np.full((1, 64, 128), 50, np.float32)
    red = int(np.linalg.norm(BIN_CENTRES - (50, 30), axis=-1).argmin())
    told = np.zeros((4, 8, NUM_BINS), np.float32)
    told[:, :2, red] = 30
    album = Told(predictor, told, {"matched": 0.25})
    before, after = predictor(L), album(L)
    assert probabilities(after.logits[0])[:, :3, red].min() > 0.9
    assert np.linalg.norm(after.mean[0, :, :16] - (50, 30), axis=-1).mean() < 20
    for name in ("mean", "vivid"):
        np.testing.assert_array_equal(getattr(after, name)[0, :, 64:], getattr(before, name)[0, :, 64:])
    np.testing.assert_array_equal(after.logits[0, :, 8:], before.logits[0, :, 8:])
    assert album.provenance == {**predictor.provenance, "album": {"matched": 0.25}}
    assert album.digest != predictor.digest
    assert album.digest == Told(predictor, told, {}).digest != Told(predictor, 2 * told, {}).digest


def test_with_hints_it_holds_too(tiny_weights):
    L = np.full((1, 64, 64), 50, np.float32)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, :4, :4] = True
    hints = np.where(mask[..., None], np.float32([30, -20]), 0), mask
    predictor = Predictor(tiny_weights)
    nothing = Told(predictor, np.zeros((4, 4, NUM_BINS), np.float32), {})
    np.testing.assert_array_equal(nothing(L, hints).mean, predictor(L, hints).mean)
    assert nothing(L, hints).vivid is None
