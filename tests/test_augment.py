"""Random changes: photo and labels stay together, and what is laid over another brings its label along."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from segdemo.training.augment import beside_objects, cut_out, fill_holes, make_batch, single_changes
from segdemo.training.datasets import IGNORE
from segdemo.training.recipe import Phase

PHASE = Phase(steps=1, image_size=32, distant=0.5, pasted=0.5, structures=0.3)
HOLE = 253


@pytest.fixture
def samples():
    """Photos whose red channel is high just where the label is 1, and labels of 255 nowhere."""
    labels = torch.zeros(8, 40, 60, dtype=torch.uint8)
    labels[:, 10:30, 20:40] = 1
    photos = torch.stack((labels * 250, *(torch.full_like(labels, 60),) * 2), 1)
    return list(zip(photos, labels, strict=True))


def test_a_batch_has_the_crop_s_size_and_range(samples):
    images, labels = make_batch(samples, single_changes(PHASE), PHASE)
    assert images.shape == (8, 3, 32, 32)
    assert labels.shape == (8, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    assert set(labels.unique().tolist()) <= {0, 1, IGNORE}


def test_photo_and_labels_move_together(samples):
    plain = replace(PHASE, structures=0.0, distant=1.0, pasted=0.3)
    images, labels = make_batch(samples, single_changes(plain), plain)
    warm = images[:, 0] - images[:, 1]
    assert warm[labels == 1].mean() > warm[labels == 0].mean() + 0.3


def test_the_samples_are_left_as_they_are(samples):
    before = [(photo.clone(), labels.clone()) for photo, labels in samples]
    make_batch(samples, single_changes(PHASE), PHASE)
    assert all(
        torch.equal(a, b) for one, two in zip(before, samples, strict=True) for a, b in zip(one, two, strict=True)
    )


def test_only_photos_with_an_object_are_cut_out():
    labels = torch.zeros(2, 10, 10, dtype=torch.int64)
    labels[0, :5] = 2
    cut = cut_out(labels, 1.0)
    assert (cut[0, 5:] == HOLE).all() and (cut[0, :5] == 2).all()
    assert (cut[1] == 0).all()
    assert torch.equal(cut_out(labels, 0.0), labels)


def test_holes_show_the_next_photo_with_its_labels():
    labels = torch.tensor([[[HOLE, 1]], [[2, HOLE]], [[0, HOLE]]])
    images = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 3, 1, 2)
    filled, found = fill_holes(images, labels)
    assert found.tolist() == [[[0, 1]], [[2, 1]], [[0, 1]]]
    assert filled[:, 0].tolist() == [[[2, 0]], [[1, 0]], [[2, 0]]]


def test_what_is_a_hole_everywhere_has_no_label():
    labels = torch.full((2, 1, 1), HOLE)
    assert (fill_holes(torch.zeros(2, 3, 1, 1), labels)[1] == IGNORE).all()


def test_equal_seeds_give_equal_batches(samples):
    batches = []
    for _ in range(2):
        torch.manual_seed(1)
        np.random.seed(1)
        batches.append(make_batch(samples, single_changes(PHASE), PHASE))
    assert all(torch.equal(a, b) for a, b in zip(*batches, strict=True))


def test_a_strip_beside_an_object_is_background_alone():
    labels = torch.zeros(40, 60, dtype=torch.uint8)
    labels[10:30, 5:30] = 2
    labels[9, 5:30] = 255  # a border that is not labelled is no background either
    photo = torch.arange(40 * 60).view(1, 40, 60).expand(3, -1, -1)
    found, cut = beside_objects((photo, labels))
    assert torch.equal(found, photo[:, :, 30:])  # the largest of the four
    assert not cut.any()
    assert cut.shape == (40, 30)


@pytest.mark.parametrize("place", [slice(0, 0), slice(2, 38), slice(0, 40)], ids=["none", "thin strips", "all"])
def test_a_photo_without_such_a_strip_stays_whole(place):
    labels = torch.zeros(40, 40, dtype=torch.uint8)
    labels[place, place] = 1
    photo = torch.zeros(3, 40, 40)
    found, cut = beside_objects((photo, labels))
    assert found is photo
    assert cut is labels


def test_strips_are_taken_from_a_share_of_the_photos():
    labels = torch.zeros(40, 40, dtype=torch.uint8)
    labels[:20] = 1
    phase = Phase(steps=1, image_size=16, beside=0.5, area=(1.0, 1.0), aspect=(1.0, 1.0))
    _, found = make_batch([(torch.zeros(3, 40, 40, dtype=torch.uint8), labels)] * 200, single_changes(phase), phase)
    assert 0.35 < (found == 0).flatten(1).all(1).float().mean() < 0.65
