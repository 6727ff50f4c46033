"""The training loop: schedule, log, saving, and going on where it stopped."""

from dataclasses import replace

import pytest
import torch

from segdemo.checkpoints import load
from segdemo.training.data import Pets
from segdemo.training.log import read_log
from segdemo.training.loop import Trainer, one_cycle
from segdemo.training.negatives import Negatives
from segdemo.training.recipes import RECIPES, Phase
from segdemo.training.validate import validate

PHASE = Phase(epochs=1, image_size=32, peak_rate=1.5e-3, background_zoom=(0.15, 0.5))


@pytest.fixture
def recipe():
    return replace(
        RECIPES["fcn_vgg16"],
        name="small",
        arguments={"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1},
        phases=(PHASE, PHASE),
        batch_size=4,
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
    return read_log(folder / "log.csv")


def states(trainer):
    return {"network": trainer.task.network.state_dict(), "average": trainer.average.state_dict()}


def assert_same_weights(ours, theirs):
    for part, tensors in states(theirs).items():
        assert all(torch.equal(states(ours)[part][name], tensors[name]) for name in tensors)


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    rates = [one_cycle(i / 100, 1e-3, 0.25) for i in range(101)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 25
    assert rates[100] == pytest.approx(0, abs=1e-12)
    assert rates[0] < 1e-4
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)


def test_a_run_leaves_a_log_and_a_checkpoint_that_loads(recipe, pets, tmp_path):
    trainer = Trainer(recipe, tmp_path)
    trainer.fit(pets, pets)
    log = rows(tmp_path)
    assert [row["epoch"] for row in log] == ["1", "2"]
    assert (tmp_path / "curves.png").exists()
    assert all(0 <= float(row["fcn8s_miou"]) <= 1 for row in log)
    network, metadata = load(trainer.checkpoint)
    assert (metadata.epochs, metadata.seed, metadata.recipe["start"]) == (2, 0, "random")
    assert validate(network, pets, 32)["miou"] == pytest.approx(metadata.metrics["fcn8s"]["miou"], abs=0.02)


def test_the_loss_falls(recipe, pets, tmp_path):
    trainer = Trainer(
        replace(recipe, phases=(replace(PHASE, epochs=6, colour=0.0, zoom=(1.0, 1.0), aspect=0.0),)), tmp_path
    )
    trainer.fit(pets, pets)
    log = rows(tmp_path)
    assert float(log[-1]["loss"]) < 0.9 * float(log[0]["loss"])


@pytest.mark.parametrize("parts", [(2,), (1, 1), (2, 1)], ids=["in a phase", "between phases", "three epochs"])
def test_a_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(recipe, pets, tmp_path, parts):
    lively = replace(PHASE, background_share=0.2, paste=0.5)
    phases = tuple(replace(lively, epochs=epochs) for epochs in parts)
    recipe = replace(recipe, phases=phases, dropout=0.5)
    whole = Trainer(recipe, tmp_path / "whole", seed=3)
    whole.fit(pets, pets)

    for epoch in range(recipe.epochs):
        parted = Trainer(recipe, tmp_path / "parts", seed=3)
        torch.rand(5)  # what happens between two commands must not matter
        assert parted.resume() == (epoch > 0) and parted.progress.epoch == epoch
        if epoch == 0:
            torch.manual_seed(3)
            parted = Trainer(recipe, tmp_path / "parts", seed=3)
        parted.fit(pets, pets, max_minutes=1e-9)

    assert_same_weights(parted, whole)
    assert [row["epoch"] for row in rows(tmp_path / "parts")] == [str(i + 1) for i in range(recipe.epochs)]


def test_a_killed_epoch_is_repeated_and_logged_once(recipe, pets, tmp_path, monkeypatch):
    whole = Trainer(recipe, tmp_path / "whole")
    whole.fit(pets, pets)

    killed = Trainer(recipe, tmp_path / "killed")
    killed.fit(pets, pets, max_minutes=1e-9)
    monkeypatch.setattr("segdemo.training.loop.save_state", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        killed.fit(pets, pets)  # after its log and its checkpoint, before its state
    monkeypatch.undo()
    again = Trainer(recipe, tmp_path / "killed")
    assert again.resume()
    assert again.progress.epoch == 1
    again.fit(pets, pets)

    assert_same_weights(again, whole)
    assert [row["epoch"] for row in rows(tmp_path / "killed")] == ["1", "2"]


def test_frozen_parts_keep_weights_and_statistics_until_their_phase_is_over(recipe, pets, tmp_path):
    frozen = replace(PHASE, frozen=("stages.0.", "stages.1."))
    trainer = Trainer(replace(recipe, phases=(frozen, PHASE)), tmp_path)
    before = {name: tensor.clone() for name, tensor in trainer.task.network.state_dict().items()}

    def changed():
        now = trainer.task.network.state_dict()
        return {name for name, tensor in before.items() if not torch.equal(tensor, now[name])}

    trainer.fit(pets, pets, max_minutes=1e-9)
    assert not any(name.startswith(("stages.0.", "stages.1.")) for name in changed())
    assert "stages.2.0.weight" in changed() and "stages.2.1.running_mean" in changed()
    trainer.fit(pets, pets)
    assert "stages.0.0.weight" in changed() and "stages.0.1.running_mean" in changed()
    assert [row["phase"] for row in rows(tmp_path)] == ["1", "2"]


def test_a_checkpoint_is_a_start_and_stands_for_the_phases_before(recipe, pets, tmp_path):
    first = Trainer(recipe, tmp_path / "first")
    first.fit(pets, pets, max_minutes=1e-9)
    given, _ = load(first.checkpoint)

    second = Trainer(recipe, tmp_path / "second", init=str(first.checkpoint), from_phase=2)
    ours = second.task.network.state_dict()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in given.state_dict().items())
    assert second.progress.epoch == 1
    second.fit(pets, pets)
    assert [(row["phase"], row["epoch"]) for row in rows(tmp_path / "second")] == [("2", "2")]
    start = load(second.checkpoint)[1].recipe["start"]
    assert start.startswith(f"{len(ours)} of {len(ours)} tensors from small.safetensors (sha256 ")
    assert start.endswith("1 epochs in 0 minutes from random)")


def test_a_phase_that_is_not_there_is_refused(recipe, tmp_path):
    with pytest.raises(ValueError, match="recipe small has 2 phases, no phase 3"):
        Trainer(recipe, tmp_path, from_phase=3)


def test_a_run_of_other_settings_is_not_resumed(recipe, pets, tmp_path):
    Trainer(recipe, tmp_path).fit(pets, pets, max_minutes=1e-9)
    with pytest.raises(ValueError, match="belongs to another recipe, --seed, --init or"):
        Trainer(replace(recipe, weight_decay=0.5), tmp_path).resume()
    with pytest.raises(ValueError, match="belongs to another recipe, --seed, --init or"):
        Trainer(recipe, tmp_path, seed=1).resume()


def test_pictures_beside_the_dataset_are_learned_from_and_recorded(recipe, pets, tmp_path):
    recipe = replace(recipe, phases=(replace(PHASE, background_share=0.25, negatives=1.0),))
    picture = torch.randint(0, 256, (3, 4, 32, 32), dtype=torch.uint8)
    negatives = Negatives(picture[:, :3], picture)
    with_them = Trainer(recipe, tmp_path / "with", negatives=negatives)
    without = Trainer(recipe, tmp_path / "without")
    for trainer in (with_them, without):
        trainer.fit(pets, pets)
    assert not torch.equal(with_them.task.network.score.weight, without.task.network.score.weight)
    described = "Oxford-IIIT Pet, trainval; 3 pictures and 3 cut-outs without a pet"
    assert load(with_them.checkpoint)[1].dataset == described
    with pytest.raises(ValueError, match="--negatives"):
        Trainer(recipe, tmp_path / "with").resume()


def test_there_may_be_nothing_to_resume(recipe, tmp_path):
    assert not Trainer(recipe, tmp_path).resume()


def test_the_seed_decides_the_weights(recipe, tmp_path):
    first, same, other = (Trainer(recipe, tmp_path, seed=s).task.network.score.weight for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_a_classifier_s_run_saves_its_1x1_conv_twin(pets, tmp_path):
    recipe = replace(RECIPES["conv1x1_vgg11"], phases=(PHASE,), batch_size=4, analysis_size=32)
    trainer = Trainer(recipe, tmp_path)
    trainer.fit(pets, pets)
    network, metadata = load(trainer.checkpoint)
    assert metadata.architecture == "conv1x1_vgg"
    assert network.score.weight.shape == (3, 512, 1, 1)
    assert 0 <= float(rows(tmp_path)[0]["conv1x1_vgg11_image_accuracy"]) <= 1
