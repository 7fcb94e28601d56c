"""The objectives of the train step. A new one is a file with a `make_term`, and a line here."""

from ml_collections import ConfigDict

from hybridvit.objectives import adversarial, bin_cross_entropy, consistency, restoration, supervised
from hybridvit.objectives.term import Networks, Term

OBJECTIVES = (  # each (networks, whole config, restoring) -> a term, or None where it has no part
    supervised.make_term,
    bin_cross_entropy.make_term,
    consistency.make_term,
    adversarial.make_term,
    restoration.make_term,
)


def make_terms(networks: Networks, config: ConfigDict, restoring: bool) -> list[Term]:
    """What the config asks for, from the whole of it; `restoring`: of the steps that learn no colours yet."""
    made = (make_term(networks, config, restoring) for make_term in OBJECTIVES)
    return [term for term in made if term is not None]
