"""Which nodes the outputs of U-Net++ and UNet 3+ depend on: the figures of the papers, by changing one at a time."""

import copy

import jax
import numpy as np
from flax import nnx
from flax.traverse_util import flatten_dict, unflatten_dict

from hybridvit.models.unet_3_plus import UNet3Plus
from hybridvit.models.unet_plus_plus import UNetPlusPlus


def find_dependents(network, room):
    """For each module in `room`, which outputs (side outputs in their order, the chroma last) change with it."""
    graph, state = nnx.split(network("test", rngs=nnx.Rngs(0)))
    state = nnx.to_pure_dict(state)
    luma = jax.random.normal(jax.random.key(0), (1, 16, 32, 1))

    @jax.jit
    def run(state):
        prediction = nnx.merge(graph, state)(luma, None)
        return *prediction.side_outputs, prediction.chroma

    outputs, found = run(state), {}
    for name in state[room]:
        flat = flatten_dict(copy.deepcopy(state))
        flat = {path: x + 0.5 if path[:2] == (room, name) else x for path, x in flat.items()}
        changed = run(unflatten_dict(flat))
        found[name] = [bool(np.abs(a - b).max() > 1e-6) for a, b in zip(changed, outputs, strict=True)]
    return found


def test_a_side_output_of_unet_plus_plus_is_a_shallower_network():
    # Zhou et al. 2018, figure 1 and section 3.2: xij is used by x0j and those to its right that lie above it, so that
    # the network can be pruned behind any of them
    for name, outputs in find_dependents(UNetPlusPlus, "nodes").items():
        row, column = map(int, name[1:])
        expected = [row + column <= j and (row > 0 or column <= j) for j in (1, 2)]
        assert outputs == expected, name


def test_a_stage_of_unet_3_plus_sees_all_of_the_encoder_and_what_lies_below():
    # Huang et al. 2020, figures 1c and 2; three stages here; side outputs are 1 and 2, the chroma 0 (full resolution)
    assert all(all(outputs) for outputs in find_dependents(UNet3Plus, "encoder").values())
    for name, outputs in find_dependents(UNet3Plus, "fusions").items():
        stage = int(name.removeprefix("stage"))
        assert outputs == [stage >= of for of in (1, 2, 0)], name
