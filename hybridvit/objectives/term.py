"""What an objective brings to the train step: a `Term`, made in the objective's own file, listed in `terms.py`.

The step (`training/step.py`) has the terms prepare what they need of a microbatch, runs the student once over all
pictures, and adds up the terms' losses; then those that have an opponent train it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from hybridvit.models.prediction import Prediction
from hybridvit.tasks.task import Pictures, Views

State = Any  # training.state.TrainState, which lies above
Networks = Any  # training.state.Networks, too
Metrics = dict[str, Float[Array, ""]]


class Material(NamedTuple):
    """A microbatch before the student sees it. Luma is -1..1; what is unlabeled is None where no term uses it."""

    pictures: Pictures  # labeled, sRGB 0..1
    labeled: Views  # of them
    target: Float[Array, "m h w c"]  # what should be predicted of these views
    gray: Float[Array, "n h w 1"] | None  # luma of the unlabeled pictures as they are
    unlabeled: Views | None  # of them, aged; without hints
    labeled_key: Array  # that `labeled` was drawn with
    hint_key: Array  # for the hints of `unlabeled`


class Prepared(NamedTuple):
    """What a term has made of the state and the material."""

    given: Any = None  # to the term's own functions
    changed: dict[str, Any] = {}  # fields of the state  # noqa: RUF012
    metrics: Metrics = {}  # noqa: RUF012
    hints: Float[Array, "n h w c"] | None = None  # of the unlabeled pictures; None: as they are


class Seen(NamedTuple):
    """What the student predicts; `features` are of both sets, interleaved as in `joint_batch`."""

    labeled: Prediction
    unlabeled: Prediction | None
    features: Float[Array, "mn h4 w4 f"] | None


class Answer(NamedTuple):
    """What an opponent has learnt from the student's predictions."""

    grads: dict[str, Any]  # by field of the state
    changed: dict[str, Any]
    metrics: Metrics


class Term(NamedTuple):
    """An objective as pure functions, traced within the step. The metrics of all terms have names of their own."""

    prepare: Callable[[State, Material], Prepared]
    # Parameters of its own (the field `own` of the state), what it was given, what is seen -> loss, weighted; metrics
    loss: Callable[[Any, Any, Seen], tuple[Float[Array, ""], Metrics]] | None = None
    own: str | None = None  # a field of the state that learns with the generator
    oppose: Callable[[Any, Seen], Answer] | None = None  # what it was given, what is seen
    needs_gray: bool = False  # the unlabeled pictures
