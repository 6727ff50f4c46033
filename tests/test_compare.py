"""Several networks on one photo."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_segmentation import make

from segdemo import compare


def painted(class_map, network="a", classes=("background", "cat", "dog")):
    """Make a segmentation with this class map."""
    height, width = class_map.shape
    scores = torch.nn.functional.one_hot(torch.from_numpy(class_map).long(), 3).permute(2, 0, 1).float()
    made = make((width, height), (width, height), scores)
    return replace(made, network=network, classes=classes)


FIRST = np.array([[0, 0, 1, 1], [0, 2, 2, 1]], np.uint8)
SECOND = np.array([[0, 1, 1, 1], [0, 2, 1, 1]], np.uint8)


def test_agreement_is_the_share_of_equal_pixels():
    pair = [painted(FIRST), painted(SECOND, "b")]
    assert compare.agreement(pair) == 6 / 8
    np.testing.assert_array_equal(compare.disagreement(pair), FIRST != SECOND)
    assert compare.agreement([pair[0], pair[0]]) == 1


def test_three_networks_agree_only_where_all_do():
    three = [painted(FIRST), painted(SECOND, "b"), painted(np.zeros_like(FIRST), "c")]
    assert compare.agreement(three) == 2 / 8
    pairs = compare.pairwise_agreement(three, (4, 2))
    assert pairs == {("a", "b"): 6 / 8, ("a", "c"): 3 / 8, ("b", "c"): 2 / 8}


def test_classes_are_matched_by_name_not_by_index():
    swapped = np.array([0, 2, 1], np.uint8)[FIRST]
    pair = [painted(FIRST), painted(swapped, "b", ("background", "dog", "cat"))]
    assert compare.agreement(pair) == 1


def test_iou_against_a_mask_leaves_unlabelled_pixels_out():
    truth = FIRST.copy()
    assert compare.iou_by_class(painted(FIRST), truth) == {"background": 1, "cat": 1, "dog": 1}
    found = compare.iou_by_class(painted(SECOND), truth)
    assert found == {"background": 2 / 3, "cat": 3 / 5, "dog": 1 / 2}
    assert compare.mean_iou(found) == pytest.approx((2 / 3 + 3 / 5 + 1 / 2) / 3)
    truth[FIRST != SECOND] = 255
    assert set(compare.iou_by_class(painted(SECOND), truth).values()) == {1}


def test_a_class_that_does_not_occur_has_no_iou():
    nothing = np.zeros_like(FIRST)
    found = compare.iou_by_class(painted(nothing), nothing)
    assert found == {"background": 1, "cat": None, "dog": None}
    assert compare.mean_iou(found) == 1
    assert np.isnan(compare.mean_iou({"cat": None}))


@pytest.mark.parametrize("rest", [0, 255])
def test_a_mask_of_0_and_255_is_refused_and_not_scored_as_perfect(rest):
    binary = np.full_like(FIRST, rest)
    binary[FIRST > 0] = 255
    with pytest.raises(ValueError, match=r"255 means “leave out”\. Give each class its index, such as 2 for dog"):
        compare.iou_by_class(painted(FIRST), binary)


def test_what_is_left_out_is_counted():
    truth = FIRST.copy()
    truth[0] = 255
    assert compare.left_out(painted(FIRST), truth) == 1 / 2
    assert compare.left_out(painted(FIRST), FIRST) == 0


def test_255_is_a_class_of_a_network_with_a_thousand():
    classes = tuple(f"c{index}" for index in range(1000))
    made = make((2, 1), (2, 1), torch.zeros(1000, 1, 2))
    made = replace(made, classes=classes, has_background=False)
    made.scores[255, 0, 0] = made.scores[7, 0, 1] = 9
    found = compare.iou_by_class(made, np.array([[255, 65535]], np.uint16))
    assert {name: iou for name, iou in found.items() if iou is not None} == {"c255": 1}
    assert compare.left_out(made, np.array([[255, 65535]], np.uint16)) == 1 / 2


@pytest.mark.parametrize(
    ("truth", "message"),
    [(np.zeros((3, 4), np.uint8), "4×3 pixels, the photo 4×2"), (np.full((2, 4), 7, np.uint8), "holds the value 7")],
)
def test_a_mask_that_does_not_fit_is_refused_in_a_sentence(truth, message):
    with pytest.raises(ValueError, match=message):
        compare.iou_by_class(painted(FIRST), truth)
