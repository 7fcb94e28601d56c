"""Steps from a budget, and schedules fitted to them."""

import json
import time

import pytest

from configs import label_efficiency, ssl_vit
from hybridvit.comparison import budget
from hybridvit.comparison.budget import Plan, budget_of, check_budget, fit_schedule, plan_budget, time_step
from hybridvit.training.validate import check_config


@pytest.mark.parametrize(("images", "minutes"), [(0, 0.0), (10, 1.0), (-1, 1.0), (0, -1.0)])
def test_one_budget_and_no_more(config, images, minutes):
    config.budget.images, config.budget.minutes = images, minutes
    with pytest.raises(
        ValueError, match=rf"images={images} and config.budget.minutes={minutes}.*one of them"
    ):
        check_budget(config.budget)


def test_pictures_seen_are_labeled_and_unlabeled_ones(tiny_config, tmp_path):
    plan = plan_budget(tiny_config, {"images": 1000, "minutes": 0.0}, tmp_path)
    assert plan == Plan(round(1000 / 16), round(1000 / 16) * 16, None)
    assert plan_budget(tiny_config, {"images": 3, "minutes": 0.0}, tmp_path / "..").steps >= 1


def test_a_system_gets_its_share_of_either():
    config = label_efficiency.get_config()
    few, many = (budget_of(config.budget, f"semi-{percent}-2") for percent in ("1", "5"))
    assert 2 * few["images"] == many["images"] == config.budget.images
    assert few["minutes"] == many["minutes"] == 0
    with config.unlocked():
        config.budget.update(images=0, minutes=3.0)
    assert budget_of(config.budget, "semi-0_5-0") == {"images": 0, "minutes": 1.5}


def test_minutes_are_timed_once_and_kept(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "time_step", lambda config: 0.25)
    plan = plan_budget(tiny_config, {"images": 0, "minutes": 2.0}, tmp_path)
    assert plan == Plan(480, 480 * 16, 0.25)
    monkeypatch.setattr(budget, "time_step", lambda config: 0.5)
    assert plan_budget(tiny_config, {"images": 0, "minutes": 9.0}, tmp_path) == plan
    assert json.loads((tmp_path / "budget.json").read_text())["budget"] == {"images": 0, "minutes": 2.0}


def test_a_step_is_timed_without_its_compilation(quick_config, monkeypatch):
    monkeypatch.setattr(budget, "TIMED_STEPS", 3)
    start = time.process_time()
    seconds = time_step(quick_config)
    assert 0 < seconds < (time.process_time() - start) / (3 + budget.WARM_STEPS)


def test_what_counts_steps_keeps_its_share():
    recipe = ssl_vit.get_config("folder")
    recipe.adversarial.start_step = 10_000
    fitted = fit_schedule(recipe, 1000)
    assert recipe.train.steps == 20_000
    assert fitted.train.steps == 1000
    assert fitted.optim.warmup_steps == 500 / 20
    assert fitted.consistency.warmup_steps == 2000 / 20
    assert fitted.adversarial.start_step == 500
    assert fitted.growing.steps == 1000 / 20
    assert fitted.train.eval_every == 1000
    assert fitted.train.checkpoint_every == 100
    assert fitted.optim.learning_rate == recipe.optim.learning_rate


@pytest.mark.parametrize("steps", [1, 2, 7, 20_000, 50_001])
def test_any_number_of_steps_works(steps):
    check_config(fit_schedule(ssl_vit.get_config("folder"), steps))
    fitted = fit_schedule(ssl_vit.get_config("folder"), steps)
    assert 0 <= fitted.optim.warmup_steps < steps
