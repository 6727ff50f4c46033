"""What is learned from a batch, and what the trained network becomes."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from segdemo.models.backbones import vgg_features, without_last_pool
from segdemo.training import tasks
from segdemo.training.augment import Labelled
from segdemo.training.recipe import Phase
from segdemo.training.recipes import RECIPES
from segdemo.training.start import MEAN, STD
from segdemo.training.tasks import TASKS, normalise

PHASE = Phase(steps=1, image_size=32, frozen=(), distant=0.3, pasted=0.3, structures=0.2)
TAUGHT = replace(PHASE, taught=True, image_size=64)
SMALL = {"dropout": 0.0, "phases": (PHASE,)}
FCN = replace(RECIPES["fcn_vgg16"], arguments={"backbone": "vgg11", "fc_width": 8, "fc_kernel": 1}, **SMALL)
UNET = replace(RECIPES["unet_vgg16_bn"], arguments={"backbone": "vgg11_bn", "widths": (8,) * 5}, **SMALL)
VGG = replace(RECIPES["conv1x1_vgg11"], **SMALL)
RESNET = replace(RECIPES["conv1x1_resnet18"], **SMALL)


@pytest.fixture
def samples() -> list[Labelled]:
    labels = torch.zeros(4, 40, 48, dtype=torch.uint8)
    labels[:, 8:32, 8:40] = torch.tensor([1, 2, 3, 0], dtype=torch.uint8).view(-1, 1, 1)
    return [(torch.randint(0, 256, (3, 40, 48), dtype=torch.uint8), each) for each in labels]


@pytest.mark.parametrize("recipe", [FCN, UNET, VGG, RESNET], ids=lambda recipe: recipe.name)
def test_the_loss_is_finite_and_reaches_every_parameter(recipe, samples):
    task = TASKS[recipe.task](recipe)
    task.network.train()
    loss = task.loss(*task.batch(samples, PHASE), PHASE)
    assert loss.isfinite()
    loss.backward()
    for name, parameter in task.network.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


def test_batches_have_any_of_a_phase_s_sizes(samples):
    phase, task = replace(PHASE, other_sizes=(48, 64)), TASKS["segment"](FCN)
    batches = [task.batch(samples, phase) for _ in range(24)]
    assert {images.shape[-1] for images, _ in batches} == {32, 48, 64}
    assert all(images.shape[-2:] == labels.shape[-2:] for images, labels in batches)


def test_photos_are_normalised_by_the_means_of_vgg16():
    photo = torch.tensor(MEAN).view(1, 3, 1, 1).expand(1, 3, 2, 2)
    assert normalise(photo).abs().max() < 1e-6
    assert normalise(photo + STD[0]).sub(1).abs().max() < 1e-6


def test_a_segmenter_s_loss_is_the_mean_of_its_outputs(samples):
    task = TASKS["segment"](replace(FCN, class_weights=(), label_smoothing=0.0))
    images, targets = task.batch(samples, PHASE)
    outputs = task.outputs(images)
    assert len(outputs) == 3
    wanted = sum(nn.functional.cross_entropy(each, targets, ignore_index=255) for each in outputs) / 3
    torch.testing.assert_close(task.loss(images, targets, PHASE), wanted)


def test_an_image_is_named_by_its_largest_object():
    task = TASKS["classify"](VGG)
    labels = torch.zeros(5, 10, 10, dtype=torch.int64)
    labels[1, :5] = 2
    labels[1, 5:8] = 1
    labels[2, 0, 0] = 3  # too small to name, and too much for a background
    labels[3] = 255
    labels[4, :2] = 3
    assert task.targets(labels).tolist() == [0, 2, 255, 0, 3]


def reached(task, loss):
    loss.backward()
    return {name for name, p in task.network.named_parameters() if p.grad is not None and p.grad.ne(0).any()}


def test_stages_that_are_taught_reach_the_backbone_and_not_the_teacher(samples, monkeypatch):
    imitated = []
    monkeypatch.setattr(tasks, "imitate_", lambda *given: imitated.append(given))
    task, teacher, photos = TASKS["classify"](VGG), vgg_features("vgg16"), torch.rand(1, 3, 64, 64)
    before = teacher[0].weight.clone()
    task.learn_stages(teacher, photos)
    assert [len(given[0]) for given in imitated] == [5]
    assert imitated[0][2] is photos
    touched = reached(task, task.loss(*task.batch(samples, TAUGHT), TAUGHT))
    assert touched
    assert all(name.startswith("backbone.") for name in touched)
    assert torch.equal(teacher[0].weight, before)
    assert all(p.grad is None for p in teacher.parameters())


def test_a_student_that_is_its_teacher_has_no_error(samples, monkeypatch):
    monkeypatch.setattr(tasks, "imitate_", lambda *_: None)
    task = TASKS["classify"](replace(VGG, arguments={"backbone": "vgg16"}))
    teacher = vgg_features("vgg16")
    task.network.backbone.load_state_dict(without_last_pool(teacher).state_dict())
    task.learn_stages(teacher, torch.rand(1, 3, 32, 32))
    images, targets = task.batch(samples, TAUGHT)
    assert task.loss(images, targets, TAUGHT).item() < 1e-8


@pytest.fixture
def taught(samples):
    """A ResNet's task, taught by a VGG16, and a batch of it."""
    task, teacher = TASKS["classify"](RESNET), vgg_features("vgg16")
    with torch.no_grad():
        task.learn_scores(teacher, [task.batch(samples, TAUGHT) for _ in range(2)])
    return task, teacher, task.batch(samples, TAUGHT)


def test_scores_are_taught_cell_by_cell_beside_the_labels(taught):
    task, teacher, (images, targets) = taught
    before = teacher[0].weight.clone()
    loss = task.loss(images, targets, TAUGHT)
    assert loss > task.loss(images, targets, PHASE)
    assert {"fc.weight", "backbone.conv1.weight"} <= reached(task, loss)
    assert torch.equal(teacher[0].weight, before)
    assert all(p.grad is None for p in teacher.parameters())


def test_a_student_that_scores_as_its_teacher_learns_the_labels_alone(taught, monkeypatch):
    task, teacher, (images, targets) = taught
    monkeypatch.setattr(task.network, "features", lambda images: teacher(images))  # noqa: PLW0108 - it is no submodule
    score = task._teacher[-1]
    task.network.fc.load_state_dict({"weight": score.weight.flatten(1), "bias": score.bias})
    torch.testing.assert_close(task.loss(images, targets, TAUGHT), task.loss(images, targets, PHASE))
    with torch.no_grad():
        task.network.fc.bias[0] += 3
    assert task.loss(images, targets, TAUGHT) > task.loss(images, targets, PHASE) + 0.1


def test_a_classifier_s_mean_score_is_its_logit():
    task = TASKS["classify"](VGG)
    task.network.eval()
    image = torch.randn(1, 3, 50, 70)
    exported = task.export(task.network).eval()
    torch.testing.assert_close(exported.padded_score_map(image).mean((2, 3)), task.network(image))
