import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.color.lab import CHROMA_SCALE
from hybridvit.measures.likelihood import Cells, rarity, score_cells, summarize


def test_cells_against_a_loop():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (2, 3, 2, 313)).astype(np.float32)
    chroma = rng.uniform(-0.7, 0.7, (2, 24, 16, 2)).astype(np.float32)
    truth, log_likelihood = score_cells(jnp.asarray(logits), jnp.asarray(chroma))
    for b, row, column in np.ndindex(2, 3, 2):
        mean = chroma[b, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8].mean((0, 1)) * CHROMA_SCALE
        nearest = ((BIN_CENTRES - mean) ** 2).sum(-1).argmin()
        assert truth[b, row, column] == nearest
        expected = log_softmax(logits[b, row, column].astype(float))[nearest]
        assert log_likelihood[b, row, column] == pytest.approx(expected, abs=1e-4)


def test_the_balanced_mean_weighs_rare_bins_more_and_all_cells_one_on_average():
    truth = np.array([[[7, 7, 7, 100]], [[7, 7, 7, 7]]])
    log_likelihood = np.where(truth == 7, -1.0, -3.0)
    found = summarize(Cells(truth, log_likelihood))
    np.testing.assert_allclose(found["log_likelihood"], [-1.5, -1.0])
    common, rare = (1 / (0.5 * share + 0.5 / 313) for share in (7 / 8, 1 / 8))
    scale = (7 * common + rare) / 8
    expected = np.array([(-3 * common - 3 * rare) / 4, -common]) / scale
    np.testing.assert_allclose(found["log_likelihood_balanced"], expected, rtol=1e-5)
    assert rarity(truth)[truth].mean() == pytest.approx(1, abs=1e-6)


def test_no_other_distribution_scores_higher_than_the_true_one():
    """The mean log-likelihood of colours drawn from a distribution, under it and under others."""
    rng = np.random.default_rng(1)
    logits = np.log(rng.dirichlet(np.full(313, 0.05)) + 1e-9).astype(np.float32)
    drawn = BIN_CENTRES[rng.choice(313, 4000, p=np.exp(log_softmax(logits.astype(float))))]
    chroma = np.broadcast_to(drawn[:, None, None] / CHROMA_SCALE, (4000, 8, 8, 2)).astype(np.float32)

    def mean(logits):
        everywhere = jnp.broadcast_to(logits, (4000, 1, 1, 313))
        return float(score_cells(everywhere, jnp.asarray(chroma)).log_likelihood.mean())

    best = mean(logits)
    uniform = np.zeros(313, np.float32)
    for other in (
        0.5 * logits,
        2 * logits,
        uniform,
        logits + np.asarray(jax.random.normal(jax.random.key(0), 313)),
    ):
        assert mean(other) < best
