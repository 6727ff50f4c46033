"""The lesson on transfer learning, against torch and the training's own settings."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segdemo import entries
from segdemo.lessons import freezing, recorded_runs
from segdemo.lessons import transfer as lesson
from segdemo.lessons.size_trace import shell
from segdemo.models import build
from segdemo.training.recipes import RECIPES
from segdemo.ui.lesson_transfer import figure_text

HEAD = "training,photos,encoder_rate,step,minutes,loss,miou,foreground_iou,pixel_accuracy"


def write_runs(folder, *runs):
    """Write the table of runs of two points each; the figures follow from the step."""
    lines = [HEAD]
    for run in runs:
        lines += [f"{run},{step},{step / 4},{1 / step},{step / 100},0.5,0.6" for step in (10, 20)]
    path = folder / recorded_runs.RUNS
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unet():
    return shell(lesson.ARCHITECTURE, lesson.ARGUMENTS)


@pytest.fixture
def stage():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4))
    return nn.Sequential(*layers)


RUNS = (
    "frozen,3000,0.1",
    "fine-tuned,3000,0.1",
    "from nothing,3000,0.1",
    "frozen,100,0.1",
    "fine-tuned,100,0.1",
    "fine-tuned,3000,10.0",
    "fine-tuned,3000,0.01",
)


def test_runs_are_read_and_compared(tmp_path):
    curves = recorded_runs.read_runs(write_runs(tmp_path, *RUNS))
    assert len(curves) == 7
    assert curves[0].points[-1] == recorded_runs.Point(
        20, 5.0, {"miou": 0.2, "foreground_iou": 0.5, "pixel_accuracy": 0.6, "loss": 0.05}
    )
    named = {comparison: list(recorded_runs.compared(curves, comparison)) for comparison in recorded_runs.COMPARISONS}
    assert named == {
        recorded_runs.ALL_PHOTOS: ["frozen", "fine-tuned", "from nothing"],
        recorded_runs.FEW_PHOTOS: ["frozen", "fine-tuned"],
        recorded_runs.RATES: ["×0.01", "×0.1", "×10"],
    }


@pytest.mark.parametrize(
    "content",
    [b"", f"{HEAD}\n".encode(), b"training,photos\nfrozen,1\n", f"{HEAD}\nfrozen,x,1,1,1,1,1,1,1\n".encode(), b"\xff"],
)
def test_damaged_runs_get_a_sentence(tmp_path, content):
    path = tmp_path / recorded_runs.RUNS
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"transfer\.csv are damaged"):
        recorded_runs.read_runs(path)
    path.unlink()
    with pytest.raises(ValueError, match=r"transfer\.csv is missing"):
        recorded_runs.read_runs(path)


def test_a_figure_that_was_not_recorded_is_none(tmp_path):
    path = tmp_path / recorded_runs.RUNS
    path.write_text(f"{HEAD}\nfrozen,9,0.1,1,1,0.5,,0.5,0.5\n", encoding="utf-8")
    (curve,) = recorded_runs.read_runs(path)
    assert figure_text(curve.points[0].figures["miou"]).texts["en"] == "not recorded"
    assert figure_text(curve.points[0].figures["loss"]) == "0.500"


def test_the_bundled_runs_say_what_the_lesson_says():
    curves = recorded_runs.read_runs(entries.CHECKPOINTS / recorded_runs.RUNS)
    for comparison in (recorded_runs.ALL_PHOTOS, recorded_runs.FEW_PHOTOS):
        last = {n: c.points[-1].figures["miou"] for n, c in recorded_runs.compared(curves, comparison).items()}
        assert set(last) == set(lesson.TRAININGS)
        assert min(last[lesson.FROZEN], last[lesson.FINE_TUNED]) > last[lesson.FROM_NOTHING] + 0.1
    rates = {n: c.points[-1].figures["miou"] for n, c in recorded_runs.compared(curves, recorded_runs.RATES).items()}
    assert list(rates) == ["×0.01", "×0.1", "×1", "×10"]
    assert rates["×10"] < rates["×0.1"] - 0.1


def test_network_and_frozen_parts_are_those_of_the_recipe():
    recipe = RECIPES["unet_vgg16_bn"]
    wanted = {**recipe.arguments, "num_classes": 3}  # the runs were of pets alone
    assert (recipe.architecture, wanted) == (lesson.ARCHITECTURE, lesson.ARGUMENTS)
    assert recipe.phases[0].frozen == lesson.TRAININGS[lesson.FROZEN]


@pytest.mark.parametrize("training", lesson.TRAININGS)
def test_the_parts_are_the_whole_network_and_none_is_counted_twice(unet, training):
    found = lesson.parts(unet, training)
    assert sum(part.parameters for part in found) == sum(p.numel() for p in unet.parameters())
    assert sum(part.trainable for part in found) == lesson.trainable_count(unet)
    statistics = sum(b.numel() for name, b in unet.named_buffers() if "running" in name)
    assert sum(part.statistics for part in found) == statistics
    encoder = [part for part in found if part.name.startswith("encoder")]
    assert len(encoder) == 5
    if training == lesson.FROZEN:
        assert not any(part.trainable or part.statistics_move for part in encoder)
        assert all(part.trainable == part.parameters for part in found if part not in encoder)
    else:
        assert all(part.trainable == part.parameters for part in found)


def test_only_a_transferred_encoder_comes_from_elsewhere():
    assert lesson.start_of("encoder stage 2", lesson.FINE_TUNED) == "another network"
    assert lesson.start_of("encoder stage 2", lesson.FROM_NOTHING).startswith("random")
    assert lesson.start_of("decoder block 2", lesson.FROZEN).startswith("random")


@pytest.mark.parametrize("training", lesson.TRAININGS)
def test_a_prepared_network_learns_in_just_the_parts_that_are_said_to(training):
    network = build("unet_vgg", backbone="vgg11_bn", num_classes=3, widths=(16, 8, 8, 8, 8))
    lesson.prepare(network, training)
    before = copy.deepcopy(network.state_dict())
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    network(torch.randn(2, 3, 64, 64)).square().mean().backward()
    optimizer.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert any(name.startswith("decoder.") for name in changed)
    assert any(name.startswith("stages.") for name in changed) == (training != lesson.FROZEN)


@given(st.integers(0, 4), st.integers(0, 100))
def test_statistics_move_in_train_mode_as_torch_says_and_stay_in_eval_mode(count, seed):
    torch.manual_seed(seed)
    stage = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5))
    state = copy.deepcopy(stage.state_dict())
    probe, *batches = torch.randn(count + 1, 2, 3, 9, 9)
    moved = freezing.show_batches(stage, probe, batches, train_mode=True)
    stayed = freezing.show_batches(stage, probe, batches, train_mode=False)
    mean, var = torch.zeros(5), torch.ones(5)
    for batch in batches:
        values = stage[0](batch).detach().transpose(0, 1).flatten(1)
        mean, var = 0.9 * mean + 0.1 * values.mean(1), 0.9 * var + 0.1 * values.var(1)
    torch.testing.assert_close(moved.layers[0].mean_after, mean)
    torch.testing.assert_close(moved.layers[0].var_after, var)
    assert (moved.layers[0].mean_change > 0) == (moved.output_change > 0) == (count > 0)
    assert stayed.layers[0].mean_change == stayed.layers[0].var_change == stayed.output_change == 0
    assert moved.weight_change == stayed.weight_change == 0
    assert all(torch.equal(value, state[name]) for name, value in stage.state_dict().items())


def test_every_batchnorm_is_told_of_with_the_channel_that_moved_most(stage):
    found = freezing.show_batches(stage, torch.randn(1, 3, 8, 8), [torch.randn(4, 3, 8, 8)], train_mode=True)
    assert [len(layer.mean_before) for layer in found.layers] == [6, 4]
    for layer in found.layers:
        change = (layer.mean_after - layer.mean_before)[layer.most_moved].abs()
        assert change.item() == pytest.approx(layer.mean_change)


def test_crops_are_parts_of_the_images_in_turn():
    images = [torch.full((3, 12, 20), 1.0), torch.full((3, 8, 8), 2.0)]
    crops = freezing.random_crops(images, 5, 8)
    assert crops.shape == (5, 3, 8, 8)
    assert crops[:, 0, 0, 0].tolist() == [1, 2, 1, 2, 1]


def test_a_darkened_image_is_that_of_a_darkened_photo():
    photo, mean, std = torch.rand(2, 3, 4, 4), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    column = [torch.tensor(values).view(3, 1, 1) for values in (mean, std)]
    normalised = (photo - column[0]) / column[1]
    wanted = (0.25 * photo - column[0]) / column[1]
    torch.testing.assert_close(freezing.darken(normalised, 0.25, mean, std), wanted)


@pytest.mark.parametrize(
    ("line", "freezes", "breaks"),
    [
        ("parameter.requires_grad_ = False", False, True),
        ("parameter.requires_grad_(False)", True, False),
        ("parameter.requires_grad = False", True, False),
        ("encoder.requires_grad_ = False", False, True),
        ("encoder.requires_grad = False", False, False),
        ("encoder.requires_grad_(False)", True, False),
    ],
)
def test_what_each_line_does_is_what_torch_does(stage, line, freezes, breaks):
    found = freezing.try_to_freeze(stage, line)
    everything = sum(parameter.numel() for parameter in stage.parameters())
    assert (found.before, found.after) == (everything, 0 if freezes else everything)
    assert (found.step_change == 0) == freezes
    assert ("not callable" in found.error) == breaks
    # The line itself, run by Python on a copy, leaves as many trainable.
    encoder = copy.deepcopy(stage)
    loop = "for parameter in encoder.parameters(): " if line.startswith("parameter") else ""
    exec(f"{loop}{line}", {"encoder": encoder})
    assert sum(p.numel() for p in encoder.parameters() if p.requires_grad) == found.after


def test_the_encoder_that_is_tried_on_stays_as_it_is(stage):
    before = copy.deepcopy(stage.state_dict())
    for line in freezing.WAYS_TO_FREEZE:
        freezing.try_to_freeze(stage, line)
    assert all(torch.equal(value, before[name]) for name, value in stage.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in stage.parameters())
    assert stage.training
