"""What a network is trained to do: what goes in, what comes out, and how it is drawn.

Pictures are sRGB 0..1 `[b, h, w, 3]`, or `[b, h, w, 4]` where the gray picture to start from is given beside the
colours (pairs); luma is -1..1 `[b, h, w, 1]`, what is predicted about -1..1 `[b, h, w, channels]`.
"""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Array, Float

Pictures = Float[Array, "b h w _"]


class Views(NamedTuple):
    """What the network is given of a set of pictures."""

    luma: Float[Array, "b h w 1"]
    hints: Float[Array, "b h w c"] | None  # None: it takes none


class Examined(NamedTuple):
    """What an evaluation gives the network, what it should predict, and the picture that this is drawn as."""

    luma: Float[Array, "b h w 1"]
    target: Float[Array, "b h w c"]
    truth: Float[Array, "b h w 3"]


class Task(NamedTuple):
    """Pure functions, for use in the steps."""

    channels: int  # of what is predicted
    gray_to_luma: Callable[[Float[Array, "b h w 1"]], Float[Array, "b h w 1"]]
    view: Callable[[Array, Pictures], tuple[Views, Float[Array, "b h w c"]]]  # key, pictures -> views, target
    examine: Callable[[Array, Pictures], Examined]  # a key for each picture, pictures
    draw: Callable[[Float[Array, "b h w 1"], Float[Array, "b h w c"]], Float[Array, "b h w 3"]]
    # What the metrics are compared with: pictures by name
    anchors: Callable[[Examined], dict[str, Float[Array, "b h w 3"]]]
