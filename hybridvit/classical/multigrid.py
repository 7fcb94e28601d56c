"""Large systems on the pixel grid (`grid_system`), solved by multigrid in JAX.

Written in differences of neighbours, a system loses nothing in float32. Black-box multigrid (Dendy 1982; 1983 for
unsymmetric systems): a coarse grid has every second pixel; values between are interpolated by the system's own weights,
so not across edges, and residuals are gathered by those of the system with all ties turned round; a coarse system is
what the fine one is between the two (Galerkin), and the coarsest one is solved by sparse factors. A V-cycle
preconditions GMRES from the left: then what is left over is about the error itself, in units of the solution. (BiCGSTAB
needs less memory, and does not converge steadily on these systems.)
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse.linalg
from jaxtyping import Array, Float

from hybridvit.classical import grid_system
from hybridvit.classical.grid_system import OFFSETS

SMOOTHINGS = 2  # damped Jacobi steps before a coarse grid's correction, and after
DAMPING = 0.8
KEPT = 10  # directions of GMRES kept in memory before it starts again from what it has
STARTS = 5
COARSEST = 256  # px, shorter side of a grid that is solved by sparse factors
BUCKET = 128  # px: systems are filled up to multiples of it, and compiled once for each size

_TINY = 1e-30


class System(NamedTuple):
    """Weights of each pixel's neighbours, and of its target, float32."""

    weights: Float[Array, "8 h w"]
    anchor: Float[Array, "h w"]


class _Transfer(NamedTuple):
    """Weights of values between those of a coarse grid: in its rows, in its columns, and in neither."""

    beside: Float[Array, "2 h2 w1"]
    under: Float[Array, "2 h1 w2"]
    between: Float[Array, "8 h1 w1"]


class _Level(NamedTuple):
    system: System
    inverse: Float[Array, "h w"]  # of the diagonal
    interpolation: _Transfer
    gathering: _Transfer


def solve(
    weights: Float[np.ndarray, "8 h w"],
    anchor: Float[np.ndarray, "h w"],
    target: Float[np.ndarray, "c h w"],
    tolerance: float,
) -> Float[np.ndarray, "c h w"]:
    """The solution, float32: once a V-cycle would change it by less than `tolerance` (root mean square), at the latest
    after KEPT * STARTS iterations. Its error is then several times that, on hard systems about ten times.
    """
    channels, height, width = target.shape
    fill = (0, -height % BUCKET), (0, -width % BUCKET)
    system = System(
        jnp.asarray(np.pad(weights, ((0, 0), *fill)), jnp.float32),
        jnp.asarray(np.pad(anchor, fill, constant_values=1), jnp.float32),
    )
    target = np.pad(target, ((0, 0), *fill))
    levels, coarsest = _coarsen(system)
    solve_coarsest = grid_system.factorise(np.asarray(coarsest.weights), np.asarray(coarsest.anchor))

    def cycle(residual: Float[Array, "c h w"]) -> np.ndarray:
        found, residuals, rest = _descend(levels, residual)
        correction = solve_coarsest(np.asarray(rest)).astype(np.float32)
        return np.asarray(_ascend(levels, found, residuals, correction)).astype(np.float64).ravel()

    def operator(u: np.ndarray) -> np.ndarray:
        return cycle(_apply(system, u.reshape(target.shape).astype(np.float32)))

    solution, _ = scipy.sparse.linalg.gmres(
        scipy.sparse.linalg.LinearOperator((target.size,) * 2, operator, dtype=np.float64),
        cycle(jnp.asarray(target, jnp.float32)),
        rtol=0.0,
        atol=tolerance * np.sqrt(channels * height * width),
        restart=KEPT,
        maxiter=STARTS,
    )
    return solution.reshape(target.shape)[:, :height, :width].astype(np.float32)


@jax.jit
def _apply(system: System, u: Float[Array, "c h w"]) -> Float[Array, "c h w"]:
    """The system's left side."""
    ties = zip(system.weights, _neighbours(u), strict=True)
    return system.anchor * u + sum(weight * (u - neighbour) for weight, neighbour in ties)


def _neighbours(u: Float[Array, "c h w"]) -> list[Float[Array, "c h w"]]:
    _, height, width = u.shape
    padded = jnp.pad(u, ((0, 0), (1, 1), (1, 1)))
    return [padded[:, 1 + y : 1 + y + height, 1 + x : 1 + x + width] for y, x in OFFSETS]


@jax.jit
def _coarsen(system: System) -> tuple[list[_Level], System]:
    """The grids down to the coarsest one."""
    levels = []
    while min(system.anchor.shape) > COARSEST:
        diagonal = system.anchor + system.weights.sum(0)
        levels.append(_Level(system, _inverse(diagonal), _transfer(system), _transfer(_transposed(system))))
        system = _galerkin(levels[-1])
    return levels, system


