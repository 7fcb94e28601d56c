import jax
import numpy as np
import pytest
from flax import nnx

from hybridvit.inference.embedding_weights import load_embedding
from hybridvit.inference.weights import load_weights
from hybridvit.models.embedding import build_classifier


def test_without_a_file_our_own_encoder_serves():
    found = load_embedding("Lite2")
    model = nnx.eval_shape(lambda: build_classifier("Lite2", dtype="float32", rngs=nnx.Rngs(0)))
    shapes = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
    assert jax.tree.map(np.shape, found) == jax.tree.map(lambda x: x.shape, shapes)
    kernel = load_weights("pretrained").params["blocks"]["block00"]["query"]["kernel"]
    np.testing.assert_array_equal(found["blocks"]["block00"]["query"]["kernel"], kernel)


def test_mistakes_are_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"ViT-B_16 comes without weights: give its \.npz file"):
        load_embedding("ViT-B_16")
    said = "^pretrained is a HybridConvViT Lite2, not a HybridConvViT S: .* as in full:Lite2$"
    with pytest.raises(ValueError, match=said):
        load_embedding("S")
    with pytest.raises(FileNotFoundError, match="no file at"):
        load_embedding("ViT-B_16", tmp_path / "gone.npz")
