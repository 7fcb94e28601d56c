"""What each of JAX's primitives is in ONNX: `OPERATORS[name](graph, equation, operands)` gives the results.

A result's shape is the equation's, or has a 1 where the value is the same all along an axis (`OnnxGraph.full`).
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hybridvit.export.onnx_graph import TYPES, OnnxGraph, Operator, Value


def _shape(equation: Any, result: int = 0) -> tuple[Any, ...]:
    return equation.outvars[result].aval.shape


def _full(graph: OnnxGraph, equation: Any, operands: Sequence[Value], i: int = 0) -> str:
    return graph.full(operands[i], equation.invars[i].aval.shape)


def _one(name: str, shape: Sequence[Any]) -> list[Value]:
    return [Value(name, None, tuple(shape))]


def _broadcast(operands: Sequence[Value]) -> tuple[Any, ...]:
    """The shape that operators make of operands that are numbers, or have one rank."""
    shapes = [value.shape for value in operands if value.shape]
    return tuple(next((size for size in sizes if not _is(size, 1)), 1) for sizes in zip(*shapes, strict=True))


def _is(size: Any, number: int) -> bool:
    return isinstance(size, int | np.integer) and bool(size == number)


def _elementwise(make: Callable[..., str]) -> Operator:
    def convert(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
        names = [graph.name(value) for value in operands]
        return _one(make(graph, *names), _broadcast(operands))

    return convert


def _operator(name: str) -> Operator:
    return _elementwise(lambda graph, *names: graph.add(name, *names))


def _power(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    x, y = graph.name(operands[0]), equation.params["y"]
    if y in (2, 3):
        square = graph.add("Mul", x, x)
        return _one(square if y == 2 else graph.add("Mul", square, x), operands[0].shape)
    return _one(graph.add("Pow", x, graph.constant(np.float32(y))), operands[0].shape)


def _cast(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    to, given = TYPES[np.dtype(equation.params["new_dtype"])], TYPES[np.dtype(equation.invars[0].aval.dtype)]
    name = graph.name(operands[0])
    return _one(name if to == given else graph.add("Cast", name, to=to), operands[0].shape)


def _size_value(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    number = graph.add("Squeeze", graph.size(equation.params["dim"]))
    return _one(graph.add("Cast", number, to=TYPES[np.dtype(equation.outvars[0].aval.dtype)]), ())


def _iota(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    shape, axis = _shape(equation), equation.params["dimension"]
    zero, one = (graph.constant(np.array(number, np.int64)) for number in (0, 1))
    line = graph.add("Range", zero, graph.add("Squeeze", graph.size(shape[axis])), one)
    line = graph.add("Cast", line, to=TYPES[np.dtype(equation.params["dtype"])])
    kept = [size if i == axis else 1 for i, size in enumerate(shape)]
    return _one(graph.add("Reshape", line, graph.constant(_lengths(kept))), kept)


def _lengths(shape: Sequence[Any]) -> np.ndarray:
    """For Reshape, of a shape with one symbolic size at most."""
    return np.array([size if isinstance(size, int | np.integer) else -1 for size in shape], np.int64)


def _reshaped(graph: OnnxGraph, name: str, shape: Sequence[Any]) -> str:
    symbolic = sum(not isinstance(size, int | np.integer) for size in shape)
    return graph.add("Reshape", name, graph.constant(_lengths(shape)) if symbolic < 2 else graph.shape(shape))


def _reshape(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    name = _full(graph, equation, operands)
    return _one(_reshaped(graph, name, _shape(equation)), _shape(equation))


def _broadcast_in_dim(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    value = operands[0]
    if not equation.invars[0].aval.shape:
        return [value]
    axes = equation.params["broadcast_dimensions"]
    kept = [1] * len(_shape(equation))
    for axis, size in zip(axes, value.shape, strict=True):
        kept[axis] = size
    added = [i for i in range(len(kept)) if i not in axes]
    name = graph.name(value)
    if added:
        name = graph.add("Unsqueeze", name, graph.constant(np.array(added, np.int64)))
    return _one(name, kept)


def _transpose(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    order = equation.params["permutation"]
    name = graph.add("Transpose", graph.name(operands[0]), perm=order)
    return _one(name, [operands[0].shape[i] for i in order])


def _concatenate(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    axis = equation.params["dimension"]
    parts = [
        _full(graph, equation, operands, i)
        for i, var in enumerate(equation.invars)
        if not _is(var.aval.shape[axis], 0)
    ]
    return _one(parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=axis), _shape(equation))


def _split(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    sizes = graph.constant(np.array(equation.params["sizes"], np.int64))
    name = _full(graph, equation, operands)
    found = graph.add_many("Split", name, sizes, outputs=len(equation.outvars), axis=equation.params["axis"])
    return [Value(name, None, _shape(equation, i)) for i, name in enumerate(found)]


def _slice(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    starts, limits = equation.params["start_indices"], equation.params["limit_indices"]
    steps = equation.params["strides"] or (1,) * len(starts)
    parts = [graph.shape(sizes) for sizes in (starts, limits, range(len(starts)), steps)]
    return _one(graph.add("Slice", _full(graph, equation, operands), *parts), _shape(equation))


def _pad(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    low, high, between = zip(*equation.params["padding_config"], strict=True)
    name = _full(graph, equation, operands)
    if any(not _is(size, 0) for size in between):
        raise NotImplementedError("padding between elements in an ONNX graph")
    if all(_is(size, 0) for size in (*low, *high)):
        return _one(name, _shape(equation))
    return _one(graph.add("Pad", name, graph.shape((*low, *high)), graph.name(operands[1])), _shape(equation))


def _reduce(operator: str) -> Operator:
    def convert(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
        axes = graph.constant(np.array(equation.params["axes"], np.int64))
        name = graph.add(operator, _full(graph, equation, operands), axes, keepdims=0)
        return _one(name, _shape(equation))

    return convert


def _dot(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    (left_axes, right_axes), (left_batch, right_batch) = equation.params["dimension_numbers"]
    left, right = (_full(graph, equation, operands, i) for i in range(2))
    left_rank, right_rank = (len(var.aval.shape) for var in equation.invars)
    count = len(left_batch)
    lead = tuple(range(count))
    plain = left_batch == lead == right_batch and left_axes == (left_rank - 1,) and len(right_axes) == 1
    if plain and right_rank == count + 2 and (count == 0 or left_rank == count + 2):
        if right_axes[0] == right_rank - 1:
            right = graph.add("Transpose", right, perm=(*lead, right_rank - 1, right_rank - 2))
        return _one(graph.add("MatMul", left, right), _shape(equation))
    if (
        left_rank == 2
        and left_axes == (1,)
        and not count
        and len(right_axes) == 1 < right_rank - right_axes[0]
    ):
        return _one(_matrix_along(graph, equation, left, right, right_axes[0]), _shape(equation))
    letters = iter("abcdefghijklmnopqrstuvwxyz")
    l_names, r_names = ([""] * rank for rank in (left_rank, right_rank))
    for i, j in (*zip(left_batch, right_batch, strict=True), *zip(left_axes, right_axes, strict=True)):
        l_names[i] = r_names[j] = next(letters)
    l_names, r_names = ([name or next(letters) for name in names] for names in (l_names, r_names))
    result = [l_names[i] for i in left_batch]
    result += [name for i, name in enumerate(l_names) if i not in (*left_batch, *left_axes)]
    result += [name for i, name in enumerate(r_names) if i not in (*right_batch, *right_axes)]
    rule = f"{''.join(l_names)},{''.join(r_names)}->{''.join(result)}"
    return _one(graph.add("Einsum", left, right, equation=rule), _shape(equation))


def _matrix_along(graph: OnnxGraph, equation: Any, matrix: str, values: str, axis: int) -> str:
    """A matrix times one axis of a map, which is not the last: Einsum would transpose the map before and after."""
    shape, rows = equation.invars[1].aval.shape, equation.invars[0].aval.shape[0]
    before, after = shape[:axis], shape[axis + 1 :]
    if len(after) > 1:
        values = _reshaped(graph, values, (*before, shape[axis], math.prod(after)))
    values = graph.add("MatMul", matrix, values)
    if len(after) > 1:
        values = _reshaped(graph, values, (*before, rows, *after))
    others = (i for i in range(len(shape)) if i != axis)
    return graph.add("Transpose", values, perm=(axis, *others))


def _conv(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    params, spec = equation.params, equation.params["dimension_numbers"]
    if set(params["lhs_dilation"]) != {1} or params["batch_group_count"] != 1:
        raise NotImplementedError("a transposed convolution in an ONNX graph")
    x = graph.add("Transpose", _full(graph, equation, operands), perm=spec.lhs_spec)
    kernel = operands[1].constant
    if kernel is None:
        raise NotImplementedError("a computed convolution kernel in an ONNX graph")
    low, high = zip(*params["padding"], strict=True)
    y = graph.add(
        "Conv",
        x,
        graph.constant(kernel.transpose(spec.rhs_spec)),
        strides=params["window_strides"],
        dilations=params["rhs_dilation"],
        pads=[int(size) for size in (*low, *high)],
        group=params["feature_group_count"],
    )
    return _one(graph.add("Transpose", y, perm=np.argsort(spec.out_spec).tolist()), _shape(equation))


def _top_k(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    name, k = _full(graph, equation, operands), graph.size(equation.params["k"])
    axis = equation.params.get("axis", len(_shape(equation)) - 1)
    found, index = graph.add_many("TopK", name, k, outputs=2, axis=axis)
    index = graph.add("Cast", index, to=TYPES[np.dtype(np.int32)])
    return [*_one(found, _shape(equation)), *_one(index, _shape(equation, 1))]


def _gather(graph: OnnxGraph, equation: Any, operands: Sequence[Value]) -> list[Value]:
    """Two kinds: one place along an axis; and vectors of the first axis that is no batch's. All within bounds."""
    numbers = equation.params["dimension_numbers"]
    data, index = (_full(graph, equation, operands, i) for i in range(2))
    batch, taken = numbers.operand_batching_dims, numbers.start_index_map
    index_rank = len(equation.invars[1].aval.shape)
    index = graph.add("Cast", index, to=TYPES[np.dtype(np.int64)])
    if numbers.collapsed_slice_dims == taken and len(taken) == 1:
        if index_rank == 1:
            return _one(
                graph.add("Gather", data, graph.add("Squeeze", index), axis=taken[0]), _shape(equation)
            )
        first = tuple(range(len(batch)))
        offsets = tuple(range(index_rank - 1, len(_shape(equation))))
        leading = batch == first == numbers.start_indices_batching_dims and taken == (len(batch),)
        if leading and numbers.offset_dims == offsets:
            return _one(graph.add("GatherND", data, index, batch_dims=len(batch)), _shape(equation))
    raise NotImplementedError("this kind of indexing in an ONNX graph")


