import hashlib
import json

import jax
import numpy as np
import pytest
import safetensors.numpy

from configs import ssl_vit
from hybridvit.checkpoint import Checkpoints
from hybridvit.color.bins import NUM_BINS, rebalancing_weights
from hybridvit.inference import weights
from hybridvit.inference.weights import Weights, load_weights, save_weights
from hybridvit.mesh import build_mesh
from hybridvit.models.generator import build_generator
from hybridvit.state import build_networks, create_state
from hybridvit.train import describe_run


@pytest.fixture
def config():
    config = ssl_vit.get_config()
    config.model.variant = "test"
    return config


@pytest.fixture
def tiny(config) -> Weights:
    params = jax.tree.map(np.asarray, build_generator(config.model).init(jax.random.key(1))[0])
    return Weights(params, np.linspace(-1, 1, NUM_BINS, dtype=np.float32), config.model, "tiny", "")


def test_round_trip_at_half_precision(tiny, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(tiny, path)
    found = load_weights(path)
    assert found.name == "tiny"
    assert found.model.to_dict() == tiny.model.to_dict()
    assert found.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    np.testing.assert_array_equal(found.log_rarity, tiny.log_rarity)
    for a, b in zip(jax.tree.leaves(found.params), jax.tree.leaves(tiny.params), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-7)
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_of_a_checkpoint(config, tmp_path):
    networks, mesh = build_networks(config), build_mesh(1)
    state = create_state(networks, mesh, 0)
    state.ema = jax.tree.map(lambda x: x + 0.5, state.ema)
    state.bin_prior = state.bin_prior.at[0].set(0.3)
    with Checkpoints(tmp_path / "checkpoints", 1) as checkpoints:
        checkpoints.save(7, state, describe_run(config, 7), None)
    found = load_weights(tmp_path)
    assert found.name == f"{config.name} at step 7"
    assert len(found.digest) == 64
    for a, b in zip(jax.tree.leaves(found.params), jax.tree.leaves(state.ema), strict=True):
        np.testing.assert_array_equal(a, b)
    expected = np.log(rebalancing_weights(state.bin_prior, config.bins.uniform_mix))
    np.testing.assert_allclose(found.log_rarity, expected, atol=1e-6)


def test_mistakes_are_one_line(tiny, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no weights at .*: give a \.safetensors file"):
        load_weights(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ValueError, match="no safetensors file"):
        load_weights(tmp_path / "text.safetensors")
    safetensors.numpy.save_file({"x": np.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not written by hybridvit"):
        load_weights(tmp_path / "other.safetensors")
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_weights(tmp_path)
    save_weights(tiny, tmp_path / "w.safetensors")
    arrays = safetensors.numpy.load_file(tmp_path / "w.safetensors")
    arrays["stem/kernel"] = arrays["stem/kernel"][:-1]
    about = {"format": weights.FORMAT, "model": json.dumps(tiny.model.to_dict()), "name": "cut"}
    safetensors.numpy.save_file(arrays, tmp_path / "cut.safetensors", metadata=about)
    with pytest.raises(ValueError, match=r"whole HybridConvViT test: .*stem"):
        load_weights(tmp_path / "cut.safetensors")


def test_the_command(tiny, tmp_path, monkeypatch, capsys):
    save_weights(tiny, tmp_path / "a.safetensors")
    arguments = [
        "weights",
        f"--checkpoint={tmp_path / 'a.safetensors'}",
        f"--output={tmp_path / 'b.safetensors'}",
    ]
    monkeypatch.setattr("sys.argv", arguments)
    weights.main()
    assert load_weights(tmp_path / "b.safetensors").digest in capsys.readouterr().out
    arguments[1] = "--checkpoint=nowhere"
    with pytest.raises(SystemExit, match="hybridvit: no weights at nowhere"):
        weights.main()
