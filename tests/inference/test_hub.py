import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from flax.traverse_util import flatten_dict

import hybridvit
from hybridvit.classical.methods import load_method
from hybridvit.export import command as export
from hybridvit.inference import model_folder
from hybridvit.inference.hub import fetch_weights, parse_address, pin
from hybridvit.inference.model_folder import Measured, Rights, measured_of_run, save_model_folder
from hybridvit.inference.weights import load_weights
from hybridvit.training.inherit import is_weights_file
from tests.inference.hub_server import COMMITS, Hub, serving

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")

ROOT = pathlib.Path(__file__).parents[2]
REPOSITORY = "museum/faded"
ADDRESS = f"hf://{REPOSITORY}"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub, and nothing cached."""
    with serving() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_PROGRESS_BARS", True)
        yield hub


@pytest.fixture
def folder(tiny_weights, tmp_path) -> pathlib.Path:
    save_model_folder(tiny_weights, tmp_path / "folder", Rights("cc-by-4.0"))
    return tmp_path / "folder"


def upload(hub: Hub, folder: pathlib.Path, commit: str = COMMITS["main"], **changed: bytes) -> None:
    for path in folder.iterdir():
        hub.files[REPOSITORY, commit, path.name] = changed.get(path.stem, path.read_bytes())


def test_what_was_saved_is_loaded_from_a_folder_and_from_a_hub(hub, folder, tiny_weights):
    upload(hub, folder)
    there, here = load_weights(ADDRESS), load_weights(folder)
    assert there.digest == here.digest == json.loads((folder / "config.json").read_text())["sha256"]
    saved = flatten_dict(tiny_weights.params, sep="/")
    for name, x in flatten_dict(there.params, sep="/").items():
        np.testing.assert_allclose(x, saved[name], rtol=1e-3, atol=1e-7)
    assert (there.name, there.model.to_dict()) == (tiny_weights.name, tiny_weights.model.to_dict())
    assert is_weights_file(ADDRESS)  # for config.init_from, and eval --checkpoint
    assert is_weights_file(str(folder))


def test_a_colorizer_saves_its_weights_and_is_loaded_by_address(tiny_weights, tmp_path, hub):
    colorizer = hybridvit.Colorizer(tiny_weights)
    colorizer.save_pretrained(tmp_path / "own", license="mit")
    assert "license: mit\n" in (tmp_path / "own" / "README.md").read_text()
    upload(hub, tmp_path / "own")
    found = hybridvit.load(ADDRESS)
    L = np.random.default_rng(0).uniform(0, 100, (1, 32, 32)).astype(np.float32)
    expected, ab = (one.predictor(L).mean for one in (colorizer, found))
    np.testing.assert_allclose(ab, expected, atol=1)  # half precision
    assert np.ptp(ab) > 5
    with pytest.raises(ValueError, match="levin was not loaded from weights"):
        load_method("levin").save_pretrained(tmp_path / "levin")


def test_a_revision_is_a_branch_a_tag_or_a_commit(hub, folder, tiny_weights, tmp_path):
    upload(hub, folder)
    save_model_folder(tiny_weights._replace(name="older"), tmp_path / "older")
    upload(hub, tmp_path / "older", COMMITS["v1"])
    assert load_weights(f"{ADDRESS}@v1").name == "older"
    assert load_weights(f"{ADDRESS}@{COMMITS['v1']}").name == "older"
    assert load_weights(ADDRESS).name == tiny_weights.name
    assert pin(ADDRESS) == f"{ADDRESS}@{COMMITS['main']}"
    upload(hub, folder, "c" * 40)
    hub.answers_with = COMMITS["main"]
    with pytest.raises(ValueError, match=f"answered with another commit, {COMMITS['main']}"):
        fetch_weights(f"{ADDRESS}@{'c' * 40}")


def test_what_is_cached_needs_no_network(hub, folder, monkeypatch):
    upload(hub, folder)
    path = fetch_weights(ADDRESS)
    asked = len(hub.asked)
    assert fetch_weights(f"{ADDRESS}@{COMMITS['main']}") == path
    assert len(hub.asked) == asked  # a commit does not change
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert fetch_weights(ADDRESS) == path
    assert len(hub.asked) == asked
    with pytest.raises(FileNotFoundError, match=r"hf://museum/other: .*not in the cache.*HF_HUB_OFFLINE"):
        fetch_weights("hf://museum/other")


def test_what_is_not_as_stated_is_refused(hub, folder):
    weights = bytearray((folder / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    upload(hub, folder, model=bytes(weights))
    with pytest.raises(ValueError, match=rf"{ADDRESS} \(commit a+\): model.safetensors is damaged"):
        load_weights(ADDRESS)
    (folder / "model.safetensors").write_bytes(weights)
    with pytest.raises(ValueError, match="is damaged, or was exchanged"):
        load_weights(folder)
    (folder / "config.json").write_text("[]")
    with pytest.raises(ValueError, match="states no sha256"):
        load_weights(folder)


def test_mistakes_are_one_line(hub, folder):
    upload(hub, folder)
    hub.files["museum/other", COMMITS["main"], "README.md"] = b""
    for address, error, said in (
        ("hf://museum", ValueError, "an address on the hub is hf://OWNER/NAME"),
        ("hf://a/b/c", ValueError, "an address on the hub is"),
        ("hf://museum/none", FileNotFoundError, "no such repository, or a private one"),
        (f"{ADDRESS}@v9", FileNotFoundError, "has no revision v9"),
        ("hf://museum/other", FileNotFoundError, "has no config.json: it holds no weights of hybridvit"),
        ("hf://museum/a--b", ValueError, "hf://museum/a--b: "),
    ):
        with pytest.raises(error, match=said) as caught:
            load_weights(address)
        assert "\n" not in str(caught.value)
    hub.gated = True
    with pytest.raises(PermissionError, match="lets in who has asked"):
        load_weights(f"{ADDRESS}@v2")


def test_addresses():
    assert parse_address("hf://a.b/c-d_e@refs/pr/3") == ("a.b/c-d_e", "refs/pr/3")
    assert parse_address("hf://a/b") == ("a/b", None)


def test_hf_endpoint_and_the_offline_switch_of_the_environment(hub, folder, tmp_path):
    """As a user sets them; without JAX, which fetching does not need."""
    upload(hub, folder)
    code = (
        "import sys; from hybridvit.inference.hub import fetch_weights; "
        f"print(fetch_weights('{ADDRESS}')); assert 'jax' not in sys.modules"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home")}
    for further in ({}, {"HF_HUB_OFFLINE": "1", "HF_ENDPOINT": "http://127.0.0.1:1"}):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment | further, cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert pathlib.Path(done.stdout.strip()).read_bytes() == (folder / "model.safetensors").read_bytes()
        assert str(tmp_path / "home") in done.stdout


def test_the_hub_reads_the_card(tiny_weights, tmp_path):
    measured = Measured("5 photographs", {"psnr@0": 21.5, "ciede2000@10": 9.25})
    save_model_folder(tiny_weights, tmp_path, Rights("cc-by-4.0"), measured)
    card = huggingface_hub.ModelCard.load(tmp_path / "README.md")
    assert (card.data.license, card.data.library_name) == ("cc-by-4.0", "hybridvit")
    assert card.data.pipeline_tag == "image-to-image"
    found = {(one.metric_type, one.metric_name, one.metric_value) for one in card.data.eval_results}
    assert found == {("psnr", "PSNR, dB, 0 hints", 21.5), ("ciede2000", "CIEDE2000, 10 hints", 9.25)}
    assert f"# {tiny_weights.name}" in card.text
    with pytest.raises(ValueError, match="score 'lpips'"):
        save_model_folder(tiny_weights, tmp_path, measured=Measured("5", {"lpips": 1.0}))


def test_the_released_weights_bring_their_card_their_scores_and_the_texts_of_their_license(tmp_path, capsys):
    export.main([f"--output={tmp_path / 'mine'}"])
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'mine'}: 11.6")
    assert load_weights(tmp_path / "mine").digest == load_weights("pretrained").digest
    card = huggingface_hub.ModelCard.load(tmp_path / "mine" / "README.md")
    assert (card.data.license, card.data.license_name) == ("other", "mit-and-apache-2.0")
    scores = {
        (one.metric_type, one.metric_name.split()[-2]): one.metric_value for one in card.data.eval_results
    }
    measured = json.loads((ROOT / "docs" / "results" / "release_quality.json").read_text())["scores"]
    counts = ("0", "1", "10", "100")
    assert scores == {
        (metric, count): measured[f"mean, {count} hints"][metric]
        for metric in ("psnr", "ciede2000")
        for count in counts
    }
    for name in model_folder.LEGAL:
        assert (tmp_path / "mine" / name).read_bytes() == (ROOT / name).read_bytes()
    assert (tmp_path / "mine" / card.data.license_link).is_file()
    with pytest.raises(SystemExit):
        export.main([f"--output={tmp_path / 'mine'}", "--license=mit"])
    assert "the released weights have their license" in capsys.readouterr().err


def test_scores_are_of_these_weights(tmp_path):
    (tmp_path / "evaluation").mkdir()
    row = {"psnr": 20.0, "ciede2000": 11.0, "other": 1.0}
    report = {"pictures": 3, "weights": "mine at step 6", "systems": {"model@0": row, "gray": row}}
    (tmp_path / "evaluation" / "report.json").write_text(json.dumps(report))
    found = measured_of_run(tmp_path, "mine at step 6")
    assert found == ("3 photographs held out of the training", {"psnr@0": 20.0, "ciede2000@0": 11.0})
    assert measured_of_run(tmp_path, "mine at step 4") is None
    assert measured_of_run(tmp_path / "nowhere", "mine at step 6") is None


def test_another_projects_readme_stays(tiny_weights, tmp_path):
    (tmp_path / "README.md").write_text("# mine")
    with pytest.raises(FileExistsError, match="no model card of hybridvit"):
        save_model_folder(tiny_weights, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