def _inverse(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    usable = jnp.abs(x) > _TINY
    return jnp.where(usable, 1 / jnp.where(usable, x, 1.0), 0.0)


def _transposed(system: System) -> System:
    """The system with ties turned round; pixels that keep their targets stay so, and no anchor is below 0."""
    fixed = system.weights.sum(0) == 0
    turned = [_neighbours(weight[None])[i][0] for i, weight in enumerate(system.weights[::-1])]
    weights = jnp.where(fixed, 0.0, jnp.stack(turned))
    left = system.anchor + system.weights.sum(0) - weights.sum(0)
    return System(weights, jnp.maximum(left, 0.0))


def _transfer(system: System) -> _Transfer:
    nw, n, ne, w, e, sw, s, se = system.weights
    sides = jnp.stack([nw + w + sw, ne + e + se])  # ties to the columns beside, rows taken together
    ends = jnp.stack([nw + n + ne, sw + s + se])
    beside = sides * _inverse(sides.sum(0) + system.anchor)
    under = ends * _inverse(ends.sum(0) + system.anchor)
    between = system.weights * _inverse(system.weights.sum(0) + system.anchor)
    return _Transfer(beside[:, ::2, 1::2], under[:, 1::2, ::2], between[:, 1::2, 1::2])


def _prolong(transfer: _Transfer, shape: tuple[int, int], coarse: Float[Array, "c h2 w2"]) -> Array:
    """Values of the fine grid, of `shape`."""
    rows, columns = shape[0] // 2, shape[1] // 2  # of the pixels between
    coarse = jnp.pad(coarse, ((0, 0), (0, 1), (0, 1)))
    own = coarse[:, :-1, :-1]
    beside = transfer.beside[0] * own[..., :columns] + transfer.beside[1] * coarse[:, :-1, 1 : columns + 1]
    under = transfer.under[0] * own[:, :rows] + transfer.under[1] * coarse[:, 1 : rows + 1, :-1]
    beside_next = jnp.pad(beside, ((0, 0), (0, 1), (0, 0)))
    under_next = jnp.pad(under, ((0, 0), (0, 0), (0, 1)))
    around = (
        coarse[:, :rows, :columns],
        beside_next[:, :rows],
        coarse[:, :rows, 1 : columns + 1],
        under_next[..., :columns],
        under_next[..., 1 : columns + 1],
        coarse[:, 1 : rows + 1, :columns],
        beside_next[:, 1 : rows + 1],
        coarse[:, 1 : rows + 1, 1 : columns + 1],
    )
    between = sum(weight * u for weight, u in zip(transfer.between, around, strict=True))
    fine = jnp.zeros((len(coarse), *shape)).at[:, ::2, ::2].set(own).at[:, ::2, 1::2].set(beside)
    return fine.at[:, 1::2, ::2].set(under).at[:, 1::2, 1::2].set(between)


def _gather(level: _Level, fine: Float[Array, "c h w"]) -> Float[Array, "c h2 w2"]:
    prolong = functools.partial(_prolong, level.gathering, fine.shape[1:])
    half = (-(-size // 2) for size in fine.shape[1:])
    return jax.linear_transpose(prolong, jax.ShapeDtypeStruct((len(fine), *half), fine.dtype))(fine)[0]


def _galerkin(level: _Level) -> System:
    """The coarse system, from what it does to pixels of nine colours, of which no pixel is tied to two of one."""
    shape = level.system.anchor.shape
    height, width = (-(-size // 2) for size in shape)
    row, column = jnp.arange(height)[:, None], jnp.arange(width)
    colour = row % 3 * 3 + column % 3
    probes = jnp.concatenate([colour == jnp.arange(9)[:, None, None], jnp.ones((1, height, width), bool)])
    prolonged = _prolong(level.interpolation, shape, probes.astype(jnp.float32))
    found = _gather(level, _apply(level.system, prolonged))
    inside = _neighbours(jnp.ones((1, height, width)))
    weights = [
        -found[(row + y) % 3 * 3 + (column + x) % 3, row, column] * there[0]
        for (y, x), there in zip(OFFSETS, inside, strict=True)
    ]
    return System(jnp.stack(weights), found[9])


@jax.jit
def _descend(levels: list[_Level], residual: Float[Array, "c h w"]) -> tuple[list[Array], list[Array], Array]:
    """On each grid what the first smoothing finds, and its right side; and what remains for the coarsest."""
    found, residuals = [], []
    for level in levels:
        u = DAMPING * level.inverse * residual
        for _ in range(SMOOTHINGS - 1):
            u = _smooth(level, u, residual)
        found.append(u)
        residuals.append(residual)
        residual = _gather(level, residual - _apply(level.system, u))
    return found, residuals, residual


@jax.jit
def _ascend(levels: list[_Level], found: list[Array], residuals: list[Array], correction: Array) -> Array:
    for level, u, residual in zip(levels[::-1], found[::-1], residuals[::-1], strict=True):
        u += _prolong(level.interpolation, level.system.anchor.shape, correction)
        for _ in range(SMOOTHINGS):
            u = _smooth(level, u, residual)
        correction = u
    return correction


def _smooth(level: _Level, u: Array, residual: Array) -> Array:
    return u + DAMPING * level.inverse * (residual - _apply(level.system, u))
