"""One confusion matrix over the whole dataset."""

import pytest
import torch
import torch.nn.functional as F
from torchmetrics.classification import MulticlassJaccardIndex

from segdemo.training.metrics import boundary_counts, class_iou, confusion_matrix, summarise

CLASSES = ("background", "cat", "dog")
LABELS = torch.tensor([[0, 0, 0, 1], [1, 2, 2, 255]], dtype=torch.uint8)
PREDICTED = torch.tensor([[0, 0, 1, 1], [2, 2, 0, 1]])


def test_the_confusion_matrix_counts_true_classes_by_row():
    assert confusion_matrix(PREDICTED, LABELS, 3).tolist() == [[2, 1, 0], [0, 1, 1], [1, 0, 1]]


def test_the_figures_are_those_computed_by_hand():
    figures = summarise(confusion_matrix(PREDICTED, LABELS, 3), CLASSES)
    assert figures["class_iou"] == {
        "background": pytest.approx(2 / 4),
        "cat": pytest.approx(1 / 3),
        "dog": pytest.approx(1 / 3),
    }
    assert figures["miou"] == pytest.approx((1 / 2 + 1 / 3 + 1 / 3) / 3)
    assert figures["foreground_iou"] == pytest.approx(3 / 5)
    assert figures["pixel_accuracy"] == pytest.approx(4 / 7)


def test_a_perfect_answer_scores_one():
    labels = torch.tensor([0, 1, 2, 2])
    figures = summarise(confusion_matrix(labels, labels, 3), CLASSES)
    assert [figures[key] for key in ("miou", "foreground_iou", "pixel_accuracy")] == [1, 1, 1]


def test_the_matrix_is_int64_whatever_the_labels_are():
    assert confusion_matrix(PREDICTED.byte(), LABELS, 3).dtype == torch.int64


def test_border_pixels_are_left_out_whatever_is_predicted_there():
    border = LABELS == 255
    wanted = confusion_matrix(PREDICTED, LABELS, 3)
    assert torch.equal(confusion_matrix(PREDICTED.masked_fill(border, 2), LABELS, 3), wanted)
    assert wanted.sum() == (~border).sum()


def test_labels_that_are_all_border_count_nothing():
    assert confusion_matrix(PREDICTED, torch.full_like(LABELS, 255), 3).eq(0).all()


def test_a_class_that_never_occurs_is_left_out_of_the_mean():
    labels, predicted = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1])
    figures = summarise(confusion_matrix(predicted, labels, 3), CLASSES)
    assert figures["class_iou"]["dog"] is None
    assert figures["miou"] == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_a_class_that_is_predicted_but_not_there_scores_zero():
    figures = summarise(confusion_matrix(torch.tensor([0, 2]), torch.tensor([0, 0]), 3), CLASSES)
    assert figures["class_iou"]["dog"] == 0


def test_a_cat_taken_for_a_dog_is_still_foreground():
    figures = summarise(confusion_matrix(torch.tensor([0, 2, 2]), torch.tensor([0, 1, 1]), 3), CLASSES)
    assert figures["foreground_iou"] == 1
    assert figures["class_iou"]["cat"] == figures["class_iou"]["dog"] == 0


def test_iou_equals_torchmetrics():
    labels = torch.randint(3, (4, 20, 30))
    labels[torch.rand(labels.shape) < 0.1] = 255
    predicted = torch.where(torch.rand(labels.shape) < 0.6, labels.clamp(max=2), torch.randint(3, labels.shape))
    confusion = confusion_matrix(predicted, labels, 3)
    each = MulticlassJaccardIndex(3, average="none", ignore_index=255)(predicted, labels)
    mean = MulticlassJaccardIndex(3, ignore_index=255)(predicted, labels)
    torch.testing.assert_close(class_iou(confusion).float(), each)
    assert summarise(confusion, CLASSES)["miou"] == pytest.approx(mean.item(), abs=1e-6)


def test_matrices_of_parts_add_up_to_that_of_the_whole():
    parts = sum(confusion_matrix(p, t, 3) for p, t in zip(PREDICTED, LABELS, strict=True))
    assert torch.equal(parts, confusion_matrix(PREDICTED, LABELS, 3))


def test_iou_over_the_dataset_is_not_the_mean_over_the_images():
    labels = torch.tensor([[0, 0, 0, 1], [1, 1, 1, 1]])
    predicted = torch.tensor([[0, 0, 0, 0], [1, 1, 1, 1]])
    whole = class_iou(confusion_matrix(predicted, labels, 2))[1]
    each = [class_iou(confusion_matrix(p, t, 2))[1] for p, t in zip(predicted, labels, strict=True)]
    assert whole.item() == pytest.approx(4 / 5)
    assert torch.stack(each).mean().item() == pytest.approx(1 / 2)


def test_names_that_are_not_one_a_class_are_refused():
    with pytest.raises(ValueError, match="zip"):
        summarise(torch.eye(3, dtype=torch.int64), CLASSES[:2])


def square(left, top, right, bottom, value=1):
    mask = torch.zeros(100, 100, dtype=torch.uint8)
    mask[top:bottom, left:right] = value
    return mask


def boundary_iou(predicted, labels):
    both, either = boundary_counts(predicted, labels).tolist()
    return both / either


def test_the_boundary_of_a_perfect_mask_is_matched_whatever_its_class():
    assert boundary_iou(square(20, 20, 80, 80, 2), square(20, 20, 80, 80, 1)) == 1


def test_an_edge_is_two_percent_of_the_diagonal_wide():
    # 2 % of 141 px are 3 px: the frame of a 60 px square has 60² - 54² pixels.
    both, either = boundary_counts(square(20, 20, 80, 80), square(20, 20, 80, 80)).tolist()
    assert both == either == 60**2 - 54**2


def test_an_edge_that_is_off_costs_more_than_in_the_plain_iou():
    predicted, labels = square(22, 20, 80, 80), square(20, 20, 80, 80)
    plain = (predicted & labels).sum() / (predicted | labels).sum()
    assert boundary_iou(predicted, labels) < plain - 0.1


def test_a_mask_that_the_image_s_edge_cuts_has_a_boundary_there():
    both, _ = boundary_counts(square(0, 0, 100, 50), square(0, 0, 100, 50)).tolist()
    assert both == 100 * 50 - 94 * 44


def test_edges_are_those_of_the_published_erosion():
    predicted, labels = (torch.rand(2, 70, 90) > 0.002).byte()
    counts = boundary_counts(predicted, labels).tolist()
    # 2 % of the diagonal of 114 px are 2 px: two erosions by 3×3, with the image's edge outside.
    edges = [mask & ~eroded(eroded(mask)) for mask in (predicted > 0, labels > 0)]
    assert counts == [(edges[0] & edges[1]).sum(), (edges[0] | edges[1]).sum()]


def eroded(mask):
    return F.pad(mask, (1, 1, 1, 1)).unfold(0, 3, 1).unfold(1, 3, 1).all(-1).all(-1)


def test_what_is_predicted_on_unlabelled_pixels_does_not_count():
    labels = square(20, 20, 80, 80, 255)
    labels[24:76, 24:76] = 1
    assert boundary_iou(square(24, 24, 76, 76), labels) == boundary_iou(square(21, 22, 79, 80), labels) == 1
    assert boundary_iou(square(15, 15, 85, 85), labels) < 0.6
