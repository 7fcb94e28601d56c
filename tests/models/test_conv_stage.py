import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.models.eccv16 import Eccv16
from hybridvit.models.generator import join
from hybridvit.models.siggraph17 import Siggraph17


@pytest.mark.parametrize("network", [Eccv16, Siggraph17])
def test_remat_changes_nothing_but_memory(network):
    luma = jax.random.uniform(jax.random.key(1), (2, 16, 16, 1), minval=-1)
    results = []
    for remat in (False, True):
        model = network("test", channels=2, hint_channels=3, dtype="float32", remat=remat, rngs=nnx.Rngs(0))
        graph, *state = nnx.split(model, nnx.Param, nnx.BatchStat)
        params, stats = map(nnx.to_pure_dict, state)

        @jax.jit
        def loss(params, graph=graph, stats=stats):
            model = nnx.merge(graph, join(params, stats))
            prediction = model(luma, None, jax.random.key(0))
            aux = nnx.to_pure_dict(nnx.state(model, nnx.BatchStat))
            return jnp.square(prediction.chroma - 0.1).mean() - prediction.bins[..., 7].mean(), aux

        results.append(jax.tree.leaves(jax.grad(loss, has_aux=True)(params)))  # of the statistics too
    assert max(jnp.abs(x).max() for x in results[0]) > 0
    for plain, remade in zip(*results, strict=True):
        np.testing.assert_allclose(plain, remade, rtol=2e-3, atol=1e-5)
