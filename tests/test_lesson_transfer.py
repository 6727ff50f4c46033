"""The lesson on transfer learning, against torch and the training's own settings."""

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segdemo.lessons import transfer as lesson
from segdemo.lessons.size_trace import shell
from segdemo.models import build
from segdemo.training.log import append_row
from segdemo.training.recipes import RECIPES

NAME = "unet_vgg16_bn"


def write_run(path, phases):
    """Write a log as the training writes it; the figures follow from the epoch."""
    for epoch, phase in enumerate(phases, 1):
        row = {"phase": phase, "epoch": epoch, "minutes": 2.5 * epoch, "loss": 1 / epoch}
        row |= {f"{NAME}_{key}": epoch / 10 + i for i, key in enumerate(("miou", "foreground_iou", "pixel_accuracy"))}
        append_row(path, row)


@pytest.fixture(scope="module")
def unet():
    return shell(lesson.ARCHITECTURE, lesson.ARGUMENTS)


@pytest.fixture
def stage():
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 4, 3), nn.BatchNorm2d(4))
    return nn.Sequential(*layers)


def test_the_transferred_run_is_cut_where_its_encoder_thaws(tmp_path):
    write_run(tmp_path / lesson.TRANSFERRED_LOG, [1, 1, 2, 2, 2])
    write_run(tmp_path / lesson.RANDOM_LOG, [1, 1, 1])
    curves, missing = lesson.recorded_curves(tmp_path)
    assert missing == []
    assert [(curve.name, [e.epoch for e in curve.epochs]) for curve in curves] == [
        ("frozen", [1, 2]),
        ("fine-tuned", [3, 4, 5]),
        ("from nothing", [1, 2, 3]),
    ]
    last = curves[1].epochs[-1]
    assert last.minutes == 12.5
    assert last.figures == {"miou": 0.5, "foreground_iou": 1.5, "pixel_accuracy": 2.5, "loss": 0.2}
    assert lesson.last_figures(curves, "miou")[0] == "frozen: 0.200 after epoch 2, 5 minutes"


@pytest.mark.parametrize("there", [lesson.TRANSFERRED_LOG, lesson.RANDOM_LOG])
def test_a_missing_run_is_named_and_the_other_shown(tmp_path, there):
    write_run(tmp_path / there, [1, 2])
    curves, missing = lesson.recorded_curves(tmp_path)
    other = {lesson.TRANSFERRED_LOG: lesson.RANDOM_LOG, lesson.RANDOM_LOG: lesson.TRANSFERRED_LOG}[there]
    assert missing == [f"There is no recorded run {other}."]
    assert len(curves) == (2 if there == lesson.TRANSFERRED_LOG else 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"phase,epoch,minutes,loss\n", "is empty"),
        (b"phase,epoch,minutes,loss\n1,one,2.0,0.5\n", "is damaged"),
        (b"phase,epoch,minutes,loss\n1,1\n", "is damaged"),
        (b"epoch,minutes\n1,2\n", "is damaged"),
        (b"phase,epoch\xff\n1,1\n", "is damaged"),
    ],
)
def test_a_damaged_log_gets_a_sentence(tmp_path, content, reason):
    path = tmp_path / "run.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^The recorded run run.csv {reason}.$"):
        lesson.read_run(path)


def test_a_figure_that_was_not_recorded_is_none(tmp_path):
    path = tmp_path / "run.csv"
    path.write_text("phase,epoch,minutes,loss,a_miou\n1,1,2.0,0.5,\n", encoding="utf-8")
    curves = [lesson.Curve("frozen", lesson.read_run(path))]
    assert "not recorded" in lesson.last_figures(curves, "miou")[0]
    assert "0.500" in lesson.last_figures(curves, "loss")[0]


def test_the_bundled_logs_can_be_read():
    found = lesson.read_run(lesson.Path(__file__).parent.parent / "checkpoints" / "fcn_vgg16.csv")
    assert all(0 < epoch.figures["miou"] < 1 for epoch in found)


def test_network_and_frozen_parts_are_those_of_the_recipe():
    recipe = RECIPES[NAME]
    assert (recipe.architecture, recipe.arguments) == (lesson.ARCHITECTURE, lesson.ARGUMENTS)
    frozen, *fine_tuned = [phase.frozen for phase in recipe.phases]
    assert frozen == lesson.TRAININGS[lesson.FROZEN]
    assert set(fine_tuned) == {lesson.TRAININGS[lesson.FINE_TUNED]}


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


def test_an_unknown_training_is_refused(unet):
    with pytest.raises(ValueError, match="no training 'half'"):
        lesson.prepare(unet, "half")


@given(st.integers(0, 4), st.integers(0, 100))
def test_statistics_move_in_train_mode_as_torch_says_and_stay_in_eval_mode(count, seed):
    torch.manual_seed(seed)
    stage = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5))
    state = copy.deepcopy(stage.state_dict())
    probe, *batches = torch.randn(count + 1, 2, 3, 9, 9)
    moved = lesson.show_batches(stage, probe, batches, train_mode=True)
    stayed = lesson.show_batches(stage, probe, batches, train_mode=False)
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
    found = lesson.show_batches(stage, torch.randn(1, 3, 8, 8), [torch.randn(4, 3, 8, 8)], train_mode=True)
    assert [len(layer.mean_before) for layer in found.layers] == [6, 4]
    for layer in found.layers:
        change = (layer.mean_after - layer.mean_before)[layer.most_moved].abs()
        assert change.item() == pytest.approx(layer.mean_change)


def test_crops_are_parts_of_the_images_in_turn():
    images = [torch.full((3, 12, 20), 1.0), torch.full((3, 8, 8), 2.0)]
    crops = lesson.random_crops(images, 5, 8)
    assert crops.shape == (5, 3, 8, 8)
    assert crops[:, 0, 0, 0].tolist() == [1, 2, 1, 2, 1]


def test_a_darkened_image_is_that_of_a_darkened_photo():
    photo, mean, std = torch.rand(2, 3, 4, 4), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    column = [torch.tensor(values).view(3, 1, 1) for values in (mean, std)]
    normalised = (photo - column[0]) / column[1]
    wanted = (0.25 * photo - column[0]) / column[1]
    torch.testing.assert_close(lesson.darken(normalised, 0.25, mean, std), wanted)


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
    found = lesson.try_to_freeze(stage, line)
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
    for line in lesson.WAYS_TO_FREEZE:
        lesson.try_to_freeze(stage, line)
    assert all(torch.equal(value, before[name]) for name, value in stage.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in stage.parameters())
    assert stage.training


def test_an_unknown_line_is_refused(stage):
    with pytest.raises(ValueError, match="no line 'freeze"):
        lesson.try_to_freeze(stage, "freeze()")
