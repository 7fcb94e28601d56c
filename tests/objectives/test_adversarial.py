import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from hybridvit.objectives import adversarial


def logits(*values: float) -> jax.Array:
    return jnp.array(values).reshape(1, 1, -1, 1)


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        ("hinge", 0.5 * ((0 + 0.5) / 2 + (0 + 3) / 2), -(-1 + 2) / 2),
        ("least_squares", 0.5 * ((4 + 0.25) / 2 + (1 + 4) / 2), (4 + 1) / 2),
        (
            "vanilla",
            0.5 * (np.log1p(np.exp([-3.0, -0.5])).mean() + np.log1p(np.exp([-1.0, 2.0])).mean()),
            np.log1p(np.exp([1.0, -2.0])).mean(),
        ),
    ],
)
def test_losses_by_hand(name, discriminator, generator):
    real, fake = logits(3.0, 0.5), logits(-1.0, 2.0)
    np.testing.assert_allclose(adversarial.discriminator_loss(name, real, fake), discriminator, rtol=1e-5)
    np.testing.assert_allclose(adversarial.generator_loss(name, fake), generator, rtol=1e-5)


def test_r1_of_a_linear_critic_is_half_its_squared_weights():
    weights = jax.random.normal(jax.random.key(0), (4, 4, 2))
    chroma = jax.random.normal(jax.random.key(1), (3, 4, 4, 2))

    def critic(chroma):
        return (chroma * weights).sum((1, 2, 3), keepdims=True)

    np.testing.assert_allclose(adversarial.r1_penalty(critic, chroma), 0.5 * jnp.sum(weights**2), rtol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 2.0])
def test_the_objective_is_the_loss_and_the_weighted_penalty_on_the_real(weight):
    kernel = jax.random.normal(jax.random.key(0), (4, 4, 2))
    real, fake = jax.random.normal(jax.random.key(1), (2, 3, 4, 4, 2))

    def judge(pictures):
        return (pictures * kernel).sum((1, 2, 3), keepdims=True), pictures.mean()

    config = ConfigDict({"loss": "hinge", "r1_weight": weight})
    loss, stats = adversarial.discriminator_objective(judge, real, fake, config)
    expected = adversarial.discriminator_loss("hinge", judge(real)[0], judge(fake)[0])
    np.testing.assert_allclose(loss, expected + weight * 0.5 * jnp.sum(kernel**2), rtol=1e-5)
    np.testing.assert_allclose(stats, real.mean(), rtol=1e-5)  # not those of the generated
