"""Class maps, heatmaps and figures follow from the scores alone."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from segdemo import segmentation as module
from segdemo.segmentation import Segmentation

CLASSES = ("background", "cat", "dog")


def make(image_size=(50, 40), analysis_size=(20, 16), scores=None, classes=CLASSES, **settings):
    width, height = analysis_size
    if scores is None:
        scores = torch.randn(len(classes), height, width)
    return Segmentation(
        network="fcn8s_vgg16",
        classes=classes,
        colours=("#000000", "#e69f00", "#56b4e9"),
        image_size=image_size,
        analysis_size=analysis_size,
        device="cpu",
        precision="float32",
        milliseconds={"resize": 1.234, "network": 5.0},
        **{
            "score_map": scores[:, ::8, ::8].contiguous(),
            "scores": scores,
            "extent": analysis_size,
            "stride": 8,
            **settings,
        },
    )


def interpolated(segmentation, size):
    return F.interpolate(segmentation.scores[None], (size[1], size[0]), mode="bilinear")[0]


@pytest.mark.parametrize("size", [(50, 40), (7, 90), (20, 16), (1, 1)])
def test_class_map_is_the_argmax_of_the_interpolated_scores(size):
    segmentation = make()
    expected = interpolated(segmentation, size).argmax(0).numpy()
    actual = segmentation.class_map(size)
    assert actual.dtype == np.uint8
    assert actual.shape == (size[1], size[0])
    np.testing.assert_array_equal(actual, expected)


def test_heatmap_is_the_softmax_of_the_interpolated_scores():
    segmentation = make()
    expected = interpolated(segmentation, (50, 40)).softmax(0)
    for index in range(len(CLASSES)):
        actual = segmentation.heatmap(index)
        assert actual.dtype == np.float32
        np.testing.assert_allclose(actual, expected[index].numpy(), atol=1e-5)


def test_bands_of_rows_give_what_one_piece_gives(monkeypatch):
    whole = make()
    monkeypatch.setattr(module, "_BAND_NUMBERS", 3 * 50 * 7)
    banded = make(scores=whole.scores)
    np.testing.assert_array_equal(banded.class_map(), whole.class_map())
    np.testing.assert_array_equal(banded.heatmap(2), whole.heatmap(2))
    assert banded.areas == whole.areas


def test_areas_are_the_shares_of_the_class_map_at_the_photos_size():
    segmentation = make()
    counts = np.bincount(segmentation.class_map().ravel(), minlength=3)
    assert list(segmentation.areas) == list(CLASSES)
    np.testing.assert_allclose(list(segmentation.areas.values()), counts / counts.sum())
    assert sum(segmentation.areas.values()) == pytest.approx(1)


def test_confidence_is_the_mean_probability_over_a_class_s_own_pixels():
    segmentation = make()
    class_map = segmentation.class_map()
    for index, name in enumerate(CLASSES):
        expected = segmentation.heatmap(index)[class_map == index].mean()
        assert segmentation.confidences[name] == pytest.approx(expected, abs=1e-5)


def test_the_main_class_is_the_largest_one_that_is_not_background():
    scores = torch.zeros(3, 16, 20)
    scores[0] = 1
    scores[2, :3] = 2
    scores[1, 3:5] = 2
    assert make(scores=scores).main_class == 2


def test_a_photo_of_background_alone_still_has_a_class_to_show():
    scores = torch.zeros(3, 16, 20)
    scores[0] = 9
    scores[1] = 1
    segmentation = make(scores=scores)
    assert segmentation.areas == {"background": 1.0, "cat": 0.0, "dog": 0.0}
    assert segmentation.main_class == 1
    assert segmentation.confidences["cat"] == 0


def test_one_pixel_s_probabilities_are_those_of_the_heatmaps():
    segmentation = make()
    probabilities = segmentation.probabilities_at(49, 11)
    assert sum(probabilities.values()) == pytest.approx(1)
    for index, name in enumerate(CLASSES):
        assert probabilities[name] == pytest.approx(segmentation.heatmap(index)[11, 49], abs=1e-6)


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (50, 0), (0, 40)])
def test_a_pixel_outside_the_photo_is_refused(x, y):
    with pytest.raises(ValueError, match="outside the photo of 50×40"):
        make().probabilities_at(x, y)


@pytest.mark.parametrize("image_size", [(1, 1), (3000, 1), (1, 3000)])
def test_any_shape_of_photo_is_covered_whole(image_size):
    segmentation = make(image_size=image_size, analysis_size=(20, 1), scores=torch.randn(3, 1, 20))
    assert segmentation.class_map().shape == image_size[::-1]
    assert sum(segmentation.areas.values()) == pytest.approx(1)


def test_facts_are_plain_values():
    facts = json.loads(json.dumps(make().facts()))
    assert facts["image_size"] == [50, 40]
    assert facts["analysis_size"] == [20, 16]
    assert facts["score_size"] == [3, 2]
    assert facts["milliseconds"] == {"resize": 1.23, "network": 5.0}
    assert set(facts["areas"]) == set(facts["classes"]) == set(CLASSES)


def many_classes(has_background=False):
    """Make what a network of 1,000 classes and plain interpolation gives: the photo spans 4.5×3.25 of 5×4 cells."""
    torch.manual_seed(5)
    scores = torch.randn(1000, 4, 5)
    scores[7] += 6
    scores[400, :2] += 9
    scores[401, :, 3:] += 12
    return make(
        (90, 65),
        (144, 104),
        scores,
        tuple(f"class {i}" for i in range(1000)),
        score_map=scores,
        extent=(4.5, 3.25),
        stride=32,
        has_background=has_background,
    )


def at_every_pixel(segmentation, source):
    """Interpolate as the network would: upsample by the stride, crop to the analysed size, resize to the photo."""
    width, height = segmentation.analysis_size
    big = F.interpolate(source[None], scale_factor=32, mode="bilinear")[..., :height, :width]
    return F.interpolate(big, segmentation.image_size[::-1], mode="bilinear")[0]


def test_cells_that_reach_beyond_the_photo_are_cropped():
    segmentation = many_classes()
    wanted = at_every_pixel(segmentation, segmentation.scores).argmax(0).numpy()
    actual = segmentation.class_map()
    assert actual.dtype == np.uint16
    assert actual.shape == (65, 90)
    assert (actual == wanted).mean() > 0.98
    assert set(np.unique(actual)) == {7, 400, 401}


def test_a_heatmap_among_many_classes_is_exact_at_the_cells_and_never_holds_them_all():
    segmentation = many_classes()
    probabilities = segmentation.scores.softmax(0)
    for index in (7, 400, 999):
        centre = segmentation.heatmap(index, (9, 13))[2, 3]  # pixel (3, 2) of 9×13: 1.75 and 0.625 cells in
        assert centre.dtype == np.float32
        at_cells = segmentation.heatmap(index, (9, 13))
        assert at_cells[2, 0] == pytest.approx(float(probabilities[index, 0, 0]), rel=0.5)
    exact = Segmentation(**{**vars(many_classes()), "extent": (5.0, 4.0), "image_size": (5, 4)})
    np.testing.assert_allclose(exact.heatmap(7), probabilities[7].numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(list(exact.probabilities_at(2, 1).values()), probabilities[:, 1, 2].numpy(), atol=1e-6)


def test_many_classes_are_ranked_and_only_those_that_occur_have_an_area():
    segmentation = many_classes()
    assert set(segmentation.areas) == {"class 7", "class 400", "class 401"}
    assert sum(segmentation.areas.values()) == pytest.approx(1)
    assert segmentation.likeliest_classes(3) == ["class 401", "class 400", "class 7"]
    assert segmentation.classes[segmentation.main_class] == max(segmentation.areas, key=segmentation.areas.get)


def test_without_a_background_the_first_class_is_like_any_other():
    scores = torch.zeros(3, 16, 20)
    scores[0] = 1
    assert make(scores=scores, has_background=False).main_class == 0
    assert make(scores=scores, has_background=False).likeliest_classes(5) == ["background", "cat", "dog"]
    assert make(scores=scores).likeliest_classes(5) == ["cat", "dog"]


@pytest.mark.parametrize("size", [(50, 40), (7, 3), (1, 1)])
def test_probabilities_on_a_grid_are_those_of_the_heatmaps(size):
    segmentation = make()
    grid = segmentation.probabilities(size)
    assert grid.shape == (3, size[1], size[0])
    for index in range(3):
        np.testing.assert_allclose(grid[index].numpy(), segmentation.heatmap(index, size), atol=1e-6)
