"""The Frechet distance between two sets of features, each taken for a Gaussian (Heusel et al. 2017, equation 6)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num


class Moments(NamedTuple):
    """Of `count` pictures: the mean of their features, and rows whose products add up to their scatter; float64.

    `rows.T @ rows` is the sum of the squared deviations from the mean. As rows and not as that sum, for pictures are
    often fewer than features, and nothing is squared before the distance is taken.
    """

    count: int
    mean: Float[np.ndarray, " d"]
    rows: Float[np.ndarray, "r d"]

    @property
    def covariance(self) -> Float[np.ndarray, "d d"]:
        """Unbiased (divided by `count - 1`)."""
        return self.rows.T @ self.rows / (self.count - 1)


def moments_of(features: Num[np.ndarray, "n d"]) -> Moments:
    """The moments of one picture or more."""
    features = np.asarray(features, np.float64)
    mean = features.mean(0)
    return Moments(len(features), mean, features - mean)


def pooled(first: Moments, second: Moments) -> Moments:
    """The moments of two sets together (Chan, Golub and LeVeque 1979)."""
    count = first.count + second.count
    apart = second.mean - first.mean
    between = apart * np.sqrt(first.count * second.count / count)
    rows = np.concatenate([first.rows, second.rows, between[None]])
    if len(rows) > 2 * len(apart):
        rows = np.linalg.qr(rows, mode="r")
    return Moments(count, first.mean + apart * (second.count / count), rows)


def frechet_distance(first: Moments, second: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), 0 and up; raises ValueError for less than two pictures.

    With C = R^T R, the trace of the root of C1 C2 is the sum of the singular values of R1 R2^T: exact for the
    covariances of few pictures too, where C1 C2 has no inverse and its own root is a matter of rounding.
    """
    if min(first.count, second.count) < 2:
        raise ValueError(
            f"a Frechet distance needs two pictures or more, not {min(first.count, second.count)}"
        )
    rows = [
        np.linalg.qr(one.rows, mode="r") if len(one.rows) > len(one.mean) else one.rows
        for one in (first, second)
    ]
    scales = first.count - 1, second.count - 1
    shared = np.linalg.svd(rows[0] @ rows[1].T, compute_uv=False).sum() / np.sqrt(np.prod(scales))
    spread = sum(np.sum(part**2) / scale for part, scale in zip(rows, scales, strict=True)) - 2 * shared
    return max(float(np.sum((first.mean - second.mean) ** 2) + spread), 0.0)
