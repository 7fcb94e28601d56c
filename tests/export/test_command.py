import numpy as np
import pytest

from hybridvit.export import command as export
from hybridvit.export import write
from hybridvit.inference.weights import PRETRAINED, load_weights
from hybridvit.runtime.devices import start_devices


@pytest.fixture
def written(monkeypatch) -> list:
    """What was to be written; the writing itself is another test's."""
    written = []

    def save(weights, path) -> None:
        written.append(weights.name)
        path.write_bytes(bytes(2_500_000))

    monkeypatch.setattr(write, "SAVE", dict.fromkeys(export.SUFFIXES, save))
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    return written


def test_the_suffixes_are_those_that_are_written():
    assert set(export.SUFFIXES) == set(write.SAVE)


def test_the_released_weights(written, tmp_path, capsys):
    export.main([f"--output={tmp_path / 'a.onnx'}"])
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'a.onnx'}: 2.5 MB\n"
    assert err == f"hybridvit: computing on {start_devices()}\n"
    assert written == [load_weights(PRETRAINED).name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--output=a.pt"],
            "hybridvit: --output a.pt: end it in .onnx or .stablehlo, which says what is written",
        ),
        (["--output=no/a.onnx"], "hybridvit: --output no/a.onnx: no such folder"),
        (["--output=a.onnx", "--weights=no"], "hybridvit: no weights at no: give"),
        ([], "hybridvit: one of the arguments --output --web is required (see"),
    ],
)
def test_mistakes_are_one_line(written, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        export.main(words)
    assert exit_.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_the_license_of_the_released_weights_is_stated():
    about = write.about(load_weights(PRETRAINED))
    assert about.license == "MIT AND Apache-2.0"  # the encoder's part of them
    assert about.multiple == 32
    assert np.isfinite(about.log_rarity).all()
