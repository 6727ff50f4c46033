"""Edges that move to the photo's."""

import numpy as np
import pytest
import torch
from PIL import Image
from test_segmentation import make, many_classes

from segdemo import refine
from segdemo.refine import guided_filter, refine_edges


def disc(width=160, height=120):
    """Make a photo of a light disc on dark ground, and where the disc is."""
    y, x = np.mgrid[:height, :width]
    inside = (x - width * 0.45) ** 2 + (y - height * 0.55) ** 2 < (height * 0.3) ** 2
    noise = np.random.default_rng(0).integers(0, 12, (height, width, 3))
    return Image.fromarray((np.where(inside[..., None], 200, 40) + noise).astype(np.uint8)), inside


def coarse(inside, cells=(12, 9)):
    """Make scores of the disc on a coarse grid."""
    small = np.asarray(Image.fromarray((inside * 255).astype(np.uint8)).resize(cells, Image.Resampling.BOX)) / 255
    logits = torch.from_numpy(small).float().clamp(0.02, 0.98).logit()
    scores = torch.stack((torch.zeros_like(logits), logits, torch.full_like(logits, -9)))
    return make((inside.shape[1], inside.shape[0]), cells, scores, score_map=scores, stride=1)


def iou(segmentation, inside):
    found = segmentation.class_map() == 1
    return (found & inside).sum() / (found | inside).sum()


def test_the_filter_is_the_mean_of_every_windows_linear_fit():
    guide, values, reach, smoothness = torch.rand(3, 5, 6), torch.rand(2, 5, 6), 2, 1e-2
    colours, wanted = windows(guide, reach), windows(values, reach)
    centred = colours - colours.mean(-1, keepdim=True)
    normal = centred @ centred.mT / colours.shape[-1] + smoothness * torch.eye(3)
    slope = torch.linalg.solve(normal, centred @ (wanted - wanted.mean(-1, keepdim=True)).mT / colours.shape[-1])
    offset = wanted.mean(-1) - (slope.mT @ colours.mean(-1)[..., None])[..., 0]
    slope, offset = (windows(v.permute(2, 0, 1), reach).mean(-1) for v in (slope.flatten(2), offset))
    fitted = torch.einsum("hwic,ihw->chw", slope.view(5, 6, 3, 2), guide) + offset.permute(2, 0, 1)
    torch.testing.assert_close(guided_filter(guide, values, reach, smoothness), fitted, rtol=1e-4, atol=1e-5)


def windows(maps, reach):
    """Give the window round each pixel, border pixels repeated: `[C, H, W]` → `[H, W, C, (2 * reach + 1)²]`."""
    size = 2 * reach + 1
    padded = torch.nn.functional.pad(maps, (reach,) * 4, mode="replicate")
    return padded.unfold(1, size, 1).unfold(2, size, 1).flatten(3).permute(1, 2, 0, 3)


def test_a_coarse_edge_moves_to_the_photos():
    photo, inside = disc()
    plain = coarse(inside)
    refined = refine_edges(plain, photo)
    assert iou(refined, inside) > iou(plain, inside) + 0.01
    assert iou(refined, inside) > 0.97


def test_the_plain_segmentation_stays_as_it_was_and_the_coarse_scores_too():
    photo, inside = disc()
    plain = coarse(inside)
    before = plain.scores.clone()
    refined = refine_edges(plain, photo)
    assert torch.equal(plain.scores, before)
    assert torch.equal(refined.score_map, plain.score_map)
    assert refined.milliseconds["refine"] > 0 and "refine" not in plain.milliseconds
    assert refined.image_size == plain.image_size
    total = sum(refined.heatmap(index) for index in range(3))
    np.testing.assert_allclose(total, 1, atol=1e-4)


def test_a_photo_without_edges_changes_little():
    _, inside = disc()
    plain = coarse(inside)
    refined = refine_edges(plain, Image.new("RGB", plain.image_size, (90, 90, 90)))
    assert (refined.class_map() == plain.class_map()).mean() > 0.75


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (1000, 3)])
def test_any_shape_of_photo_is_refined(size):
    segmentation = make(size, (20, 16))
    refined = refine_edges(segmentation, Image.new("RGB", size, (200, 10, 10)))
    assert refined.class_map().shape == size[::-1]
    assert sum(refined.areas.values()) == pytest.approx(1)


def test_a_large_photo_is_refined_at_a_bounded_size():
    segmentation = make((3000, 2000), (20, 16))
    refined = refine_edges(segmentation, Image.new("RGB", (3000, 2000)))
    assert refined.scores.shape == (3, refine.LONGER_SIDE * 2 // 3, refine.LONGER_SIDE)


def test_a_thousand_classes_are_left_as_they_are():
    segmentation = many_classes()
    assert refine_edges(segmentation, Image.new("RGB", segmentation.image_size)) is segmentation
