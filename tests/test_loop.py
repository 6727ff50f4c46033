"""The training loop: schedule, log, saving, and going on where it stopped."""

import csv
from dataclasses import replace

import pytest
import torch
from torch import nn

from segdemo.checkpoints import load
from segdemo.training.data import Pets
from segdemo.training.loop import Trainer, evaluating, one_cycle, validate
from segdemo.training.recipes import RECIPES


@pytest.fixture
def recipe():
    return replace(
        RECIPES["fcn_vgg16"],
        name="small",
        arguments={"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1},
        epochs=2,
        batch_size=4,
        image_size=32,
        analysis_size=32,
    )


@pytest.fixture
def pets():
    labels = torch.zeros(8, 32, 32, dtype=torch.uint8)
    species = torch.tensor([1, 2] * 4)
    labels[:, 8:24, 8:24] = species.to(torch.uint8)[:, None, None]
    images = torch.randint(0, 256, (8, 3, 32, 32), dtype=torch.uint8)
    images[:, 0][labels > 0] = 255
    return Pets(images, labels, species)


def rows(folder):
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    rates = [one_cycle(i / 100, 1e-3, 0.25) for i in range(101)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 25
    assert rates[100] == pytest.approx(0, abs=1e-12)
    assert rates[0] < 1e-4
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)


def test_evaluating_gives_the_mode_back_and_makes_no_gradients():
    network = nn.BatchNorm2d(2)
    for mode in (True, False):
        network.train(mode)
        with evaluating(network):
            assert not network.training
            assert not torch.is_grad_enabled()
        assert network.training is mode


def test_a_run_leaves_a_log_and_a_checkpoint_that_loads(recipe, pets, tmp_path):
    trainer = Trainer(recipe, tmp_path)
    trainer.fit(pets, pets)
    log = rows(tmp_path)
    assert [row["epoch"] for row in log] == ["1", "2"]
    assert all(0 <= float(row["fcn8s_miou"]) <= 1 for row in log)
    network, metadata = load(trainer.checkpoint)
    assert (metadata.epochs, metadata.seed, metadata.recipe["start"]) == (2, 0, "random")
    assert validate(network, pets, 32)["miou"] == pytest.approx(metadata.metrics["fcn8s"]["miou"], abs=0.02)


def test_the_loss_falls(recipe, pets, tmp_path):
    trainer = Trainer(replace(recipe, epochs=6, colour=0.0, zoom=(1.0, 1.0), aspect=0.0), tmp_path)
    trainer.fit(pets, pets)
    log = rows(tmp_path)
    assert float(log[-1]["loss"]) < 0.8 * float(log[0]["loss"])


def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(recipe, pets, tmp_path):
    whole = Trainer(recipe, tmp_path / "whole", seed=3)
    whole.fit(pets, pets)

    first = Trainer(recipe, tmp_path / "parts", seed=3)
    first.fit(pets, pets, max_minutes=1e-9)
    assert first.progress.epoch == 1
    second = Trainer(recipe, tmp_path / "parts", seed=3)
    torch.rand(5)  # what happens between two commands must not matter
    assert second.resume()
    second.fit(pets, pets)

    assert second.progress.epoch == 2
    for part in ("network", "average"):
        ours, theirs = ((t.task.network if part == "network" else t.average).state_dict() for t in (second, whole))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert [row["epoch"] for row in rows(tmp_path / "parts")] == ["1", "2"]


def test_a_run_of_other_settings_is_not_resumed(recipe, pets, tmp_path):
    Trainer(recipe, tmp_path).fit(pets, pets, max_minutes=1e-9)
    with pytest.raises(ValueError, match="belongs to another recipe, --seed or --init"):
        Trainer(replace(recipe, peak_rate=1e-4), tmp_path).resume()
    with pytest.raises(ValueError, match="belongs to another recipe, --seed or --init"):
        Trainer(recipe, tmp_path, seed=1).resume()


def test_there_may_be_nothing_to_resume(recipe, tmp_path):
    assert not Trainer(recipe, tmp_path).resume()


def test_the_seed_decides_the_weights(recipe, tmp_path):
    first, same, other = (Trainer(recipe, tmp_path, seed=s).task.network.score.weight for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_classifier_s_run_saves_its_1x1_conv_twin(pets, tmp_path):
    recipe = replace(RECIPES["conv1x1_vgg11"], epochs=1, batch_size=4, image_size=32, analysis_size=32)
    trainer = Trainer(recipe, tmp_path)
    trainer.fit(pets, pets)
    network, metadata = load(trainer.checkpoint)
    assert metadata.architecture == "conv1x1_vgg"
    assert network.score.weight.shape == (3, 512, 1, 1)
    assert 0 <= float(rows(tmp_path)[0]["conv1x1_vgg11_image_accuracy"]) <= 1
