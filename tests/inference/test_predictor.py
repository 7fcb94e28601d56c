"""What a predictor keeps of the views before changes how long it takes, and nothing else."""

import numpy as np
import pytest

from hybridvit.inference import predictor as module
from hybridvit.inference.predictor import Predictor


@pytest.fixture
def looks(lite_weights, monkeypatch) -> tuple[Predictor, list[tuple]]:
    """A predictor, and the shapes of what its encoder looks at."""
    monkeypatch.setattr(module, "SEEN_BYTES", 1)  # one view, however large
    predictor, seen = Predictor(lite_weights), []
    see = predictor._see
    monkeypatch.setattr(predictor, "_see", lambda params, L: [seen.append(L.shape), see(params, L)][1])
    return predictor, seen


def views(count: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 100, (count, 64, 64)).astype(np.float32)


def hints(count: int, color: float):
    mask = np.zeros((count, 64, 64), bool)
    mask[:, 20:22, 30:32] = True
    return np.where(mask[..., None], np.float32([color, color / 2]), 0), mask


def test_the_encoder_looks_once_at_a_view_whatever_the_hints(looks, lite_weights):
    predictor, seen = looks
    one, other = views(2)[:, None]
    found = [predictor(one, given) for given in (None, hints(1, 40), hints(1, -40))]
    assert seen == [(1, 64, 64)]
    assert np.abs(found[1].mean - found[2].mean).max() > 1
    predictor(other)
    again = predictor(one, hints(1, 40))
    assert len(seen) == 3  # of the views before, as many as there is room for
    fresh = Predictor(lite_weights)(one, hints(1, 40))
    for mean, logits in ((x.mean, x.logits) for x in (found[1], again)):
        np.testing.assert_array_equal(mean, fresh.mean)
        np.testing.assert_array_equal(logits, fresh.logits)


def test_many_views_at_once_are_not_kept(looks):
    predictor, seen = looks
    L = views(2)
    both = predictor(L, hints(2, 40))
    predictor(L, hints(2, -40))
    assert seen == [(2, 64, 64)] * 2
    np.testing.assert_allclose(both.mean[:1], predictor(L[:1], hints(1, 40)).mean, atol=1e-3)
