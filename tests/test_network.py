"""Any input size in, scores of exactly that size out."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from segdemo.models.network import SegmentationNetwork, pad_to_multiple


class MeanOfCells(SegmentationNetwork):
    """Scores a cell of `stride` × `stride` pixels with the mean of its colours; pads to twice the stride."""

    stride, size_multiple = 4, 8

    def score_map(self, images: Tensor) -> Tensor:
        """Average over cells."""
        assert images.shape[2] % self.size_multiple == images.shape[3] % self.size_multiple == 0
        return F.avg_pool2d(images, self.stride)

    def upsample(self, score_map: Tensor) -> Tensor:
        """Repeat each cell."""
        return F.interpolate(score_map, scale_factor=self.stride)


@given(height=st.integers(1, 70), width=st.integers(1, 70), multiple=st.sampled_from([1, 2, 16, 32]))
def test_padding_reaches_the_next_multiple_and_no_further(height, width, multiple):
    padded = pad_to_multiple(torch.zeros(1, 1, height, width), multiple)
    for before, after in ((height, padded.shape[2]), (width, padded.shape[3])):
        assert after % multiple == 0
        assert 0 <= after - before < multiple


def test_padding_keeps_every_pixel_where_it_was():
    images = torch.rand(2, 3, 33, 50)
    padded = pad_to_multiple(images, 32)
    assert torch.equal(padded[..., 0, 0], images[..., 0, 0])
    assert torch.equal(padded[..., :33, :50], images)


def test_padding_repeats_the_last_row_and_column():
    images = torch.rand(1, 3, 5, 6)
    padded = pad_to_multiple(images, 8)
    assert torch.equal(padded[..., 5:, :6], images[..., 4:, :].expand(-1, -1, 3, -1))
    assert torch.equal(padded[..., :5, 6:], images[..., :, 5:].expand(-1, -1, -1, 2))
    assert torch.equal(padded[..., 7, 7], images[..., 4, 5])


def test_an_image_that_fits_is_not_copied():
    images = torch.rand(1, 3, 64, 32)
    assert pad_to_multiple(images, 32) is images


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (7, 9), (8, 16), (13, 21)])
def test_scores_have_the_size_of_the_input(size):
    assert MeanOfCells()(torch.rand(2, 3, *size)).shape == (2, 3, *size)


@pytest.mark.parametrize(("size", "cells"), [((1, 1), (1, 1)), ((4, 5), (1, 2)), ((9, 12), (3, 3)), ((13, 21), (4, 6))])
def test_the_score_map_has_a_cell_for_each_stride_begun(size, cells):
    assert MeanOfCells().forward_with_map(torch.rand(1, 3, *size))[0].shape[2:] == cells


def test_padding_does_not_move_the_scores():
    images = torch.rand(1, 3, 13, 21)
    score_map, scores = MeanOfCells().forward_with_map(images)
    torch.testing.assert_close(score_map[..., 0, 0], images[..., :4, :4].mean((2, 3)))
    torch.testing.assert_close(scores[..., 4, 8], images[..., 4:8, 8:12].mean((2, 3)))


def test_a_network_without_its_own_parts_cannot_be_made():
    with pytest.raises(TypeError, match="score_map"):
        SegmentationNetwork()
