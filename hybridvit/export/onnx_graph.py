"""A traced JAX function as an ONNX graph: each equation of the jaxpr becomes the ONNX operators that mean the same.

    graph = OnnxGraph({"b": ("luma", 0, 1), "h": ("luma", 1, 16), "w": ("luma", 2, 16)}, OPERATORS)
    model = graph.convert(jaxpr, ["luma", "hints"], ["chroma", "bins"])

Sizes may be symbolic (`jax.export.symbolic_shape`): they are computed in the graph from the shapes of its inputs, so
the file takes pictures of any size. Only what the flagship uses is known (`onnx_operators`). Float32 in, float32 out.

Broadcasts are left to ONNX's own operators where these broadcast; the value is made at its full size (`full`) only for
an operator that does not.
"""

import ast
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 20  # of onnxruntime 1.17 and later
IR_VERSION = 9
INLINED = ("jit", "pjit", "custom_jvp_call", "custom_vjp_call", "closed_call", "remat2", "checkpoint")
TYPES = {np.dtype(name): helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in ("f4", "i4", "i8", "?")}


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor of the graph: its name, or the constant that it is; `shape`, where 1 may stand for any size (`full`)."""

    name: str | None
    constant: np.ndarray | None
    shape: tuple[Any, ...]


Operator = Callable[["OnnxGraph", Any, Sequence[Value]], list[Value]]


class OnnxGraph:
    """Collects nodes and constants.

    `sizes` says for each symbol the input, its axis and what the size is divided by; `operators` are the known ones, by
    the names of JAX's primitives: of the graph, the equation and its operands, they give the results.
    """

    def __init__(self, sizes: Mapping[str, tuple[str, int, int]], operators: Mapping[str, Operator]):
        self._sizes, self._operators = sizes, operators
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[bytes, onnx.TensorProto] = {}
        self._dims: dict[str, str] = {}

    def convert(self, closed: Any, inputs: Sequence[str], outputs: Sequence[str]) -> onnx.ModelProto:
        """The model of a `jax.make_jaxpr` result. Raises NotImplementedError for an operation that is not known."""
        jaxpr = closed.jaxpr
        given = [Value(name, None, var.aval.shape) for name, var in zip(inputs, jaxpr.invars, strict=True)]
        found = self._run(jaxpr, [_constant(x) for x in closed.consts], given)
        for name, value, var in zip(outputs, found, jaxpr.outvars, strict=True):
            self._nodes.append(helper.make_node("Identity", [self.full(value, var.aval.shape)], [name]))
        graph = helper.make_graph(
            _needed(self._nodes, outputs),
            "hybridvit",
            [_described(name, var.aval) for name, var in zip(inputs, jaxpr.invars, strict=True)],
            [_described(name, var.aval) for name, var in zip(outputs, jaxpr.outvars, strict=True)],
        )
        used = {name for node in graph.node for name in node.input}
        graph.initializer.extend(tensor for tensor in self._constants.values() if tensor.name in used)
        return helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="hybridvit",
        )

    def add(self, operator: str, *operands: str, **attributes: Any) -> str:
        """The name of the (first) result of a new node."""
        return self.add_many(operator, *operands, outputs=1, **attributes)[0]

    def add_many(self, operator: str, *operands: str, outputs: int, **attributes: Any) -> list[str]:
        """The names of a new node's results."""
        names = [f"{operator}_{len(self._nodes)}_{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(operator, operands, names, **attributes))
        return names

    def constant(self, array: np.ndarray | np.generic) -> str:
        """The name of a constant; the same array is kept once."""
        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        key = repr((array.dtype.str, array.shape)).encode() + array.tobytes()
        if key not in self._constants:
            self._constants[key] = numpy_helper.from_array(array, f"constant_{len(self._constants)}")
        return self._constants[key].name

    def name(self, value: Value) -> str:
        """Of the tensor as it is, whatever 1 stands for in its shape."""
        return self.constant(value.constant) if value.name is None else value.name

    def full(self, value: Value, shape: Sequence[Any]) -> str:
        """The name of the tensor at the whole shape."""
        if tuple(value.shape) == tuple(shape):
            return self.name(value)
        return self.add("Expand", self.name(value), self.shape(shape))

    def shape(self, shape: Sequence[Any]) -> str:
        """The name of a shape as an int64 tensor."""
        if all(isinstance(size, int | np.integer) for size in shape):
            return self.constant(np.array(shape, np.int64))
        return self.add("Concat", *(self.size(size) for size in shape), axis=0)

    def size(self, size: Any) -> str:
        """The name of a size, a number or a symbolic one, as an int64 tensor `[1]`."""
        if isinstance(size, int | np.integer):
            return self.constant(np.array([size], np.int64))
        text = str(size)
        if text not in self._dims:
            self._dims[text] = self._compute(ast.parse(text, mode="eval").body)
        return self._dims[text]

    def _compute(self, expression: ast.expr) -> str:
        match expression:
            case ast.Constant(value=int(number)):
                return self.size(number)
            case ast.Name(id=symbol):
                source, axis, unit = self._sizes[symbol]
                whole = self.add("Shape", source, start=axis, end=axis + 1)
                return whole if unit == 1 else self.add("Div", whole, self.size(unit))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.add("Neg", self._compute(operand))
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() as op, right=right):
                operator = {ast.Add: "Add", ast.Sub: "Sub", ast.Mult: "Mul"}[type(op)]
                return self.add(operator, self._compute(left), self._compute(right))
        raise NotImplementedError(f"the size {ast.unparse(expression)} in an ONNX graph")

    def _run(self, jaxpr: Any, constants: Sequence[Value], given: Sequence[Value]) -> list[Value]:
        values = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *given), strict=True))

        def read(atom: Any) -> Value:
            return _constant(np.asarray(atom.val, atom.aval.dtype)) if hasattr(atom, "val") else values[atom]

        for equation in jaxpr.eqns:
            name, operands = equation.primitive.name, [read(atom) for atom in equation.invars]
            if name in INLINED:
                inner = equation.params.get("jaxpr", equation.params.get("call_jaxpr"))
                constants = [_constant(x) for x in getattr(inner, "consts", ())]
                results = self._run(getattr(inner, "jaxpr", inner), constants, operands)
            elif operands and all(value.constant is not None for value in operands) and _is_known(equation):
                found = equation.primitive.bind(*(value.constant for value in operands), **equation.params)
                results = [_constant(x) for x in (found if equation.primitive.multiple_results else [found])]
            elif name in self._operators:
                results = self._operators[name](self, equation, operands)
            else:
                raise NotImplementedError(f"the operation {name} in an ONNX graph")
            values.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in jaxpr.outvars]


def _constant(array: Any) -> Value:
    array = np.asarray(array)
    return Value(None, array, array.shape)


def _is_known(equation: Any) -> bool:
    """Whether all results have sizes that are numbers."""
    return all(isinstance(size, int) for var in equation.outvars for size in var.aval.shape)


def _described(name: str, aval: Any) -> onnx.ValueInfoProto:
    shape = [size if isinstance(size, int) else str(size) for size in aval.shape]
    return helper.make_tensor_value_info(name, TYPES[np.dtype(aval.dtype)], shape)


def _needed(nodes: Sequence[onnx.NodeProto], outputs: Sequence[str]) -> list[onnx.NodeProto]:
    """The nodes that the outputs depend on, in order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]
