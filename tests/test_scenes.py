"""Images without a pet, composed."""

import pytest
import torch

from segdemo.training.scenes import lay_over, skies, things, tint, windows

CUTOUT = torch.zeros(1, 4, 32, 32, dtype=torch.uint8)
CUTOUT[:, 0, 8:24, 8:24] = 200
CUTOUT[:, 3, 8:24, 8:24] = 255


def test_windows_show_parts_of_the_pictures():
    pictures = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    pictures[1] = 255
    found = windows(pictures, 40, 16)
    assert found.shape == (40, 3, 16, 16)
    means = found.mean((1, 2, 3))
    assert found.amin() >= 0 and found.amax() <= 1
    assert (means < 0.1).any() and (means > 0.5).any()
    assert not ((means >= 0.1) & (means <= 0.5)).any()


def test_windows_lie_elsewhere_each_time():
    ramp = torch.arange(32, dtype=torch.uint8).mul(8).expand(1, 3, 32, 32)
    rising = windows(ramp, 60, 16).mean((1, 2)).diff(dim=1).sign().sum(1)
    assert (rising > 10).any() and (rising < -10).any()  # some are mirrored


def test_skies_change_from_top_to_bottom_alone():
    found = skies(50, 24)
    assert found.shape == (50, 3, 24, 24) and found.amin() >= 0 and found.amax() <= 1
    rows = found.mean(3)
    assert (found - rows[..., None]).abs().mean() < 0.03
    assert (rows[:, :, 0] - rows[:, :, -1]).abs().mean() > 0.05
    assert (found[:, 2].mean() - found[:, 0].mean()) > 0.05  # most are blue


def test_things_are_placed_anew_each_time():
    found = things(CUTOUT, torch.rand(60, 3, 24, 24), torch.rand(60, 2, 3), 24)
    assert found.shape == (60, 4, 24, 24) and found.amin() >= 0 and found.amax() <= 1
    cover = (found[:, 3] > 0.5).float().mean((1, 2))
    assert cover.amin() < 0.1 and cover.amax() > 0.3
    assert len(cover.unique()) > 30


def test_some_things_keep_their_colours_some_take_others():
    green = torch.tensor([[0.0, 0.3, 0.0], [0.0, 0.9, 0.0]]).expand(80, 2, 3)
    found = things(CUTOUT, torch.ones(80, 3, 24, 24), green, 24)
    inside = found[:, 3] > 0.99
    seen = [image[:3, mask].mean(1) for image, mask in zip(found, inside, strict=True) if mask.sum() > 8]
    kinds = torch.stack(seen).argmax(1).bincount(minlength=3)
    assert kinds[0] >= 10 and kinds[1] >= 10


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_tinting_goes_from_the_darker_colour_to_the_lighter(strength):
    ramp = torch.linspace(0, 1, 5).view(1, 1, 1, 5).expand(1, 3, 1, 5)
    colours = torch.tensor([[[0.9, 0.8, 0.1], [0.2, 0.1, 0.0]]])
    found = tint(ramp, colours, torch.tensor([strength]))
    if strength:
        torch.testing.assert_close(found[0, :, 0, 0], colours[0, 1])
        torch.testing.assert_close(found[0, :, 0, -1], colours[0, 0])
    else:
        torch.testing.assert_close(found, ramp)


def test_what_a_layer_hides_is_background():
    images, labels = torch.zeros(2, 3, 4, 4), torch.full((2, 4, 4), 2)
    layers = torch.zeros(2, 4, 4, 4)
    layers[:, :, :2] = 1
    over, under = lay_over(images, labels, layers, torch.tensor([1.0, 0.0]))
    assert over[0, :, :2].eq(1).all() and over[0, :, 2:].eq(0).all() and over[1].eq(0).all()
    assert under[0, :2].eq(0).all() and under[0, 2:].eq(2).all() and under[1].eq(2).all()
    assert images.eq(0).all() and labels.eq(2).all()
