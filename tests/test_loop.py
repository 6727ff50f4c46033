"""The training loop: schedule, log, saving, and going on where it stopped."""

from dataclasses import replace

import pytest
import torch

from segdemo.checkpoints import load
from segdemo.training.datasets import DataError, open_dataset
from segdemo.training.log import read_log
from segdemo.training.loop import Trainer, one_cycle
from segdemo.training.recipe import Phase, Source
from segdemo.training.recipes import RECIPES
from segdemo.training.start import StartError

PHASE = Phase(steps=4, image_size=32, batch_size=4, frozen=("stages.0.",), pasted=0.2, distant=0.2)


@pytest.fixture
def recipe(own_folder):
    arguments = {"backbone": "vgg11_bn", "fc_width": 8, "fc_kernel": 1}
    own = RECIPES["fcn_vgg16"].for_own(open_dataset(own_folder, None, "train"))
    return replace(own, arguments=arguments, phases=(PHASE, PHASE), analysis_size=48)


@pytest.fixture
def make(recipe, own_folder, tmp_path):
    def trainer(folder="run", **settings):
        sets = [open_dataset(own_folder, None, "train")], [open_dataset(own_folder, None, "test")]
        return Trainer(recipe, tmp_path / folder, *sets, **settings)

    return trainer


def states(trainer):
    return {**trainer.network.state_dict(), **trainer.average.state_dict()}


def assert_same_weights(ours, theirs):
    assert all(torch.equal(states(ours)[name], tensor) for name, tensor in states(theirs).items())


def test_the_rate_rises_to_its_peak_and_falls_to_zero():
    rates = [one_cycle(i / 100, 1e-3, 0.25) for i in range(101)]
    assert max(rates) == pytest.approx(1e-3)
    assert rates.index(max(rates)) == 25
    assert rates[100] == pytest.approx(0, abs=1e-12)
    assert rates[:26] == sorted(rates[:26])


def test_a_run_logs_and_saves_as_it_goes(make):
    trainer = make()
    trainer.fit(save_every=2)
    rows = read_log(trainer.folder / "log.csv")
    assert [int(row["step"]) for row in rows] == [2, 4, 6, 8]
    assert [row["phase"] for row in rows] == ["1", "1", "2", "2"]
    assert float(rows[-1]["mugs_miou"]) >= 0
    assert (trainer.folder / "curves.png").stat().st_size > 0
    network, metadata = load(trainer.checkpoint)
    assert metadata.classes == ("background", "mug")
    assert metadata.dataset == "mugs"
    assert metadata.recipe["start"] == "random"
    assert set(metadata.metrics["mugs"]) >= {"miou", "class_iou", "boundary_iou"}
    average = trainer.average.module.state_dict()
    assert all(torch.allclose(v, average[k], atol=2e-3) for k, v in network.state_dict().items() if v.ndim > 1)


def test_frozen_parts_keep_weights_and_statistics(make):
    trainer = make()
    before = {k: v.clone() for k, v in trainer.network.state_dict().items()}
    trainer.fit(save_every=8)
    changed = {k for k, v in trainer.network.state_dict().items() if not torch.equal(v, before[k])}
    assert not any(name.startswith("stages.0.") for name in changed)
    assert any(name.startswith("stages.4.") and "running_mean" in name for name in changed)


@pytest.mark.parametrize("stop", [2, 4, 6])
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(make, stop):
    whole = make("whole")
    whole.fit(save_every=2)
    first = make("parts")
    first.fit(max_minutes=0, save_every=stop if stop < 4 else 2)
    while first.progress.step < stop:
        first.fit(max_minutes=0, save_every=2)
    again = make("parts")
    assert again.resume()
    assert again.progress.step == stop
    again.fit(save_every=2)
    assert_same_weights(again, whole)


def test_a_state_of_another_run_is_refused(make):
    make().fit(max_minutes=0, save_every=2)
    with pytest.raises(ValueError, match="another recipe"):
        make(seed=1).resume()
    assert not make("elsewhere").resume()


def test_a_run_can_start_from_a_checkpoint(make):
    first = make("first")
    first.fit(save_every=8)
    second = make("second", init=str(first.checkpoint))
    assert "mugs.safetensors" in second.start
    saved = load(first.checkpoint)[0].state_dict()
    assert all(torch.equal(v, saved[k]) for k, v in second.network.state_dict().items())


def test_a_missing_start_is_said_before_training(make):
    with pytest.raises(StartError, match=r"missing\.safetensors"):
        make(init="missing.safetensors")


def test_a_bad_mask_is_said_before_training(make, own_folder):
    (own_folder / "masks" / "03.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"03\.png"):
        make()


def test_several_sources_train_one_network(recipe, own_folder, tmp_path):
    wanted = replace(
        recipe,
        classes=("background", "person", "mug"),
        colours=("#000000",) * 3,
        sources=(Source(name="mugs"), Source(name="people", words={"mug": "person"})),
    )
    dataset = open_dataset(own_folder, None, "train")
    sets = [dataset.translated(wanted.classes, source.words) for source in wanted.sources]
    trainer = Trainer(wanted, tmp_path / "both", sets)
    assert [labels.unique()[1].item() for labels in (photos[0][1] for photos in trainer.photos.sets)] == [2, 1]
    trainer.fit(save_every=8)
    assert load(trainer.checkpoint)[1].dataset == "mugs, mugs"
