import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.measures.calibration import fit_temperature, mean_log_likelihood, reliability

RADIUS = 15.0


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model, and bins that were drawn from what it says."""
    rng = np.random.default_rng(0)
    logits = (4 * rng.normal(0, 1, (3000, 313))).astype(np.float32)
    noise = rng.gumbel(0, 1, logits.shape)
    return logits, (logits + noise).argmax(-1)


def test_mean_log_likelihood_against_scipy(drawn):
    logits, truth = drawn
    expected = log_softmax(logits.astype(float) / 1.5, -1)[np.arange(len(truth)), truth].mean()
    assert mean_log_likelihood(logits, truth, 1.5) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("exaggeration", [0.5, 1.0, 2.5])
def test_the_temperature_undoes_an_exaggeration(drawn, exaggeration):
    logits, truth = drawn
    assert fit_temperature(logits * np.float32(exaggeration), truth) == pytest.approx(exaggeration, rel=0.05)


def test_what_is_drawn_from_a_distribution_is_as_reliable_as_that_says(drawn):
    logits, truth = drawn
    ab = BIN_CENTRES[truth]
    honest = reliability(logits, ab, RADIUS)
    assert honest.error < 0.03
    np.testing.assert_allclose(
        honest.frequency, honest.confidence, atol=4 * np.sqrt(0.25 / (3000 * honest.share)).max()
    )
    assert honest.share.sum() == pytest.approx(1)
    boasting = reliability(logits, ab, RADIUS, temperature=0.3)
    assert boasting.error > 0.1
    assert np.average(boasting.confidence - boasting.frequency, weights=boasting.share) > 0.1


def test_the_curve_against_a_loop(drawn):
    logits, truth = (part[:200] for part in drawn)
    ab = BIN_CENTRES[truth] + 3.0
    said, right = [], []
    for row, color in zip(logits.astype(float), ab, strict=True):
        mean = softmax(row / 0.38) @ BIN_CENTRES
        near = np.linalg.norm(BIN_CENTRES - mean, axis=-1) <= RADIUS
        said.append(softmax(row)[near].sum())
        right.append(np.linalg.norm(color - mean) <= RADIUS)
    said, right = np.array(said), np.array(right)
    found = reliability(logits, ab.astype(np.float32), RADIUS)
    inside = [(said >= k / 10) & (said < (k + 1) / 10) for k in range(10)]
    expected = [(said[i].mean(), right[i].mean(), i.mean()) for i in inside if i.any()]
    np.testing.assert_allclose(
        np.stack(found, 1), expected, atol=0.011
    )  # one on an edge may fall to either side
