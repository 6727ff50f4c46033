"""Pictures and files: what is coloured, on which scale, and what can be read back."""

import io

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco

from segdemo import render

COLOURS = ("#000000", "#e69f00", "#56b4e9")


@pytest.fixture
def class_map():
    return np.random.default_rng(0).integers(0, 3, (20, 30), dtype=np.uint8)


@pytest.fixture
def photo():
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8))


def test_the_overlay_colours_the_classes_and_leaves_the_background(photo, class_map):
    picture = np.asarray(render.overlay(photo, class_map, COLOURS, 1.0))
    original = np.asarray(photo)
    np.testing.assert_array_equal(picture[class_map == 0], original[class_map == 0])
    assert (picture[class_map == 1] == (0xE6, 0x9F, 0x00)).all()
    assert (picture[class_map == 2] == (0x56, 0xB4, 0xE9)).all()


def test_opacity_mixes_photo_and_colour(photo, class_map):
    np.testing.assert_array_equal(render.overlay(photo, class_map, COLOURS, 0.0), photo)
    half = np.asarray(render.overlay(photo, class_map, COLOURS, 0.5)).astype(float)
    expected = (np.asarray(photo)[class_map == 1] + np.array((0xE6, 0x9F, 0x00))) / 2
    np.testing.assert_allclose(half[class_map == 1], expected, atol=1.5)


def test_an_overlay_of_another_size_is_refused(photo, class_map):
    with pytest.raises(ValueError, match="differ in size"):
        render.overlay(photo, class_map.T, COLOURS, 0.5)


def test_an_index_mask_survives_png_as_indices_with_colours(class_map):
    buffer = io.BytesIO()
    render.index_mask(class_map, COLOURS).save(buffer, "PNG")
    read = Image.open(buffer)
    assert read.mode == "P"
    np.testing.assert_array_equal(np.asarray(read), class_map)
    row, column = np.argwhere(class_map == 1)[0]
    assert read.convert("RGB").getpixel((int(column), int(row))) == (0xE6, 0x9F, 0x00)


def test_a_heatmap_s_colour_depends_on_the_probability_alone():
    weak = render.heatmap(np.full((4, 4), 0.3, np.float32))
    mixed = np.full((4, 4), 0.3, np.float32)
    mixed[0, 0] = 1.0
    assert render.heatmap(mixed).getpixel((3, 3)) == weak.getpixel((0, 0))


@pytest.mark.parametrize("colormap", render.HEAT_COLORMAPS)
def test_every_colormap_runs_from_dark_to_bright(colormap):
    ends = render.heatmap(np.array([[0.0, 1.0]], np.float32), colormap)
    assert sum(ends.getpixel((0, 0))) < sum(ends.getpixel((1, 0)))


def test_the_score_grid_is_one_flat_block_a_cell():
    scores = np.linspace(-4, 4, 8 * 10, dtype=np.float32).reshape(8, 10)
    picture = np.asarray(render.score_grid(scores, 4.0, longer_side=100))
    assert picture.shape == (80, 100, 3)
    blocks = picture.reshape(8, 10, 10, 10, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert len(np.unique(blocks[:, 0, :, 0].reshape(-1, 3), axis=0)) == 80


def test_zero_is_the_neutral_colour_whatever_the_limit():
    zero = np.zeros((8, 8), np.float32)
    assert render.score_grid(zero, 1.0).getpixel((0, 0)) == render.score_grid(zero, 50.0).getpixel((0, 0))
    assert min(render.score_grid(zero, 1.0).getpixel((0, 0))) > 240


def test_few_cells_bear_their_numbers():
    scores = np.full((3, 3), 0.5, np.float32)
    few = render.score_grid(scores, 1.0)
    many = render.score_grid(np.full((9, 9), 0.5, np.float32), 1.0)
    assert len(few.getcolors(1 << 16)) > 1
    assert len(many.getcolors()) == 1


def test_more_cells_than_pixels_still_give_a_picture():
    assert render.score_grid(np.zeros((2, 900), np.float32), 1.0).size == (900, 2)


def test_run_lengths_decode_to_the_class_map(class_map):
    annotations = render.coco_rle(class_map, ("background", "cat", "dog"))
    assert [a["category"] for a in annotations] == ["cat", "dog"]
    for annotation in annotations:
        decoded = coco.decode(annotation["segmentation"]).astype(bool)
        np.testing.assert_array_equal(decoded, class_map == annotation["category_id"])
        assert annotation["area"] == decoded.sum()


def test_only_background_gives_no_annotation():
    assert render.coco_rle(np.zeros((4, 4), np.uint8), ("background", "cat")) == []


def test_display_size_shrinks_and_never_enlarges():
    assert render.display_size((4000, 3000)) == (1024, 768)
    assert render.display_size((300, 200)) == (300, 200)
    assert render.display_size((20_000, 1)) == (1024, 1)


def test_a_gradient_has_the_colormap_s_ends():
    gradient = render.css_gradient("gray")
    assert gradient.startswith("linear-gradient(to right, rgb(0, 0, 0), rgb(17, 17, 17), ")
    assert gradient.endswith(", rgb(255, 255, 255))")


@pytest.mark.parametrize("shape", [(3, 5), (128, 40), (300, 200), (1, 1), (1, 400)])
def test_a_feature_map_is_drawn_on_its_own_scale(shape):
    values = np.zeros(shape, np.float32)
    values[0, 0] = 7
    picture = render.feature_map(values)
    assert 64 < max(picture.size) <= 128
    assert picture.getpixel((0, 0)) == render.feature_map(values * 3).getpixel((0, 0))
    assert picture.height <= 128 and picture.width >= 1
    assert render.feature_map(np.zeros(shape, np.float32)).getextrema() == (0, 0)
    assert max(shape) > 128 or picture.convert("RGB").getpixel((0, 0)) == (253, 231, 36)


def test_a_picture_is_enlarged_by_whole_blocks():
    picture = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    large = np.asarray(render.enlarge(picture, 10))
    np.testing.assert_array_equal(large, np.asarray(picture).repeat(3, 0).repeat(3, 1))
    assert render.enlarge(picture, 2).size == picture.size
