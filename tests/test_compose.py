"""Pets before other backdrops, and things that are none."""

import torch
import torch.nn.functional as F

from segdemo.training.compose import (
    backdrops,
    exchange_backdrops,
    feather,
    gradients,
    melt,
    mixed,
    place_things,
    standing,
    things,
)

SIDE = 32


def disc(radius=0.5):
    line = torch.linspace(-1, 1, SIDE)
    return (line**2 + line[:, None] ** 2).sqrt() < radius


def inner(masks):
    """Give what lies more than two pixels inside."""
    return -F.max_pool2d(-masks.float()[:, None], 5, 1, 2)[:, 0] == 1


def test_plain_backdrops_change_slowly_from_top_to_bottom():
    images = gradients(40, SIDE)
    assert images.shape == (40, 3, SIDE, SIDE)
    assert images.min() >= 0 and images.max() <= 1
    rows = images.mean(3)
    assert (rows[:, :, 1:] - rows[:, :, :-1]).abs().max() < 0.08
    assert (images[:, 2] > images[:, 0]).float().mean() > 0.6  # bluish
    assert images.std((2, 3)).amax(1).unique().numel() == 40


def test_things_stand_on_the_ground():
    masks = standing(300, SIDE)
    assert masks.dtype == torch.bool and masks.shape == (300, SIDE, SIDE)
    seen = masks.flatten(1).any(1)
    assert seen.float().mean() > 0.9
    assert masks[:, -1].any(1)[seen].float().mean() > 0.8  # others lean out of the picture, or stand astride
    heights = masks.any(2).float().mean(1)
    assert heights.min() < 0.4 and heights.max() == 1
    wider_below = masks[:, SIDE // 2 :].sum((1, 2)) > masks[:, : SIDE // 2].sum((1, 2))
    assert wider_below.float().mean() > 0.7
    assert len({mask.numpy().tobytes() for mask in masks}) > 250


def test_melting_moves_everything_and_adds_no_colour():
    images = torch.zeros(8, 3, SIDE, SIDE)
    images[:, 0] = disc()
    molten = melt(images)
    assert molten[:, 1:].eq(0).all() and molten.min() >= 0 and molten.max() <= 1 + 1e-6
    assert (molten - images).abs().mean((1, 2, 3)).min() > 0.02
    torch.testing.assert_close(melt(images, (0.0, 0.0)), images, rtol=0, atol=1e-4)


def test_a_feathered_edge_is_soft_and_the_rest_is_not():
    masks = disc().expand(1, 1, SIDE, SIDE)
    softened = [feather(masks) for _ in range(20)]
    assert {tuple(each.unique().tolist()) == (0.0, 1.0) for each in softened} == {True, False}
    for each in softened:
        assert each[:, 0][inner(masks[:, 0])].eq(1).all() and each[:, 0][inner(~masks[:, 0])].eq(0).all()


def test_each_image_comes_from_one_of_the_batches():
    batches = tuple(torch.full((500, 1, 2, 2), float(value)) for value in range(3))
    taken = mixed(batches, (0.7, 0.3, 0.0))[:, 0]
    assert taken.flatten(1).std(1).eq(0).all()
    shares = [(taken[:, 0, 0] == value).float().mean().item() for value in range(3)]
    assert 0.6 < shares[0] < 0.8 and shares[2] == 0


def test_backdrops_and_things_are_images_of_many_kinds():
    patches, colours = torch.rand(3, 3, SIDE, SIDE), torch.rand(60, 2, 3)
    for made in (backdrops(patches, colours), things(torch.rand(60, 3, SIDE, SIDE), patches, colours)):
        assert made.shape == (60, 3, SIDE, SIDE)
        assert made.min() >= 0 and made.max() <= 1
        assert made.flatten(1).unique(dim=0).shape[0] == 60


def test_things_are_placed_before_backdrops():
    placed = place_things(torch.ones(200, 3, SIDE, SIDE), torch.zeros(200, 3, SIDE, SIDE))
    assert placed.min() == 0 and placed.max() == 1
    assert torch.equal(placed[:, 0], placed[:, 1])
    covers = placed.mean((1, 2, 3))
    assert 0.05 < (covers == 1).float().mean() < 0.35
    assert ((covers > 0.02) & (covers < 0.98)).float().mean() > 0.6


def test_pets_keep_their_pixels_when_their_backdrop_is_exchanged():
    images, labels = torch.rand(50, 3, SIDE, SIDE), disc().long().mul(2).repeat(50, 1, 1)
    labels[:, 0, 0] = 255  # the border goes with the pet
    behind = torch.full_like(images, 7.0)
    changed = exchange_backdrops(images, labels, behind, 0.5)
    pets, others = inner(labels != 0)[:, None].expand_as(images), inner(labels == 0)[:, None].expand_as(images)
    torch.testing.assert_close(changed[pets], images[pets])
    is_new = changed[others].view(50, -1) == 7
    exchanged = is_new.all(1)
    assert 0.2 < exchanged.float().mean() < 0.8
    assert torch.equal(changed[~exchanged], images[~exchanged])
    assert torch.equal(exchange_backdrops(images, labels, behind, 0.0), images)


def test_a_pet_that_fills_its_window_stays_where_it_is():
    images, labels = torch.rand(5, 3, SIDE, SIDE), torch.ones(5, SIDE, SIDE, dtype=torch.long)
    labels[:, :2] = 0
    assert torch.equal(exchange_backdrops(images, labels, torch.zeros_like(images), 1.0), images)
