"""The lesson on transposed convolution, against torch itself."""

import itertools

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from segdemo.lessons import transposed_conv as lesson
from segdemo.lessons.transposed_conv import Setting


@st.composite
def settings(draw):
    """Draw a setting that torch accepts."""
    n, k, s, p = (draw(st.integers(low, high)) for low, high in ((1, 6), (1, 6), (1, 4), (0, 3)))
    o = draw(st.integers(0, s - 1))
    assume((n - 1) * s - 2 * p + k + o >= 1)
    return Setting(n, k, s, p, o)


def random_map(setting, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = ((setting.input_size,) * 2, (setting.kernel,) * 2)
    return tuple(torch.randn(shape, generator=generator) for shape in shapes)


@given(settings())
def test_the_size_and_the_values_are_those_of_torchs_own_layer(setting):
    values, kernel = random_map(setting)
    layer = nn.ConvTranspose2d(
        1, 1, setting.kernel, setting.stride, setting.padding, setting.output_padding, bias=False
    )
    with torch.no_grad():
        layer.weight[0, 0] = kernel
        wanted = layer(values[None, None])[0, 0]
    assert tuple(wanted.shape) == (setting.size, setting.size)
    torch.testing.assert_close(lesson.transposed_conv(values, kernel, setting), wanted)
    assert setting.formula.endswith(f"= {setting.size}")


@given(settings())
def test_the_transposed_matrix_gives_the_same_numbers(setting):
    values, kernel = random_map(setting)
    matrix = lesson.conv_matrix(kernel, setting)
    assert matrix.shape == (setting.input_size**2, setting.size**2)
    product = (matrix.T @ values.flatten()).view(setting.size, setting.size)
    torch.testing.assert_close(product, lesson.transposed_conv(values, kernel, setting), rtol=1e-4, atol=1e-5)


@given(settings())
def test_the_matrix_itself_is_the_conv(setting):
    _, kernel = random_map(setting)
    large = torch.randn(setting.size, setting.size, generator=torch.Generator().manual_seed(1))
    wanted = lesson.conv(large, kernel, setting)
    product = (lesson.conv_matrix(kernel, setting) @ large.flatten()).view_as(wanted)
    assert wanted.shape == (setting.input_size, setting.input_size)
    torch.testing.assert_close(product, wanted, rtol=1e-4, atol=1e-5)


@given(settings())
def test_the_prints_of_single_cells_add_up_to_the_whole(setting):
    values, kernel = random_map(setting)
    steps = [lesson.prints(values, kernel, setting, count) for count in range(values.numel() + 1)]
    assert steps[0].eq(0).all()
    torch.testing.assert_close(steps[-1], lesson.transposed_conv(values, kernel, setting))
    for count, (before, after) in enumerate(itertools.pairwise(steps)):
        row, column = divmod(count, setting.input_size)
        changed = (after - before).nonzero()
        top, left = (index * setting.stride - setting.padding for index in (row, column))
        for y, x in changed.tolist():
            assert top <= y < top + setting.kernel and left <= x < left + setting.kernel


@given(settings())
def test_the_overlaps_are_counted(setting):
    counts = lesson.overlaps(setting)
    wanted = torch.zeros(setting.size, setting.size)
    for row in range(setting.input_size):
        for column in range(setting.input_size):
            top, left = (index * setting.stride - setting.padding for index in (row, column))
            bottom, right = (max(start + setting.kernel, 0) for start in (top, left))
            wanted[max(top, 0) : bottom, max(left, 0) : right] += 1
    assert torch.equal(counts, wanted)


@pytest.mark.parametrize("kernel", range(1, 9))
@pytest.mark.parametrize("stride", range(1, 5))
def test_the_checkerboard_is_there_where_it_is_said_to_be(kernel, stride):
    inner = lesson.overlaps(Setting(12, kernel, stride))[kernel:-kernel, kernel:-kernel]
    assert (inner.min() != inner.max()) == lesson.has_checkerboard(Setting(12, kernel, stride))


def test_the_tutorial_s_five_lines_give_its_five_sizes():
    sizes = [Setting(3, kernel, stride, padding).size for kernel, stride, padding in lesson.TUTORIAL]
    assert sizes == [4, 2, 5, 3, 6]


def test_conv_after_transposed_conv_does_not_give_the_map_back():
    setting = Setting(3, 3, 2, 1)
    values, kernel = random_map(setting)
    back = lesson.conv(lesson.transposed_conv(values, kernel, setting), kernel, setting)
    assert back.shape == values.shape
    assert not torch.allclose(back, values, atol=0.1)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, 1), "at least 1"),
        ((3, 2, 1, -1), "at least 0"),
        ((3, 2, 2, 0, 2), "must be below the stride, 2"),
        ((1, 2, 1, 1), r"cuts away everything: \(1 − 1\)·1 − 2·1 \+ 2 \+ 0 = 0"),
    ],
)
def test_a_setting_that_leaves_nothing_is_refused_in_a_sentence(numbers, message):
    with pytest.raises(ValueError, match=message):
        Setting(*numbers)


def test_kernels_to_play_with():
    assert lesson.make_kernel("ones", 3).eq(1).all()
    assert lesson.make_kernel("bilinear", 4).sum() == 4
    assert lesson.make_kernel("bilinear", 3).diagonal().tolist() == [0.25, 1, 0.25]
    assert torch.equal(lesson.make_kernel("random", 3), lesson.make_kernel("random", 3))
