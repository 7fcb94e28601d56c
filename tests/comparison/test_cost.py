"""What a network costs, against counts by hand."""

import dataclasses
import time

import jax
import jax.numpy as jnp
import pytest
from clu import parameter_overview

from hybridvit.comparison import cost
from hybridvit.comparison.cost import measure_cost, median_milliseconds
from hybridvit.models.prediction import Prediction
from hybridvit.training.state import build_networks


def test_parameters_are_the_generators_alone(tiny_config, monkeypatch):
    monkeypatch.setattr(cost, "REPEATS", 2)
    tiny_config.adversarial.weight = 0.1
    found = measure_cost(tiny_config)
    params, *_ = jax.eval_shape(build_networks(tiny_config).init, jax.random.key(0))
    assert found.parameters == parameter_overview.count_parameters(params)
    assert found.milliseconds > 0


def test_flops_of_a_matrix_product(tiny_config, monkeypatch):
    side = tiny_config.eval.image_size
    networks = build_networks(tiny_config)

    def generate(variables, luma, hints):
        product = luma[..., 0] @ variables["weights"]
        return Prediction(jnp.stack([product, product], -1))

    def init(key):
        return {"weights": jnp.ones((side, 7 * side))}, {}, {}, {}

    stub = dataclasses.replace(networks, generate=generate, init=init)
    monkeypatch.setattr(cost, "build_networks", lambda config: stub)
    found = measure_cost(tiny_config)
    assert found.gflops == pytest.approx(2 * side * side * 7 * side / 1e9, rel=1e-3)
    assert found.parameters == 7 * side * side


def test_the_median_leaves_the_first_and_the_slow_ones_out():
    pauses = iter([0.2, *[0.002] * 20, *[0.02] * 10])
    assert 2 <= median_milliseconds(lambda: time.sleep(next(pauses))) < 20
