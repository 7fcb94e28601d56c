"""The converter, and both networks layer by layer, against the same layers in PyTorch with random weights."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from hybridvit.color.bins import BIN_CENTRES
from hybridvit.models import eccv16, siggraph17
from hybridvit.models.conv_stage import run
from hybridvit.models.pytorch_weights import convert

torch = pytest.importorskip("torch", reason="the references are PyTorch's layers: pip install torch")
tnn = torch.nn


def stage(widths, *, relu_first=False, stride=1, dilation=1):
    layers = [tnn.ReLU()] if relu_first else []
    for i, (width_in, width) in enumerate(pairwise(widths)):
        last = stride if i == len(widths) - 2 else 1
        layers += [tnn.Conv2d(width_in, width, 3, last, dilation, dilation), tnn.ReLU()]
    return tnn.Sequential(*layers, tnn.BatchNorm2d(widths[-1]))


class Zhang(tnn.Module):
    def trunk(self, channels, w, stride):
        self.model1 = stage([channels, w, w], stride=stride)
        self.model2 = stage([w, 2 * w, 2 * w], stride=stride)
        self.model3 = stage([2 * w, 4 * w, 4 * w, 4 * w], stride=stride)
        self.model4 = stage([4 * w] + 3 * [8 * w])
        self.model5 = stage(4 * [8 * w], dilation=2)
        self.model6 = stage(4 * [8 * w], dilation=2)
        self.model7 = stage(4 * [8 * w])


class Eccv16(Zhang):
    def __init__(self, w=64):
        super().__init__()
        self.trunk(1, w, stride=2)
        self.model8 = tnn.Sequential(
            tnn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1),
            tnn.ReLU(),
            tnn.Conv2d(4 * w, 4 * w, 3, 1, 1),
            tnn.ReLU(),
            tnn.Conv2d(4 * w, 4 * w, 3, 1, 1),
            tnn.ReLU(),
            tnn.Conv2d(4 * w, 313, 1),
        )
        self.model_out = tnn.Conv2d(313, 2, 1, bias=False)

    def forward(self, lightness):
        """L, 0..100, to the maps after each stage, the logits at 1/4 and ab."""
        maps = [(lightness - 50) / 100]
        for i in range(1, 9):
            maps.append(getattr(self, f"model{i}")(maps[-1]))
        ab = self.model_out(torch.softmax(maps[-1], 1)) * 110
        return maps, tnn.functional.interpolate(ab, scale_factor=4, mode="bilinear", align_corners=False)


class Siggraph17(Zhang):
    def __init__(self, w=64):
        super().__init__()
        self.trunk(4, w, stride=1)
        self.model8up = tnn.Sequential(tnn.ConvTranspose2d(8 * w, 4 * w, 4, 2, 1))
        self.model3short8 = tnn.Sequential(tnn.Conv2d(4 * w, 4 * w, 3, 1, 1))
        self.model8 = stage(3 * [4 * w], relu_first=True)
        self.model9up = tnn.Sequential(tnn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1))
        self.model2short9 = tnn.Sequential(tnn.Conv2d(2 * w, 2 * w, 3, 1, 1))
        self.model9 = stage(2 * [2 * w], relu_first=True)
        self.model10up = tnn.Sequential(tnn.ConvTranspose2d(2 * w, 2 * w, 4, 2, 1))
        self.model1short10 = tnn.Sequential(tnn.Conv2d(w, 2 * w, 3, 1, 1))
        self.model10 = tnn.Sequential(tnn.ReLU(), tnn.Conv2d(2 * w, 2 * w, 3, 1, 1), tnn.LeakyReLU(0.2))
        self.model_class = tnn.Sequential(tnn.Conv2d(4 * w, 529, 1))
        self.model_out = tnn.Sequential(tnn.Conv2d(2 * w, 2, 1), tnn.Tanh())

    def forward(self, lightness, ab, mask):
        """L, 0..100, and hints in ab units to the maps after stages 1..7, the class logits at 1/4 and ab."""
        maps = [self.model1(torch.cat([(lightness - 50) / 100, ab / 110, mask], 1))]
        for i in range(2, 8):
            skip = 2 if i < 5 else 1
            maps.append(getattr(self, f"model{i}")(maps[-1][:, :, ::skip, ::skip]))
        x8 = self.model8(self.model8up(maps[6]) + self.model3short8(maps[2]))
        x9 = self.model9(self.model9up(x8) + self.model2short9(maps[1]))
        x10 = self.model10(self.model10up(x9) + self.model1short10(maps[0]))
        return maps, self.model_class(x8), self.model_out(x10) * 110


def randomise(network, seed=0):
    """Weights, norms and running statistics away from what they start as."""
    generator = torch.Generator().manual_seed(seed)

    def draw(x, low, high):
        x.copy_(low + (high - low) * torch.rand(x.shape, generator=generator))

    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, tnn.BatchNorm2d):
                for x, low, high in (
                    (module.weight, 0.5, 1.5),
                    (module.bias, -0.5, 0.5),
                    (module.running_mean, -0.2, 0.4),
                    (module.running_var, 0.2, 2.0),
                ):
                    draw(x, low, high)
            elif isinstance(module, tnn.Conv2d | tnn.ConvTranspose2d):
                fan = module.weight[0].numel() if isinstance(module, tnn.Conv2d) else module.in_channels * 4
                draw(module.weight, -((6 / fan) ** 0.5), (6 / fan) ** 0.5)
                if module.bias is not None:
                    draw(module.bias, -0.2, 0.2)
    return network.eval()


def eccv16_network():
    network = randomise(Eccv16(4))
    colors = BIN_CENTRES / 110 + np.random.default_rng(0).uniform(-1e-3, 1e-3, BIN_CENTRES.shape)
    with torch.no_grad():
        network.model_out.weight.copy_(torch.tensor(colors.T[:, :, None, None]))
    return network


def state_of(network):
    return {name: x.numpy() for name, x in network.state_dict().items()}


def build(network, converted):
    module = network(
        converted.variant,
        channels=2,
        hint_channels=3 if converted.hints else 0,
        dtype="float32",
        remat=False,
        rngs=nnx.Rngs(0),
    )
    nnx.update(module, jax.tree.map(jnp.asarray, converted.variables))
    return module


def from_torch(x):
    return x.detach().numpy().transpose(0, 2, 3, 1)


def check(ours, theirs):
    theirs = from_torch(theirs)
    np.testing.assert_allclose(ours, theirs, atol=2e-5 * max(1.0, np.abs(theirs).max()), rtol=1e-4)


def random_lightness(*shape):
    return np.random.default_rng(1).uniform(0, 100, shape).astype(np.float32)


def test_eccv16_layer_by_layer():
    reference = eccv16_network()
    model = build(eccv16.Eccv16, convert(state_of(reference)))
    lightness = random_lightness(2, 1, 32, 40)
    luma = jnp.asarray(lightness.transpose(0, 2, 3, 1) / 50 - 1)
    maps, ab = reference(torch.tensor(lightness))
    for i in range(1, 8):  # each alone, from the same input
        stage = getattr(model, f"stage{i}")
        check(run(stage, jnp.asarray(from_torch(maps[i - 1])), False, False), maps[i])
    check(model.up8(jnp.asarray(from_torch(maps[7]))), reference.model8[0](maps[7]))
    check(model.logits(luma, False) / eccv16.TEMPERATURE, maps[8])
    prediction = model(luma)
    check(prediction.chroma * 110, ab)
    # Their average over 2 x 2, by hand, gives the bins at 1/8.
    probs = torch.softmax(maps[8] * eccv16.TEMPERATURE, 1)
    check(jax.nn.softmax(prediction.bins), tnn.functional.avg_pool2d(probs, 2))


def test_siggraph17_layer_by_layer():
    reference = randomise(Siggraph17(4))
    model = build(siggraph17.Siggraph17, convert(state_of(reference)))
    lightness = random_lightness(2, 1, 24, 40)
    rng = np.random.default_rng(2)
    mask = (rng.uniform(size=lightness.shape) < 0.1).astype(np.float32)
    hint_ab = rng.uniform(-80, 80, (2, 2, 24, 40)).astype(np.float32) * mask
    maps, classes, ab = reference(torch.tensor(lightness), torch.tensor(hint_ab), torch.tensor(mask))
    for i in range(2, 8):
        skip = 2 if i < 5 else 1
        before = jnp.asarray(from_torch(maps[i - 2]))[:, ::skip, ::skip]
        check(run(getattr(model, f"stage{i}"), before, False, False), maps[i - 1])
    luma = jnp.asarray(lightness.transpose(0, 2, 3, 1) / 50 - 1)
    hints = jnp.asarray(np.concatenate([hint_ab / 110, mask], 1).transpose(0, 2, 3, 1))
    prediction = model(luma, hints)
    check(prediction.chroma * 110, ab)
    # The 313 of the 529 classes, by the centre that each stands for.
    centres = [(a, b) for a in range(-110, 111, 10) for b in range(-110, 111, 10)]
    kept = [centres.index((a, b)) for a, b in BIN_CENTRES.astype(int).tolist()]
    probs = torch.softmax(classes[:, kept] * 0.2, 1)
    check(jax.nn.softmax(prediction.bins), tnn.functional.avg_pool2d(probs, 2))
    maps, _, ab = reference(torch.tensor(lightness), torch.zeros(2, 2, 24, 40), torch.zeros(2, 1, 24, 40))
    check(model(luma).chroma * 110, ab)


@pytest.mark.parametrize("make", [eccv16_network, lambda: randomise(Siggraph17(4))])
def test_training_updates_the_running_statistics_as_pytorch_does(make):
    reference = make()
    converted = convert(state_of(reference))
    network = {"Eccv16": eccv16.Eccv16, "Siggraph17": siggraph17.Siggraph17}[converted.name]
    model = build(network, converted)
    lightness = random_lightness(4, 1, 16, 24)
    nothing = () if not converted.hints else (torch.zeros(4, 2, 16, 24), torch.zeros(4, 1, 16, 24))
    reference.train()
    reference(torch.tensor(lightness), *nothing)
    model(jnp.asarray(lightness.transpose(0, 2, 3, 1) / 50 - 1), None, jax.random.key(0))
    norm = reference.model1[4]
    np.testing.assert_allclose(model.stage1.norm.mean[...], norm.running_mean, rtol=1e-3, atol=1e-5)
    # PyTorch's running variance is that of the unbiased estimate, by this factor larger than the batch's own.
    count = lightness.size / (4 if converted.name == "Eccv16" else 1)
    before = converted.variables["stage1"]["norm"]["var"]
    batch = (np.asarray(model.stage1.norm.var[...]) - 0.9 * before) / 0.1
    np.testing.assert_allclose(0.9 * before + 0.1 * batch * count / (count - 1), norm.running_var, rtol=1e-3)


@pytest.mark.parametrize(
    ("reference", "millions"),
    # The table of DDColor (Kang et al. 2023) has 32.2 M for eccv16; 34.2 M are those of the authors' release.
    [(Eccv16, 32.2), (Siggraph17, 34.2)],
)
def test_the_published_sizes(reference, millions):
    with torch.device("meta"):
        theirs = sum(p.numel() for p in reference().parameters())
    name = reference.__name__
    network = {"Eccv16": eccv16.Eccv16, "Siggraph17": siggraph17.Siggraph17}[name]
    hint_channels = 3 if name == "Siggraph17" else 0
    make = lambda: network(  # noqa: E731
        "paper", channels=2, hint_channels=hint_channels, dtype="float32", remat=False, rngs=nnx.Rngs(0)
    )
    model = nnx.eval_shape(make)
    ours = sum(x.size for x in jax.tree.leaves(nnx.to_pure_dict(nnx.state(model, nnx.Param))))
    if name == "Eccv16":
        ours += model.colors.size  # a layer's weights there
    assert ours == theirs
    assert round(ours / 1e6, 1) == millions


def test_what_is_not_wholly_one_of_the_two_is_refused_in_one_line():
    whole = state_of(randomise(Siggraph17(4)))
    assert convert(whole).name == "Siggraph17"

    def without(name):
        return {key: x for key, x in whole.items() if key != name}

    with pytest.raises(ValueError, match=r"model5\.2\.bias is missing.*Siggraph17"):
        convert(without("model5.2.bias"))
    with pytest.raises(ValueError, match=r"model9\.4\.weight is none of Siggraph17's"):
        convert(whole | {"model9.4.weight": np.zeros(3)})
    with pytest.raises(ValueError, match=r"model3\.0\.weight gives \(3, 3, 8, 15\).*\(3, 3, 8, 16\)"):
        convert(whole | {"model3.0.weight": whole["model3.0.weight"][:15]})
    with pytest.raises(ValueError, match=r"model4\.6\.running_var gives"):
        convert(whole | {"model4.6.running_var": whole["model4.6.running_var"][None]})
    with pytest.raises(ValueError, match="neither eccv16 nor siggraph17"):
        convert({"conv.weight": np.zeros(3)})
    other = state_of(eccv16_network())
    other["model_out.weight"] = other["model_out.weight"][:, ::-1]
    with pytest.raises(ValueError, match=r"model_out\.weight has colours \d+ ab units"):
        convert(other)
    old = {name: x for name, x in whole.items() if not name.endswith("num_batches_tracked")}
    assert convert(old).hints  # files of before PyTorch 0.4.1 have none
