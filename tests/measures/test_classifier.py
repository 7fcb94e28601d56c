import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from hybridvit.measures.classifier import Seen, build_classifier, top1_agreement


def see_by(source: pathlib.Path, rgb: np.ndarray) -> Seen:
    params, see = build_classifier(source)
    return jax.jit(see)(params, rgb)


def test_it_sees_what_the_network_says(classifier, classifier_file, photos):
    whole = np.stack([np.asarray(Image.fromarray(np.uint8(255 * x)).resize((256, 256))) for x in photos])
    whole = (whole / 255).astype(np.float32)
    logits, features = jax.jit(classifier[0])(whole)
    seen = see_by(classifier_file, whole)
    assert len(set(np.asarray(seen.top1).tolist())) > 1
    np.testing.assert_array_equal(seen.top1, np.argmax(logits, -1))
    np.testing.assert_allclose(seen.features, features, rtol=1e-4, atol=1e-4)


def test_pictures_of_another_size_are_seen_at_its_own(classifier, classifier_file, photos):
    seen = see_by(classifier_file, photos)
    resized = jax.image.resize(jnp.asarray(photos), (6, 256, 256, 3), "cubic").clip(0, 1)
    np.testing.assert_allclose(seen.features, jax.jit(classifier[0])(resized)[1], rtol=1e-3, atol=1e-3)


def test_top1_is_the_share_of_pictures_called_the_same():
    assert top1_agreement(np.array([1, 2, 3, 4]), np.array([1, 0, 3, 4])) == 0.75
    assert top1_agreement(np.array([5]), np.array([5])) == 1


def test_no_weights_and_no_variant_in_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="no encoder weights at"):
        build_classifier(tmp_path / "gone.safetensors")
    with pytest.raises(ValueError, match="does not say which network"):
        build_classifier(tmp_path / "net.pth")
