import jax
import pytest
from ml_collections import ConfigDict

from configs import base
from hybridvit.models.generator import build_generator


@pytest.mark.parametrize(
    ("name", "variant"), [("HybridConvViT", "test"), ("HybridConvViT", "Lite-test"), ("UNet", "32")]
)
def test_what_is_said_of_parameters_is_what_is_drawn(name, variant):
    config = ConfigDict(base.get_config().model.to_dict())
    config.update(name=name, variant=variant)
    generator = build_generator(config)
    drawn = jax.eval_shape(generator.init, jax.random.key(0))
    assert jax.tree.structure(drawn) == jax.tree.structure(generator.shapes)
    said, found = ([(x.shape, x.dtype) for x in jax.tree.leaves(tree)] for tree in (generator.shapes, drawn))
    assert said == found
    assert len(said) > 10
