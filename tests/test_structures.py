"""Drawn structures are background, in a share of the photos."""

import torch

from segdemo.training.structures import draw_structures, gratings, skies, towers


def test_drawn_pixels_are_background_and_the_others_stay():
    images, labels = torch.full((40, 3, 32, 32), 0.5), torch.ones(40, 32, 32, dtype=torch.int64)
    drawn, found = draw_structures(images, labels, 0.5)
    changed = (drawn != images).any(1)
    assert (found[changed] == 0).all()
    assert (found[~changed] == 1).all() or (found[~changed] == 1).float().mean() > 0.99
    share = changed.flatten(1).any(1).float().mean()
    assert 0.2 < share < 0.8


def test_nothing_is_drawn_at_a_share_of_zero():
    images, labels = torch.rand(4, 3, 16, 16), torch.ones(4, 16, 16, dtype=torch.int64)
    drawn, found = draw_structures(images, labels, 0.0)
    assert torch.equal(drawn, images)
    assert torch.equal(found, labels)


def test_pictures_lie_in_the_range_of_photos():
    for picture in (gratings(6, 24), skies(6, 24)):
        assert picture.shape == (6, 3, 24, 24)
        assert picture.min() >= 0 and picture.max() <= 1
    assert gratings(6, 24).std((2, 3)).mean() > 0.02  # bars, not a plain colour


def test_towers_narrow_to_the_top():
    shapes = towers(200, 64)
    widths = shapes.sum(2).float()
    rows = [row[row > 0] for row in widths]
    narrowing = [row[: len(row) // 3].mean() <= row[-(len(row) // 3) :].mean() for row in rows if len(row) > 8]
    assert sum(narrowing) > 0.85 * len(narrowing)  # some stand on legs
