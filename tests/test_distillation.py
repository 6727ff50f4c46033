"""A student's stages give about what their teacher's give."""

import pytest
import torch
from torch import Tensor, nn

from segdemo.models.backbones import split_at_max_pools, vgg_features
from segdemo.training.distillation import fit_linear_, imitate_

STAGES = 3  # the last two have 4,609 numbers a channel to solve for


@pytest.fixture
def images() -> Tensor:
    return nn.functional.avg_pool2d(torch.randn(24, 3, 64, 64), 5, 1, 2) * 5


def stages(name: str) -> list[nn.Sequential]:
    return split_at_max_pools(vgg_features(name).eval())[:STAGES]


def errors(student: list[nn.Sequential], teacher: list[nn.Sequential], images: Tensor) -> list[float]:
    found, ours, theirs = [], images, images
    for mine, other in zip(student, teacher, strict=True):
        ours, theirs = mine.eval()(ours), other(theirs)
        found.append(float((ours - theirs).square().mean() / theirs.var()))
    return found


@torch.no_grad()
def test_a_student_with_as_many_convs_becomes_its_teacher(images):
    student, teacher = stages("vgg11_bn"), stages("vgg11")
    imitate_(student, teacher, images)
    assert max(errors(student, teacher, images)) < 0.01


@torch.no_grad()
def test_a_smaller_student_is_near_its_teacher_on_photos_that_it_has_not_seen(images):
    student, teacher = stages("vgg11_bn"), stages("vgg16")
    seen, others = images[:16], images[16:]
    before = errors(student, teacher, others)
    imitate_(student, teacher, seen)
    after = errors(student, teacher, others)
    assert max(after) < 0.5
    assert all(a < b / 2 for a, b in zip(after, before, strict=True)), (before, after)


@torch.no_grad()
def test_convs_that_are_not_a_stage_s_last_are_the_teacher_s_own(images):
    student, teacher = stages("vgg11_bn"), stages("vgg16")
    imitate_(student, teacher, images)
    assert torch.equal(student[2][0].weight, teacher[2][0].weight)
    assert not torch.equal(student[2][3].weight, teacher[2][2].weight)


def test_a_fitted_linear_layer_tells_classes_apart_by_their_features():
    centres = torch.eye(3, 8) * 4
    targets = torch.arange(3).repeat(20)
    features = centres[targets] + torch.randn(60, 8) * 0.3
    linear = nn.Linear(8, 3)
    fit_linear_(linear, features, targets)
    assert torch.equal(linear(features).argmax(1), targets)


def test_what_has_no_label_changes_no_fitted_linear_layer():
    features, targets = torch.randn(40, 4), torch.randint(0, 3, (40,))
    layers = []
    for more in (0, 10):
        torch.manual_seed(0)
        layers.append(nn.Linear(4, 3))
        unlabelled = (torch.full((more, 4), 100.0), torch.full((more,), 255))
        fit_linear_(layers[-1], torch.cat((features, unlabelled[0])), torch.cat((targets, unlabelled[1])))
    torch.testing.assert_close(layers[0].weight, layers[1].weight)
