"""The lesson on adaptive pooling, against torch itself."""

import pytest
import torch
import torch.nn.functional as F

from segdemo.lessons import adaptive_pooling as lesson

SIZES = range(1, 33)


@pytest.mark.parametrize("input_size", SIZES)
def test_the_bins_pool_as_torch_does_for_every_size(input_size):
    values = torch.randn(2, input_size, generator=torch.Generator().manual_seed(input_size))
    for output_size in SIZES:
        average, highest = (lesson.pool(values, output_size, mode) for mode in lesson.MODES)
        torch.testing.assert_close(average, F.adaptive_avg_pool1d(values, output_size))
        assert torch.equal(highest, F.adaptive_max_pool1d(values, output_size))


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 5), (7, 2)])
def test_a_map_is_pooled_by_the_bins_of_its_rows_and_columns(rows, columns):
    values = torch.randn(1, 6, 9)
    for mode in lesson.MODES:
        by_columns = lesson.pool(values, columns, mode)
        by_hand = lesson.pool(by_columns.transpose(1, 2), rows, mode).transpose(1, 2)
        torch.testing.assert_close(lesson.pool_map(values, (rows, columns), mode), by_hand)


def test_the_posts_three_examples():
    assert lesson.bins(5, 4) == [(0, 2), (1, 3), (2, 4), (3, 5)]
    assert lesson.is_fixed_kernel(5, 4)
    assert lesson.bins(7, 4) == [(0, 2), (1, 4), (3, 6), (5, 7)]
    assert not lesson.is_fixed_kernel(7, 4)
    assert lesson.bins(2, 4) == [(0, 1), (0, 1), (1, 2), (1, 2)]
    assert lesson.pool(torch.tensor([3.0, 8.0]), 4).tolist() == [3, 3, 8, 8]


@pytest.mark.parametrize(("n", "m", "wanted"), [(8, 4, 0), (5, 4, 3), (7, 4, 3), (2, 4, 2), (6, 1, 0)])
def test_cells_that_are_pooled_twice_are_counted(n, m, wanted):
    assert lesson.overlap_count(n, m) == wanted


@pytest.mark.parametrize("input_size", SIZES)
def test_repeated_cells_and_lines_of_bins(input_size):
    for output_size in SIZES:
        pairs, lines = lesson.bins(input_size, output_size), lesson.levels(input_size, output_size)
        assert sum(lesson.times_taken(input_size, output_size)) == sum(end - start for start, end in pairs)
        repeated = [i for i, again in enumerate(lesson.repeats(input_size, output_size)) if again]
        assert repeated == [i for i in range(1, output_size) if pairs[i] == pairs[i - 1]]
        assert output_size <= input_size or max(lines) >= 1
        assert output_size > input_size or max(lines) <= 1
        for line in set(lines):
            cells = [c for pair, at in zip(pairs, lines, strict=True) if at == line for c in range(*pair)]
            assert len(cells) == len(set(cells))


def test_the_values_of_two_cells_repeat_in_four():
    assert lesson.repeats(2, 4) == [False, True, False, True]
    assert lesson.repeats(2, 3) == [False, False, False]
    assert lesson.times_taken(7, 4) == [1, 2, 1, 2, 1, 2, 1]
    assert lesson.levels(7, 4) == [0, 1, 0, 1]
    assert lesson.levels(8, 4) == [0, 0, 0, 0]


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (-3, 2)])
def test_a_size_below_one_is_refused(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        lesson.bins(*sizes)
