import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridvit.color.bins import NUM_BINS, rebalancing_weights
from hybridvit.inference.weights import Weights, load_weights, save_weights
from hybridvit.models.generator import build_generator
from hybridvit.runtime.mesh import build_mesh
from hybridvit.training.inherit import inherit_model, load_initial, prior_of
from hybridvit.training.state import abstract_state, build_networks


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0.05, 0.95), st.floats(0.02, 2))
def test_the_prior_is_that_of_the_weights(seed, mix, concentration):
    prior = np.random.default_rng(seed).dirichlet(np.full(NUM_BINS, concentration)).astype(np.float32)
    log_rarity = np.log(np.asarray(rebalancing_weights(jnp.asarray(prior), mix)))
    np.testing.assert_allclose(prior_of(log_rarity, mix), prior, atol=2e-5)


def test_weights_without_rebalancing_say_nothing_of_the_prior():
    np.testing.assert_allclose(prior_of(np.zeros(NUM_BINS, np.float32), 1.0), 1 / NUM_BINS)


@pytest.fixture
def file(tiny_config, tmp_path):
    """A weights file of a model with hints; its values are those of half precision."""
    params = build_generator(tiny_config.model).init(jax.random.key(7))[0]
    prior = jnp.arange(1.0, NUM_BINS + 1) / jnp.arange(1, NUM_BINS + 1).sum()
    log_rarity = np.log(np.asarray(rebalancing_weights(prior, tiny_config.bins.uniform_mix)))
    path = tmp_path / "tiny.safetensors"
    save_weights(Weights(jax.tree.map(np.asarray, params), log_rarity, tiny_config.model, "tiny", ""), path)
    return path


def test_a_file_says_which_model_it_is_and_begins_a_run(tiny_config, file):
    tiny_config.model.variant = "Ti"
    tiny_config.model.dtype = "bfloat16"
    assert inherit_model(tiny_config) is tiny_config  # nothing to inherit
    tiny_config.init_from = str(file)
    config = inherit_model(tiny_config)
    assert (config.model.variant, config.model.dtype) == ("test", "bfloat16")
    assert tiny_config.model.variant == "Ti"
    abstract = abstract_state(build_networks(config), build_mesh(1))
    ema, prior, what = load_initial(config, abstract)
    assert what == "tiny"
    jax.tree.map(np.testing.assert_array_equal, ema, load_weights(file).params)
    assert jax.tree.structure(ema) == jax.tree.structure(abstract.ema)
    np.testing.assert_allclose(
        prior, jnp.arange(1, NUM_BINS + 1) / (NUM_BINS * (NUM_BINS + 1) / 2), atol=1e-5
    )


def test_the_released_weights_can_be_trained_on(tiny_config):
    tiny_config.init_from = "pretrained"
    config = inherit_model(tiny_config)
    assert (config.model.name, config.model.variant, config.model.hints) == ("HybridConvViT", "Lite2", True)
    ema, prior, _ = load_initial(config, abstract_state(build_networks(config), build_mesh(1)))
    assert all(bool(jnp.isfinite(x).all()) for x in jax.tree.leaves(ema))
    assert float(prior.sum()) == pytest.approx(1, abs=1e-4)
    assert (
        3 < float(-(prior * jnp.log(prior + 1e-9)).sum()) < 5
    )  # nats; few colours are common, 5.7 is uniform