_ONE = np.float32(1)
OPERATORS: dict[str, Operator] = {
    **{
        name: _operator(operator)
        for name, operator in {
            **{"add": "Add", "add_any": "Add", "sub": "Sub", "mul": "Mul", "div": "Div", "neg": "Neg"},
            **{"max": "Max", "min": "Min", "abs": "Abs", "exp": "Exp", "log": "Log", "tanh": "Tanh"},
            **{"sin": "Sin", "cos": "Cos", "erf": "Erf", "logistic": "Sigmoid", "sqrt": "Sqrt"},
            **{"eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual"},
        }.items()
    },
    "ne": _elementwise(lambda graph, x, y: graph.add("Not", graph.add("Equal", x, y))),
    "rsqrt": _elementwise(lambda graph, x: graph.add("Reciprocal", graph.add("Sqrt", x))),
    "square": _elementwise(lambda graph, x: graph.add("Mul", x, x)),
    "log1p": _elementwise(lambda graph, x: graph.add("Log", graph.add("Add", x, graph.constant(_ONE)))),
    "select_n": _elementwise(lambda graph, which, no, yes: graph.add("Where", which, yes, no)),
    "stop_gradient": lambda graph, equation, operands: list(operands),
    "copy": lambda graph, equation, operands: list(operands),
    "integer_pow": _power,
    "convert_element_type": _cast,
    "dim_as_value": _size_value,
    "iota": _iota,
    "reshape": _reshape,
    "squeeze": _reshape,
    "expand_dims": _reshape,
    "broadcast_in_dim": _broadcast_in_dim,
    "transpose": _transpose,
    "concatenate": _concatenate,
    "split": _split,
    "slice": _slice,
    "pad": _pad,
    "reduce_sum": _reduce("ReduceSum"),
    "reduce_max": _reduce("ReduceMax"),
    "dot_general": _dot,
    "conv_general_dilated": _conv,
    "top_k": _top_k,
    "gather": _gather,
}
