import hashlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy
from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict

import hybridvit
from configs import ssl_vit
from hybridvit.color.bins import NUM_BINS, rebalancing_weights
from hybridvit.inference import weights
from hybridvit.inference.predictor import Predictor
from hybridvit.inference.weights import Weights, load_weights, save_weights
from hybridvit.models.generator import build_generator
from hybridvit.models.hybrid_conv_vit import HybridConvViT
from hybridvit.runtime.checkpoint import Checkpoints
from hybridvit.runtime.mesh import build_mesh
from hybridvit.train import describe_run
from hybridvit.training.state import build_networks, create_state


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


def test_a_file_of_0_1_colours_as_its_network_does(tiny, tmp_path):
    """Its metadata name no field that is newer; written here by hand as 0.1 wrote them."""
    params = flatten_dict(tiny.params, sep="/")
    keys = iter(jax.random.split(jax.random.key(3), len(params)))
    arrays = {  # away from the zeros that blocks start with
        name: (x + 0.1 * np.asarray(jax.random.normal(next(keys), x.shape))).astype(
            np.float16 if np.ndim(x) > 1 else np.float32
        )
        for name, x in params.items()
    }
    model = {"name": "HybridConvViT", "variant": "test", "hints": True, "dtype": "float32", "remat": False}
    about = {"format": "hybridvit-weights-1", "model": json.dumps(model), "name": "release-192 at step 860"}
    path = tmp_path / "old.safetensors"
    safetensors.numpy.save_file(arrays | {"log_rarity": tiny.log_rarity}, path, metadata=about)

    colorizer = hybridvit.load(path)
    assert (colorizer.name, colorizer.digest) == (
        "release-192 at step 860",
        hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    direct = HybridConvViT(
        "test", channels=2, hint_channels=3, dtype="float32", remat=False, rngs=nnx.Rngs(0)
    )
    widened = {name: jnp.asarray(x, jnp.float32) for name, x in arrays.items()}
    nnx.update(direct, unflatten_dict(widened, sep="/"))
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, (1, 128, 64)).astype(np.float32)  # of a size that is not padded
    mask = rng.uniform(size=L.shape) < 0.01
    ab = rng.uniform(-60, 60, (*L.shape, 2)).astype(np.float32)
    for hints in (None, (ab, mask)):
        found = colorizer.predictor(L, hints)
        given = None
        if hints is not None:
            known = mask[..., None].astype(np.float32)
            given = jnp.concatenate([ab / 110 * known, known], -1)
        expected = direct(jnp.asarray(L[..., None]) / 50 - 1, given)
        np.testing.assert_allclose(found.mean, 110 * expected.chroma, atol=1e-2)
        np.testing.assert_allclose(found.logits, expected.bins - tiny.log_rarity, atol=1e-3)
        assert np.ptp(found.mean) > 1


def test_what_was_trained_in_half_precision_is_computed_in_full(lite_weights):
    low = lite_weights.model.copy_and_resolve_references()
    with low.unlocked():
        low.dtype = "bfloat16"
    L = np.random.default_rng(0).uniform(0, 100, (1, 64, 64)).astype(np.float32)
    found, expected = (Predictor(w)(L) for w in (lite_weights._replace(model=low), lite_weights))
    np.testing.assert_array_equal(found.mean, expected.mean)


def test_where_the_encoder_came_from_is_not_told(tiny, tmp_path):
    model = tiny.model.copy_and_resolve_references()
    with model.unlocked():
        model.encoder_weights = "/home/someone/lite2.safetensors"
    save_weights(tiny._replace(model=model), tmp_path / "w.safetensors")
    found = load_weights(tmp_path / "w.safetensors")
    assert found.model.encoder_weights == ""
    save_weights(found, tmp_path / "again.safetensors")
    assert b"someone" not in (tmp_path / "again.safetensors").read_bytes()


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (70, 40), (100, 64)])
def test_pictures_of_any_size(lite_weights, size):
    """Not only multiples of the encoder's 32 px; and the padding counts as little as it can."""
    rng = np.random.default_rng(0)
    L = rng.uniform(0, 100, (2, *size)).astype(np.float32)
    mask = rng.uniform(size=L.shape) < 0.02
    ab = rng.uniform(-60, 60, (*L.shape, 2)).astype(np.float32)
    predictor = Predictor(lite_weights)
    for hints in (None, (ab, mask)):
        found = predictor(L, hints)
        assert found.mean.shape == (2, *size, 2)
        assert found.logits.shape == (2, -(-size[0] // 8), -(-size[1] // 8), NUM_BINS)
        assert np.isfinite(found.mean).all()
    to = [(0, -side % 64) for side in size]
    whole = predictor(np.pad(L, [(0, 0), *to], mode="edge"))
    np.testing.assert_allclose(predictor(L).mean, whole.mean[:, : size[0], : size[1]], atol=1e-4)


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
