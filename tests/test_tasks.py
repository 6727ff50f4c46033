"""What is learned from a batch, on the tiny dataset."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from segdemo.models.fcn import STRIDES
from segdemo.training.data import Pets, load_pets
from segdemo.training.loop import evaluating
from segdemo.training.recipes import RECIPES
from segdemo.training.tasks import MEAN, STD, TASKS, ClassifyTask, SegmentTask, normalise

SMALL = {"image_size": 32, "batch_size": 4, "dropout": 0.0}
SEGMENT = dataclasses.replace(
    RECIPES["fcn_vgg16"],
    arguments={"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1},
    **SMALL,
)
CLASSIFY = dataclasses.replace(RECIPES["conv1x1_vgg11"], **SMALL)


@pytest.fixture
def pets(pet_folder):
    return load_pets(pet_folder, "trainval", 48)


def seen_by(task, batch, monkeypatch):
    """Give the normalised images and the targets that a loss is computed from."""
    seen = {}
    task.network.register_forward_pre_hook(lambda _, inputs: seen.update(images=inputs[0]))
    original = task.cross_entropy
    monkeypatch.setattr(task, "cross_entropy", lambda s, t: seen.update(targets=t) or original(s, t))
    with torch.no_grad():
        task.loss(batch)
    return seen["images"], seen["targets"]


@pytest.mark.parametrize("recipe", [SEGMENT, CLASSIFY], ids=lambda recipe: recipe.task)
def test_the_loss_is_finite_and_reaches_every_parameter(recipe, pets):
    task = TASKS[recipe.task](recipe)
    loss = task.loss(pets)
    assert loss.shape == ()
    assert loss.isfinite()
    loss.backward()
    for name, parameter in task.network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.ndim == 1 or parameter.grad.ne(0).any(), name


@pytest.mark.parametrize("recipe", [SEGMENT, CLASSIFY], ids=lambda recipe: recipe.task)
def test_a_loss_changes_neither_photos_nor_labels(recipe, pets):
    before = pets.images.clone(), pets.labels.clone(), pets.species.clone()
    with torch.no_grad():
        TASKS[recipe.task](recipe).loss(pets)
    assert all(torch.equal(a, b) for a, b in zip(before, (pets.images, pets.labels, pets.species), strict=True))


def test_segmenting_learns_from_the_mean_over_the_three_outputs(pets, monkeypatch):
    task = SegmentTask(SEGMENT)
    given = []
    monkeypatch.setattr(task, "cross_entropy", lambda scores, target: given.append(scores) or scores.mean())
    loss = task.loss(pets)
    assert len(given) == len(STRIDES)
    torch.testing.assert_close(loss, torch.stack([scores.mean() for scores in given]).mean())


def test_segmenting_cuts_labels_out_with_their_photos(pets, monkeypatch):
    task = SegmentTask(dataclasses.replace(SEGMENT, colour=0.0))
    monkeypatch.setattr(task.network, "forward_all", lambda images: {8: images})
    seen = []
    monkeypatch.setattr(task, "cross_entropy", lambda s, t: seen.append((s, t)) or s.mean())
    task.loss(pets[torch.arange(32) % len(pets)])
    ((images, targets),) = seen
    red_over_green = images[:, 0] * STD[0] + MEAN[0] - images[:, 1] * STD[1] - MEAN[1]
    assert targets.dtype == torch.int64
    assert set(targets.unique().tolist()) == {0, 1, 2, 255}
    assert (red_over_green[(targets == 1) | (targets == 2)] > 0.4).all()
    # Where background meets the border class a pixel may be a blend, so only most of it is green.
    assert (red_over_green[targets == 0] < -0.4).float().mean() > 0.9


def test_border_pixels_do_not_change_the_loss():
    task = SegmentTask(SEGMENT)
    target = torch.tensor([[[0, 1], [2, 255]]])
    scores = torch.randn(1, 3, 2, 2)
    changed = scores.clone()
    changed[..., 1, 1] += torch.randn(3)
    assert torch.equal(task.cross_entropy(scores, target), task.cross_entropy(changed, target))


def test_the_loss_weighs_and_smooths_as_the_recipe_says():
    task = SegmentTask(dataclasses.replace(SEGMENT, class_weights=(1.0, 5.0, 2.0), label_smoothing=0.1))
    scores, target = torch.randn(4, 3), torch.tensor([0, 1, 2, 1])
    wanted = F.cross_entropy(scores, target, torch.tensor([1.0, 5.0, 2.0]), label_smoothing=0.1)
    torch.testing.assert_close(task.cross_entropy(scores, target), wanted)


def test_classifying_adds_background_crops_that_hold_no_pet(pets, monkeypatch):
    # Photos that are white where the label is not background tell what a crop holds; at 8 px no crop is enlarged, so
    # none is blended with pixels outside its box.
    marked = Pets((pets.labels != 0).byte().mul(255)[:, None].expand(-1, 3, -1, -1), pets.labels, pets.species)
    recipe = dataclasses.replace(CLASSIFY, image_size=8, colour=0.0, background_zoom=(0.2, 0.4), background_share=0.5)
    images, targets = seen_by(ClassifyTask(recipe), marked, monkeypatch)
    assert targets.tolist() == [1, 2, 1, 2, 0, 0, 0, 0]
    torch.testing.assert_close(images[targets == 0], normalise(torch.zeros(4, 3, 8, 8)))
    assert not torch.allclose(images[targets != 0], normalise(torch.zeros(4, 3, 8, 8)))


@pytest.mark.parametrize(("share", "crops"), [(0.0, 0), (0.2, 1), (1 / 3, 2), (0.5, 4)])
def test_background_crops_make_up_their_share_of_the_batch(pets, monkeypatch, share, crops):
    task = ClassifyTask(dataclasses.replace(CLASSIFY, background_share=share))
    images, targets = seen_by(task, pets, monkeypatch)
    assert targets.eq(0).sum() == crops
    assert images.shape == (4 + crops, 3, 32, 32)


def test_classifying_goes_on_where_no_background_is_found(pets, monkeypatch):
    full = Pets(pets.images, torch.ones_like(pets.labels), pets.species)
    _, targets = seen_by(ClassifyTask(CLASSIFY), full, monkeypatch)
    assert torch.equal(targets, pets.species)


@torch.no_grad()
def test_the_exported_twin_answers_as_the_classifier_on_average():
    task = ClassifyTask(CLASSIFY)
    trained = task.network.eval()
    nn.init.normal_(trained.fc.bias)
    twin = task.export(trained).eval()
    images = torch.randn(2, 3, 40, 50)
    torch.testing.assert_close(twin.classify(images), trained(images), rtol=1e-4, atol=1e-4)
    assert twin.score.weight.data_ptr() != trained.fc.weight.data_ptr()


def test_the_trained_fcn_is_exported_as_it_is():
    task = SegmentTask(SEGMENT)
    assert task.export(task.network) is task.network


def test_normalised_photos_have_imagenets_mean_at_zero():
    photo = torch.tensor(MEAN).view(1, 3, 1, 1)
    torch.testing.assert_close(normalise(photo), torch.zeros(1, 3, 1, 1))
    torch.testing.assert_close(normalise(photo + torch.tensor(STD).view(1, 3, 1, 1)), torch.ones(1, 3, 1, 1))


@pytest.mark.parametrize("training", [True, False])
def test_evaluating_brings_the_mode_back(training):
    network = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(3)).train(training)
    with evaluating(network):
        assert not any(module.training for module in network.modules())
        assert not network(torch.rand(2, 3, 4, 4)).requires_grad
    assert all(module.training == training for module in network.modules())


def test_evaluating_brings_the_mode_back_after_an_error():
    network = nn.Dropout().train()
    with pytest.raises(RuntimeError), evaluating(network):
        raise RuntimeError
    assert network.training
    assert torch.is_grad_enabled()
