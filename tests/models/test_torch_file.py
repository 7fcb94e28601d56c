import io
import os
import pathlib
import pickle
import zipfile

import numpy as np
import pytest

from hybridvit.models.torch_file import LEGACY_MAGIC, read_state_dict


@pytest.mark.parametrize("zipped", [True, False])
def test_reads_what_pytorch_writes(zipped, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch writes the file: pip install torch")
    network = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    whole = torch.arange(12.0).reshape(3, 4)
    state = (
        network.state_dict()
        | {
            "half": whole.half(),
            "double": whole.double(),
            "turned": whole.T,  # shares its numbers with the next, by strides and an offset
            "part": whole[1:, 2:],
            "empty": torch.zeros(0, 3),
        }
    )
    path = tmp_path / "w.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    assert zipfile.is_zipfile(path) == zipped
    found = read_state_dict(path)
    expected = torch.load(path, weights_only=True)
    assert list(found) == list(expected)
    for name, x in expected.items():
        assert found[name].dtype == x.numpy().dtype
        np.testing.assert_array_equal(found[name], x.numpy())


class Call:
    """Pickled, it asks the reader to call something."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def write_zip(path: pathlib.Path, content, compression=zipfile.ZIP_STORED) -> pathlib.Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("w/data.pkl", pickle.dumps(content, 2))
    return path


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (os.mkdir, ("made",)),
        (eval, ("1",)),
        (getattr, ({}, "keys")),
        (pickle.loads, (b"N.",)),
        (np.zeros, (9,)),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_runs_nothing(function, arguments, zipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = {"weight": Call(function, *arguments)}
    path = tmp_path / "w.pth"
    if zipped:
        write_zip(path, content)
    else:
        about = {"little_endian": True}
        path.write_bytes(b"".join(pickle.dumps(x, 2) for x in (LEGACY_MAGIC, 1001, about, content, [])))
    with pytest.raises(ValueError, match=r"w\.pth: it asks for '.*', which is not of a plain state dict"):
        read_state_dict(path)
    assert not (tmp_path / "made").exists()


def test_what_is_not_a_state_dict_is_refused_in_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file at .*gone"):
        read_state_dict(tmp_path / "gone.pth")
    for content, message in (
        ({}, "no state dict"),
        ([1], "no state dict"),
        ({"epoch": 3}, "'epoch' is no tensor: save model.state_dict"),
        ({1: 2}, "entry 1 is no tensor"),
    ):
        with pytest.raises(ValueError, match=message):
            read_state_dict(write_zip(tmp_path / "w.pth", content))
    with pytest.raises(ValueError, match="compressed"):
        read_state_dict(write_zip(tmp_path / "w.pth", {}, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(ValueError, match="not of PyTorch"):
        read_state_dict(tmp_path / "other.zip")
    for content in (b"", b"hello", pickle.dumps(3), pickle.dumps(LEGACY_MAGIC, 2) + b"\x80"):
        (tmp_path / "w.pth").write_bytes(content)
        with pytest.raises(ValueError, match=r"w\.pth") as caught:
            read_state_dict(tmp_path / "w.pth")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("count", "offset", "shape", "strides"),
    [
        (4, 1, (2, 1), (2, 1)),
        (4, 0, (5,), (1,)),  # past the end
        (4, 3, (2,), (1,)),
        (4, 0, (2, 2), (3, 2)),
        (4, 0, (100000, 100000), (0, 0)),  # one number many times
        (4, -1, (2,), (1,)),
        (4, 2, (2,), (-1,)),
        (400, 0, (400,), (1,)),  # more than there are
        (4, 0, (2, 2), (1,)),
    ],
)
def test_a_tensor_stays_within_its_numbers(count, offset, shape, strides, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch names its classes: pip install torch")

    class Storage:
        pass

    class Pickler(pickle.Pickler):
        def persistent_id(self, x):
            return ("storage", torch.FloatStorage, "0", "cpu", count) if isinstance(x, Storage) else None

    content = io.BytesIO()
    rebuild = torch._utils._rebuild_tensor_v2
    Pickler(content, 2).dump({"w": Call(rebuild, Storage(), offset, shape, strides, False, {})})
    with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
        archive.writestr("w/data.pkl", content.getvalue())
        archive.writestr("w/data/0", np.zeros(4, "<f4").tobytes())
    if shape == (2, 1):  # within them, to know that the others fail for their shapes
        np.testing.assert_array_equal(read_state_dict(tmp_path / "w.pth")["w"], np.zeros(shape))
        return
    with pytest.raises(ValueError, match=r"makes no sense|larger than the numbers|buffer is smaller"):
        read_state_dict(tmp_path / "w.pth")


def test_a_damaged_file_is_refused_and_never_crashes(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch writes the file: pip install torch")
    for zipped in (True, False):
        whole = io.BytesIO()
        torch.save({"w": torch.arange(6.0)}, whole, _use_new_zipfile_serialization=zipped)
        content = whole.getvalue()
        rng = np.random.default_rng(0)
        for _ in range(150):
            damaged = bytearray(content)
            damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
            (tmp_path / "w.pth").write_bytes(damaged[: len(content) - rng.integers(2) * rng.integers(400)])
            try:
                found = read_state_dict(tmp_path / "w.pth")
            except ValueError as error:
                assert "\n" not in str(error)  # noqa: PT017, it need not fail
            else:
                assert all(isinstance(x, np.ndarray) for x in found.values())
