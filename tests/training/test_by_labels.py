import numpy as np
import pytest
from PIL import Image

from configs import label_efficiency, ssl_vit
from hybridvit.training.by_labels import choose, settle

FIELDS = (
    "data.batch_size",
    "data.unlabeled_batch_size",
    "consistency.weight",
    "consistency.neighbours",
)
STUDIED = 10_755  # photographs


def few():
    return ssl_vit.get_config("few").copy_and_resolve_references()


def value(config, field):
    section, name = field.split(".")
    return config[section][name]


@pytest.mark.parametrize("share", [0.005, 0.01, 0.05, 0.1])
def test_it_is_what_the_study_measured(share):
    percent = f"{100 * share:g}".replace(".", "_")
    arm = label_efficiency.get_config().systems[f"semi-{percent}-0"]
    assert not arm.train.by_labels
    labels = round(share * STUDIED)
    assert choose(labels, STUDIED - labels, few()) == {field: value(arm, field) for field in FIELDS}


def test_without_gray_photographs_it_is_supervised():
    assert list(choose(300, 0, few()).values()) == [32, 0, 0, 0]


def test_so_many_labels_learn_alone_unless_gray_photographs_are_asked_for():
    assert list(choose(2_000, 8_000, few()).values()) == [32, 0, 0, 0]
    config = few()
    config.data.unlabeled_batch_size = 6
    chosen = choose(2_000, 8_000, config, given={"data.unlabeled_batch_size"})
    assert chosen == {"data.batch_size": 26, "consistency.weight": 1.0, "consistency.neighbours": 0.3}


def test_without_an_encoder_nothing_votes():
    config = few()
    config.model.variant, config.model.encoder_weights = "Ti", ""
    assert choose(90, 5000, few())["consistency.neighbours"] == 1
    assert choose(90, 5000, config)["consistency.neighbours"] == 0


def test_what_is_given_stays_and_the_rest_fits_to_it():
    config = few()
    config.data.batch_size = 4
    chosen = choose(90, 5000, config, given={"data.batch_size", "consistency.weight"})
    assert chosen == {"data.unlabeled_batch_size": 12, "consistency.neighbours": 1.0}
    config.data.unlabeled_batch_size = 30
    assert choose(90, 5000, config, given={"data.unlabeled_batch_size"})["data.batch_size"] == 10
    assert choose(90, 5000, config, given=FIELDS) == {}


@pytest.fixture
def photographs(tmp_path):
    """Three in colour in one folder, two gray ones in another."""
    rng = np.random.default_rng(0)
    for folder, count, channels in (("color", 3, 3), ("gray", 2, 1)):
        (tmp_path / folder).mkdir()
        for i in range(count):
            pixels = np.kron(rng.integers(0, 256, (8, 8, channels)), np.ones((8, 8, 1))).astype(np.uint8)
            Image.fromarray(pixels.squeeze()).save(tmp_path / folder / f"{i}.png")
    config = few()
    config.data.color_dir, config.data.gray_dir = str(tmp_path / "color"), str(tmp_path / "gray")
    config.data.eval_dir = config.data.color_dir
    return config


def test_photographs_are_counted_and_it_says_what_it_took_and_why(photographs, capsys):
    settled = settle(photographs, given={"consistency.weight"})
    said = capsys.readouterr().out
    assert "3 in colour, 2 others" in said
    assert "data.unlabeled_batch_size=24" in said
    assert "consistency.weight" not in said
    assert (settled.data.batch_size, settled.data.unlabeled_batch_size) == (8, 24)
    assert settled.consistency.neighbours == 1
    assert settled.consistency.weight == photographs.consistency.weight == 1
    assert photographs.data.batch_size == 26


def test_labels_made_of_a_share_count_as_the_rest_does(photographs, capsys):
    photographs.data.labeled_fraction = 0.34
    photographs.data.labeled_as_unlabeled = False
    settle(photographs, given=())
    assert "1 in colour, 4 others" in capsys.readouterr().out


def test_elsewhere_nothing_is_touched(photographs):
    photographs.train.by_labels = False
    assert settle(photographs, given=()) is photographs
