"""Random changes that keep photos and labels together."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segdemo.training.augment import (
    crop_resize,
    erase,
    gratings,
    jitter_colours,
    paste,
    pet_colours,
    pet_free_boxes,
    random_boxes,
    soften,
    structures,
    superellipses,
    tile_mirrored,
    uniform,
)

WHOLE = torch.tensor([[0.0, 0, 1, 1]])
shares = st.floats(0.05, 1)
zooms = st.tuples(shares, shares).map(lambda pair: tuple(sorted(pair)))
seeds = st.integers(0, 2**32)


def pixels(box, size):
    """Give left, top, right and bottom of a box in pixels."""
    x, y, half_width, half_height = box.tolist()
    edges = (x - half_width, y - half_height, x + half_width, y + half_height)
    return [(edge + 1) * size / 2 for edge in edges]


def test_uniform_numbers_stay_in_their_range():
    drawn = uniform(1000, -2, 3)
    assert drawn.shape == (1000,)
    assert drawn.min() < -1.9 and drawn.max() > 2.9
    assert drawn.min() >= -2 and drawn.max() <= 3


@given(seed=seeds, zoom=zooms, aspect=st.floats(0, 2))
def test_boxes_lie_inside_the_image(seed, zoom, aspect):
    torch.manual_seed(seed)
    boxes = random_boxes(50, zoom, aspect)
    centres, halves = boxes[:, :2], boxes[:, 2:]
    assert halves.min() > 0
    assert (centres.abs() + halves).max() <= 1 + 1e-6


@given(seed=seeds, zoom=zooms)
def test_boxes_without_squeeze_are_squares_of_the_zoom(seed, zoom):
    torch.manual_seed(seed)
    boxes = random_boxes(50, zoom, 0.0)
    assert torch.equal(boxes[:, 2], boxes[:, 3])
    assert zoom[0] - 1e-6 <= boxes[:, 2].min() and boxes[:, 2].max() <= zoom[1] + 1e-6


@given(seed=seeds, aspect=st.floats(0.01, 1))
def test_boxes_are_squeezed_by_no_more_than_the_aspect(seed, aspect):
    torch.manual_seed(seed)
    boxes = random_boxes(50, (0.2, 0.4), aspect)
    ratio = boxes[:, 2] / boxes[:, 3]
    assert 1 / (1 + aspect) - 1e-5 <= ratio.min() < ratio.max() <= 1 + aspect + 1e-5


@given(seed=seeds, zoom=zooms, size=st.sampled_from([7, 16, 33]), density=st.floats(0, 0.05))
def test_pet_free_boxes_hold_no_pet_and_no_border_pixel(seed, zoom, size, density):
    torch.manual_seed(seed)
    labels = torch.where(torch.rand(6, size, size) < density, torch.tensor([1, 2, 255])[torch.randint(3, (6, 1, 1))], 0)
    boxes, rows = pet_free_boxes(labels.byte(), zoom)
    for box, row in zip(boxes, rows, strict=True):
        edges = pixels(box, size)
        left, top, right, bottom = (round(edge) for edge in edges)
        assert edges == pytest.approx([left, top, right, bottom], abs=1e-4)
        assert 0 <= left < right <= size and 0 <= top < bottom <= size
        assert labels[row, top:bottom, left:right].eq(0).all()
    if len(rows):
        assert crop_resize(labels[rows, None].float(), boxes, 16, "nearest").eq(0).all()


def test_pet_free_boxes_are_found_where_there_is_room_and_nowhere_else():
    labels = torch.zeros(3, 32, 32, dtype=torch.uint8)
    labels[0, 16:, 16:] = 1
    labels[1] = 255
    boxes, rows = pet_free_boxes(labels, (0.2, 0.4))
    assert rows.tolist() == [0, 2]
    assert boxes.shape == (2, 4)


def test_no_pet_free_box_is_found_among_pets_alone():
    boxes, rows = pet_free_boxes(torch.ones(2, 8, 8, dtype=torch.uint8), (0.2, 0.4))
    assert boxes.shape == (0, 4)
    assert rows.shape == (0,)


def test_pet_free_boxes_reach_every_corner():
    boxes, _ = pet_free_boxes(torch.zeros(200, 8, 8, dtype=torch.uint8), (0.25, 0.5), tries=1)
    corners = (boxes[:, :2].abs() + boxes[:, 2:]).eq(1).all(1)
    assert len({tuple(sign) for sign in boxes[corners, :2].sign().tolist()}) == 4


def test_cropping_the_whole_image_changes_nothing():
    images = torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(crop_resize(images, WHOLE, 16), images)
    assert torch.equal(crop_resize(images, WHOLE, 16, "nearest"), images)


def test_a_crop_holds_the_pixels_of_its_box():
    images = torch.rand(2, 3, 16, 16)
    boxes = torch.tensor([[0.5, 0.5, 0.5, 0.5], [-0.5, 0.0, 0.5, 0.5]])
    wanted = torch.stack((images[0, :, 8:, 8:], images[1, :, 4:12, :8]))
    torch.testing.assert_close(crop_resize(images, boxes, 8), wanted)


def test_flip_mirrors_the_chosen_crops_left_to_right():
    images = torch.rand(2, 3, 16, 16)
    boxes = torch.tensor([[0.5, -0.5, 0.5, 0.5]] * 2)
    plain, flipped = crop_resize(images, boxes, 8), crop_resize(images, boxes, 8, flip=torch.tensor([True, False]))
    torch.testing.assert_close(flipped[0], plain[0].flip(-1))
    assert torch.equal(flipped[1], plain[1])


@given(seed=seeds, size=st.integers(4, 24), zoom=zooms)
def test_photos_and_labels_stay_aligned(seed, size, zoom):
    torch.manual_seed(seed)
    column = torch.arange(20.0).expand(8, 1, 20, 20)
    where = torch.cat((column, column.mT), 1)  # every pixel tells its own x and y
    boxes, flip = random_boxes(8, zoom, 0.5), torch.rand(8) < 0.5
    photos, labels = crop_resize(where, boxes, size, flip=flip), crop_resize(where, boxes, size, "nearest", flip)
    assert (photos - labels).abs().max() <= 0.5 + 1e-3


def test_labels_stay_class_indices():
    labels = torch.tensor([0.0, 1, 2, 255])[torch.randint(4, (4, 1, 20, 20))]
    cropped = crop_resize(labels, random_boxes(4, (0.3, 1.0), 0.5), 33, "nearest")
    assert set(cropped.unique().tolist()) <= {0, 1, 2, 255}


@given(seed=seeds, strength=st.floats(0, 1))
def test_jittered_colours_stay_from_0_to_1(seed, strength):
    torch.manual_seed(seed)
    changed = jitter_colours(torch.rand(4, 3, 6, 5), strength)
    assert changed.shape == (4, 3, 6, 5)
    assert changed.min() >= 0 and changed.max() <= 1


def test_jitter_of_strength_0_changes_nothing():
    images = torch.rand(4, 3, 6, 5)
    torch.testing.assert_close(jitter_colours(images, 0.0), images)


def test_jitter_draws_anew_for_each_photo():
    changed = jitter_colours(torch.rand(1, 3, 6, 5).expand(4, -1, -1, -1), 0.3)
    assert changed.unique(dim=0).shape[0] == 4


def test_a_grey_photo_stays_grey():
    changed = jitter_colours(torch.rand(2, 1, 6, 5).expand(-1, 3, -1, -1), 0.5)
    torch.testing.assert_close(changed, changed[:, :1].expand(-1, 3, -1, -1))


def test_superellipses_differ_and_none_is_empty():
    masks = superellipses(200, 32)
    assert masks.dtype == torch.bool and masks.shape == (200, 32, 32)
    areas = masks.float().mean((1, 2))
    assert (areas > 0).float().mean() > 0.95
    assert areas.min() < 0.05 and areas.max() > 0.2
    assert len({mask.numpy().tobytes() for mask in masks}) > 190


def test_a_mirrored_tiling_has_the_image_s_colours_and_no_others():
    images = torch.zeros(8, 3, 16, 16)
    images[:, 0, :, 8:] = 1
    tiled = tile_mirrored(images)
    assert tiled.shape == images.shape
    assert tiled[:, 1:].eq(0).all()
    assert tiled.min() >= 0 and tiled.max() <= 1 + 1e-6
    assert 0.2 < tiled[:, 0].mean() < 0.8


def test_structures_are_photos_of_nothing_and_half_of_them_symmetric():
    images = structures(torch.rand(60, 2, 3), 32)
    assert images.shape == (60, 3, 32, 32)
    assert images.min() >= 0 and images.max() <= 1
    assert (images.std((1, 2, 3)) > 0.02).all()
    symmetric = (images == images.flip(3)).flatten(1).all(1).float().mean()
    assert 0.25 < symmetric < 0.75
    assert len({image.numpy().tobytes() for image in images}) == 60


def test_gratings_are_made_of_bars():
    images = gratings(torch.rand(40, 2, 3), 32).mean(1)
    neighbours, far = (images[:, :, 1:] - images[:, :, :-1]).abs().mean(), (images - images.flip(0)).abs().mean()
    assert 0.01 < neighbours < far


def test_drawings_take_their_colours_from_pets():
    images = torch.zeros(4, 3, 8, 8)
    images[:, 0, 2:4, 2:4] = 0.7
    labels = torch.zeros(4, 8, 8, dtype=torch.long)
    labels[:3, 2:4, 2:4] = torch.tensor([1, 2, 255]).view(3, 1, 1)
    colours = pet_colours(images, labels, 50)
    assert colours.shape == (50, 2, 3)
    torch.testing.assert_close(colours, torch.tensor([0.7, 0, 0]).expand(50, 2, 3))
    assert pet_colours(images, labels * 0, 5).unique().numel() == 30  # no pet: any colours


def test_a_patch_hides_photo_and_label_alike():
    images, labels = torch.zeros(20, 3, 32, 32), torch.full((20, 32, 32), 2)
    changed, seen = paste(images, labels, torch.ones(2, 3, 32, 32), torch.ones(20))
    assert torch.equal(changed[:, 0] == 1, seen == 0)
    assert 0.02 < changed.mean() < 0.6
    assert images.eq(0).all() and labels.eq(2).all()


def test_only_the_chosen_images_get_a_patch():
    shares = torch.tensor([0.0] * 50 + [1.0] * 50)
    changed, _ = paste(torch.zeros(100, 3, 16, 16), torch.zeros(100, 16, 16), torch.ones(1, 3, 16, 16), shares)
    assert changed[:50].eq(0).all()
    assert (changed[50:].flatten(1).amax(1) == 1).float().mean() > 0.8


def test_erasing_paints_pets_and_their_border_over():
    labels = torch.zeros(1, 16, 16, dtype=torch.uint8)
    labels[:, 6:10, 6:10] = 2
    labels[:, 5, 6:10] = 255
    erased = erase(torch.zeros(1, 3, 16, 16), labels, torch.ones(1, 3, 16, 16), margin=1)[0, 0]
    assert erased[4:11, 5:11].eq(1).all()
    assert erased.sum() == 7 * 6


def test_softened_images_lose_detail_but_not_their_mean():
    images = torch.rand(64, 3, 16, 16)
    softened = soften(images, 1.0)
    assert (softened.var((1, 2, 3)) < 0.6 * images.var((1, 2, 3))).all()
    torch.testing.assert_close(softened.mean((2, 3)), images.mean((2, 3)), rtol=0.1, atol=0.05)
    assert torch.equal(soften(images, 0.0), images)
    changed = (soften(images, 0.5) != images).flatten(1).any(1).float().mean()
    assert 0.3 < changed < 0.7
