"""The network of the page that colours by itself, as ONNX graphs: what is seen of a photograph, and its colours.

What a pretrained encoder sees does not depend on hints, so the page runs `ENCODER` once a photograph and only `DECODER`
for each hint; its `room`, whatever is in it, is as long as there are cells of 4 px with hints, 1 to 128. Models without
an encoder are a decoder alone, of lightness and hints. Kernels are kept as float16, as in released weights, and made
float32 when the file is loaded: half the bytes, and the same arithmetic on all machines.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np

from hybridvit.export.write import check, given_with_room, symbols
from hybridvit.extras import needing
from hybridvit.inference.exported import OUTPUTS
from hybridvit.inference.weights import Weights, at_inference
from hybridvit.models.generator import build_generator
from hybridvit.models.hint_propagation import hint_cells_at_most
from hybridvit.models.pretrained_half import Seen

ENCODER, DECODER = "encoder.onnx", "decoder.onnx"


def write_graphs(weights: Weights, folder: pathlib.Path) -> list[str]:
    """Writes the graphs; returns the names of the files.

    Raises ModuleNotFoundError without `onnx`, ValueError for a model that is not exported or that float16 cannot hold.
    """
    with needing("onnx", "ONNX files need"):
        from hybridvit.export.onnx_graph import OnnxGraph
        from hybridvit.export.onnx_operators import OPERATORS
    check(weights)
    generator = build_generator(at_inference(weights.model))
    params = jax.tree.map(jnp.asarray, weights.params)
    luma, hints, room = given_with_room(weights, (1, 3))
    see = generator.see
    seen = see and jax.eval_shape(see, params, luma)

    def paint(luma, *rest):
        *seen, hints, room = rest
        with hint_cells_at_most(room.shape[0]):
            prediction = generator.paint(params, luma, Seen(*seen) if seen else None, hints)
        return prediction.chroma, prediction.bins - jnp.asarray(weights.log_rarity)

    graphs = {
        DECODER: (
            paint,
            {"luma": luma, **(seen._asdict() if seen else {}), "hints": hints, "room": room},
            OUTPUTS,
        )
    }
    if see:
        graphs[ENCODER] = (lambda luma: tuple(see(params, luma)), {"luma": luma}, Seen._fields)
    for name, (function, inputs, outputs) in graphs.items():
        jaxpr = jax.make_jaxpr(function)(*inputs.values())
        model = OnnxGraph({**symbols(weights), "k": ("room", 0, 1)}, OPERATORS).convert(
            jaxpr, list(inputs), outputs
        )
        halve(model, weights.name)
        (folder / name).write_bytes(model.SerializeToString())
    return list(graphs)


def halve(model, name: str) -> None:
    """Makes kernels float16 in the file, and float32 for those who use them; vectors, which are few, stay as they are.

    Raises ValueError for weights that float16 cannot hold.
    """
    from onnx import TensorProto, helper, numpy_helper

    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or sum(size > 1 for size in values.shape) < 2:
            kept.append(tensor)
            continue
        half = values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"{name}: its weights are too large for float16")
        kept.append(numpy_helper.from_array(half, f"{tensor.name}_half"))
        casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend([*casts, *nodes])
