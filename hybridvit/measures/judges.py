"""The frozen networks that an evaluation asks about coloured pictures, and what their answers amount to.

`top1` and `fed` by the classifier (`measures.classifier`), `fid` by Inception-v3 (`models.inception_v3`), `lpips` by
AlexNet (`models.lpips`): each where the section `config.eval` names its weights.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Array, Float
from ml_collections import ConfigDict

from hybridvit.measures.classifier import build_classifier, top1_agreement
from hybridvit.measures.frechet import Moments, frechet_distance, moments_of, pooled
from hybridvit.models.inception_v3 import inception_features, load_inception
from hybridvit.models.lpips import load_lpips, lpips

CLASS = "class"
DISTANCES = {"fed": "classifier features", "fid": "inception features"}
FOLDED = 512  # pictures whose features are kept until they become moments

Looked = dict[str, Any]  # arrays, a picture a row


class Judges(NamedTuple):
    """`look(params, rgb, truth) -> Looked` is a pure function, of sRGB pictures in 0..1 `[b, h, w, 3]`."""

    params: dict[str, Any]  # by network; empty: nobody is asked
    look: Callable[[dict[str, Any], Float[Array, "b h w 3"], Float[Array, "b h w 3"]], Looked]


def load_judges(config: ConfigDict) -> Judges:
    """Those of the section `config.eval`; raises FileNotFoundError or ValueError, one line, for missing weights."""
    params: dict[str, Any] = {}
    see = None
    if config.classifier:
        try:
            params["classifier"], see = build_classifier(config.classifier)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"config.eval.classifier={config.classifier!r}: {error}; or set it to an empty string, and top1 and "
                "fed are left out"
            ) from None
    if config.inception:
        params["inception"] = load_inception(config.inception)
    if bool(config.lpips_backbone) != bool(config.lpips_linear):
        raise ValueError(
            "LPIPS needs two files: config.eval.lpips_backbone (torchvision's AlexNet) and config.eval.lpips_linear "
            "(weights/v0.1/alex.pth)"
        )
    if config.lpips_backbone:
        params["lpips"] = load_lpips(config.lpips_backbone, config.lpips_linear)

    def look(params: dict[str, Any], rgb: Float[Array, "b h w 3"], truth: Float[Array, "b h w 3"]) -> Looked:
        found: Looked = {}
        if see is not None:
            found[CLASS], found[DISTANCES["fed"]] = see(params["classifier"], rgb)
        if "inception" in params:
            found[DISTANCES["fid"]] = inception_features(params["inception"], rgb)
        if "lpips" in params:
            found["lpips"] = lpips(params["lpips"], rgb, truth)
        return found

    return Judges(params, look)


@dataclasses.dataclass
class Tally:
    """What the judges saw of one system's pictures so far."""

    rows: dict[str, list[np.ndarray]] = dataclasses.field(default_factory=dict)
    moments: dict[str, Moments] = dataclasses.field(default_factory=dict)

    def add(self, looked: Looked, count: int) -> None:
        """Takes in the first `count` rows."""
        for name, x in looked.items():
            self.rows.setdefault(name, []).append(np.asarray(x)[:count])
            if name in DISTANCES.values() and sum(map(len, self.rows[name])) >= FOLDED:
                self._fold(name)

    def verdict(self, truth: "Tally") -> dict[str, float]:
        """The measures of this system, given the true pictures' tally; no Frechet distance of a single picture."""
        found = {}
        if CLASS in self.rows:
            found["top1"] = top1_agreement(*(np.concatenate(x.rows[CLASS]) for x in (self, truth)))
        for measure, name in DISTANCES.items():
            if name not in self.rows:
                continue
            ours, true = self._fold(name), truth._fold(name)
            if ours.count > 1:
                found[measure] = frechet_distance(ours, true)
        if "lpips" in self.rows:
            found["lpips"] = float(np.mean(np.concatenate(self.rows["lpips"])))
        return found

    def _fold(self, name: str) -> Moments:
        if self.rows[name]:
            new = moments_of(np.concatenate(self.rows[name]))
            self.moments[name] = pooled(self.moments[name], new) if name in self.moments else new
            self.rows[name] = []
        return self.moments[name]
