import numpy as np
import pytest

import hybridvit
from hybridvit.color.bins import BIN_CENTRES
from hybridvit.inference import convert
from hybridvit.inference.weights import load_weights
from hybridvit.models import eccv16

torch = pytest.importorskip("torch", reason="PyTorch writes the files to convert: pip install torch")


def convolution(state, name, width_in, width, size=3, transposed=False):
    rng = np.random.default_rng(len(state))
    shape = (width_in, width, size, size) if transposed else (width, width_in, size, size)
    weight = rng.normal(0, (2 / (width_in * size**2)) ** 0.5, shape)
    state[f"{name}.weight"] = torch.tensor(weight, dtype=torch.float32)
    state[f"{name}.bias"] = torch.tensor(rng.normal(0, 0.1, width), dtype=torch.float32)


def norm(state, name, width):
    for part, value in (("weight", 1.0), ("bias", 0.1), ("running_mean", 0.2)):
        state[f"{name}.{part}"] = torch.full((width,), value)
    # Of published weights they may be anything, also more than half precision holds
    state[f"{name}.running_var"] = torch.full((width,), 1e5 if name == "model1.4" else 2.0)


def eccv16_state():
    state, w = {}, eccv16.VARIANTS["test"]
    before = 1
    for i, (width, count) in enumerate([(1, 2), (2, 2), (4, 3), (8, 3), (8, 3), (8, 3), (8, 3)], 1):
        for j in range(count):
            convolution(state, f"model{i}.{2 * j}", before, width * w)
            before = width * w
        norm(state, f"model{i}.{2 * count}", before)
    convolution(state, "model8.0", 8 * w, 4 * w, 4, transposed=True)
    convolution(state, "model8.2", 4 * w, 4 * w)
    convolution(state, "model8.4", 4 * w, 4 * w)
    convolution(state, "model8.6", 4 * w, 313, 1)
    state["model_out.weight"] = torch.tensor(BIN_CENTRES.T[:, :, None, None] / 110)
    return state


def test_the_command_makes_what_load_colours_with(tmp_path, monkeypatch, capsys):
    torch.save(eccv16_state(), tmp_path / "eccv16.pth")
    output = tmp_path / "out.safetensors"
    flags = ["convert", f"--pth={tmp_path / 'eccv16.pth'}", f"--output={output}"]
    monkeypatch.setattr("sys.argv", flags)
    convert.main()
    found = load_weights(output)
    assert found.digest in capsys.readouterr().out
    assert found.name == "Eccv16 from eccv16.pth"
    given = convert.from_pytorch(tmp_path / "eccv16.pth")
    np.testing.assert_array_equal(found.params["stage1"]["norm"]["var"], 1e5)
    np.testing.assert_array_equal(found.params["colors"], BIN_CENTRES)
    kernel = given.params["stage5"]["convs"]["conv1"]["kernel"]
    np.testing.assert_allclose(
        found.params["stage5"]["convs"]["conv1"]["kernel"], kernel, rtol=1e-3, atol=1e-7
    )

    L = np.random.default_rng(0).uniform(0, 100, (1, 64, 64)).astype(np.float32)
    nothing = np.zeros((1, 64, 64, 2), np.float32), np.zeros((1, 64, 64), bool)
    ab = hybridvit.load(output).predict_ab(L, *nothing)
    assert ab.shape == (1, 64, 64, 2)
    assert np.isfinite(ab).all()
    assert ab.std() > 0


def test_mistakes_are_one_line(tmp_path, monkeypatch):
    state = eccv16_state()
    del state["model3.2.bias"]
    torch.save(state, tmp_path / "cut.pth")
    with pytest.raises(ValueError, match=r"cut\.pth: model3\.2\.bias is missing"):
        convert.from_pytorch(tmp_path / "cut.pth")
    monkeypatch.setattr("sys.argv", ["convert", "--pth=gone.pth", f"--output={tmp_path / 'x'}"])
    with pytest.raises(SystemExit, match=r"hybridvit: no file at gone\.pth"):
        convert.main()
    assert not (tmp_path / "x").exists()
