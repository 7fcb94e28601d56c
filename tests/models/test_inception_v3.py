"""The network of FID against one in PyTorch, with the same random weights and the names of the published file."""

import jax.numpy as jnp
import numpy as np
import pytest

from hybridvit.models.inception_v3 import inception_features, layers, load_inception

REASON = "compared with a network in PyTorch: pip install torch"


def build():
    """(Basic, Inception) of PyTorch: torchvision's layers, changed as FID's are."""
    torch = pytest.importorskip("torch", reason=REASON)
    nn, f = torch.nn, torch.nn.functional

    class Basic(nn.Module):
        def __init__(self, c_in, c_out, kernel, stride=1, padding=0):
            super().__init__()
            self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False)
            self.bn = nn.BatchNorm2d(c_out, eps=0.001)

        def forward(self, x):
            return f.relu(self.bn(self.conv(x)))

    def average(x):
        return f.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)

    class A(nn.Module):
        def __init__(self, c, pool):
            super().__init__()
            self.branch1x1 = Basic(c, 64, 1)
            self.branch5x5_1, self.branch5x5_2 = Basic(c, 48, 1), Basic(48, 64, 5, padding=2)
            self.branch3x3dbl_1, self.branch3x3dbl_2 = Basic(c, 64, 1), Basic(64, 96, 3, padding=1)
            self.branch3x3dbl_3 = Basic(96, 96, 3, padding=1)
            self.branch_pool = Basic(c, pool, 1)

        def forward(self, x):
            double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
            five = self.branch5x5_2(self.branch5x5_1(x))
            return torch.cat([self.branch1x1(x), five, double, self.branch_pool(average(x))], 1)

    class B(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.branch3x3 = Basic(c, 384, 3, 2)
            self.branch3x3dbl_1, self.branch3x3dbl_2 = Basic(c, 64, 1), Basic(64, 96, 3, padding=1)
            self.branch3x3dbl_3 = Basic(96, 96, 3, 2)

        def forward(self, x):
            double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
            return torch.cat([self.branch3x3(x), double, f.max_pool2d(x, 3, 2)], 1)

    class C(nn.Module):
        def __init__(self, c, w):
            super().__init__()
            row, column = {"kernel": (1, 7), "padding": (0, 3)}, {"kernel": (7, 1), "padding": (3, 0)}
            self.branch1x1 = Basic(c, 192, 1)
            self.branch7x7_1, self.branch7x7_2 = Basic(c, w, 1), Basic(w, w, **row)
            self.branch7x7_3 = Basic(w, 192, **column)
            self.branch7x7dbl_1, self.branch7x7dbl_2 = Basic(c, w, 1), Basic(w, w, **column)
            self.branch7x7dbl_3, self.branch7x7dbl_4 = Basic(w, w, **row), Basic(w, w, **column)
            self.branch7x7dbl_5 = Basic(w, 192, **row)
            self.branch_pool = Basic(c, 192, 1)

        def forward(self, x):
            seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
            double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
            double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
            return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(average(x))], 1)

    class D(nn.Module):
        def __init__(self, c):
            super().__init__()
            self.branch3x3_1, self.branch3x3_2 = Basic(c, 192, 1), Basic(192, 320, 3, 2)
            self.branch7x7x3_1 = Basic(c, 192, 1)
            self.branch7x7x3_2 = Basic(192, 192, (1, 7), padding=(0, 3))
            self.branch7x7x3_3 = Basic(192, 192, (7, 1), padding=(3, 0))
            self.branch7x7x3_4 = Basic(192, 192, 3, 2)

        def forward(self, x):
            seven = self.branch7x7x3_2(self.branch7x7x3_1(x))
            seven = self.branch7x7x3_4(self.branch7x7x3_3(seven))
            return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, f.max_pool2d(x, 3, 2)], 1)

    class E(nn.Module):
        def __init__(self, c, largest):
            super().__init__()
            row, column = {"kernel": (1, 3), "padding": (0, 1)}, {"kernel": (3, 1), "padding": (1, 0)}
            self.branch1x1, self.branch3x3_1 = Basic(c, 320, 1), Basic(c, 384, 1)
            self.branch3x3_2a, self.branch3x3_2b = Basic(384, 384, **row), Basic(384, 384, **column)
            self.branch3x3dbl_1, self.branch3x3dbl_2 = Basic(c, 448, 1), Basic(448, 384, 3, padding=1)
            self.branch3x3dbl_3a, self.branch3x3dbl_3b = Basic(384, 384, **row), Basic(384, 384, **column)
            self.branch_pool = Basic(c, 192, 1)
            self.largest = largest

        def forward(self, x):
            three, double = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
            pooled = f.max_pool2d(x, 3, 1, 1) if self.largest else average(x)
            parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
            parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(pooled)]
            return torch.cat(parts, 1)

    class Inception(nn.Module):
        def __init__(self):
            super().__init__()
            self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = Basic(3, 32, 3, 2), Basic(32, 32, 3)
            self.Conv2d_2b_3x3 = Basic(32, 64, 3, padding=1)
            self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = Basic(64, 80, 1), Basic(80, 192, 3)
            self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = A(192, 32), A(256, 64), A(288, 64)
            self.Mixed_6a, self.Mixed_6b, self.Mixed_6c = B(288), C(768, 128), C(768, 160)
            self.Mixed_6d, self.Mixed_6e = C(768, 160), C(768, 192)
            self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = D(768), E(1280, False), E(2048, True)
            self.fc = nn.Linear(2048, 1008)

        def forward(self, x):
            x = f.interpolate(x, (299, 299), mode="bilinear", align_corners=False) * 2 - 1
            x = f.max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), 3, 2)
            x = f.max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
            for name, block in self.named_children():
                x = block(x) if name.startswith("Mixed") else x
            return x.mean((2, 3))

    return torch, Inception


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """(torch, the network, the same as our parameters, by way of a file)."""
    torch, inception = build()
    torch.manual_seed(0)
    model = inception().eval()
    with torch.no_grad():
        for name, x in model.named_parameters():
            if name.endswith("bn.weight"):
                x.uniform_(0.8, 1.5)
            elif name.endswith("bn.bias"):
                x.normal_(0, 0.1)
            elif name.endswith("conv.weight"):  # He et al. 2015: as lively at the end as at the beginning
                torch.nn.init.kaiming_normal_(x)
        for name, x in model.named_buffers():
            if name.endswith("running_mean"):
                x.normal_(0, 0.1)
            elif name.endswith("running_var"):
                x.uniform_(0.7, 1.4)
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(model.state_dict(), path)
    params = load_inception(path)
    path.unlink()  # 95 MB
    return torch, model, params


@pytest.mark.parametrize(
    "shape",
    [
        (2, 40, 56, 3),
        (1, 700, 650, 3),  # without antialiasing, as the field's program: some pixels do not count
    ],
)
def test_the_features_are_those_of_pytorch(network, shape):
    torch, model, params = network
    pictures = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(pictures.transpose(0, 3, 1, 2))).numpy()
    assert expected.shape == (shape[0], 2048)
    found = inception_features(params, jnp.asarray(pictures))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=2e-4 * expected.std())
    if shape[0] > 1:
        assert np.std(expected[0] - expected[1]) > 1e-2 * expected.std()  # they tell the pictures apart


def test_other_files_are_refused(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch writes the file: pip install torch")
    path = tmp_path / "w.pth"

    def refused(state: dict, message: str) -> None:
        torch.save(state, path)
        with pytest.raises(ValueError, match=message) as caught:
            load_inception(path)
        assert "\n" not in str(caught.value)

    refused({"fc.weight": torch.zeros(1000, 2048)}, "is torchvision's")
    refused({"x": torch.zeros(2)}, "not the Inception-v3 of FID: Conv2d_1a_3x3 is missing")
    whole = {}
    for name, width, conv in layers():
        whole[f"{name}.conv.weight"] = torch.zeros(1).expand(conv.width, width, *conv.kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            whole[f"{name}.bn.{part}"] = torch.zeros(1).expand(conv.width)
    whole = {name: x.half().contiguous() for name, x in whole.items()}
    refused({**whole, "more": torch.zeros(2)}, "it has no more")
    refused(whole | {"Mixed_7c.branch_pool.bn.bias": torch.zeros(3)}, "Mixed_7c.branch_pool is missing")
    with pytest.raises(FileNotFoundError, match="no file at"):
        load_inception(tmp_path / "gone.pth")
