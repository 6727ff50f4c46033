"""The lines that a student copies, run as they stand."""

import ast
import contextlib
import io

import pytest
import torch

from segdemo.lessons import torch_lines
from segdemo.lessons.adaptive_pooling import bins, pool
from segdemo.lessons.size_trace import conv_size
from segdemo.lessons.transposed_conv import Setting, make_kernel, make_map, transposed_conv


def run(lines):
    """Run lines in a namespace of their own, and give what each print wrote, as Python reads it."""
    written = io.StringIO()
    with contextlib.redirect_stdout(written):
        exec(compile(lines, "lines", "exec"), {})
    return [ast.literal_eval(line) for line in written.getvalue().splitlines()]


def test_teach_and_fc_as_conv():
    assert run(torch_lines.teach(3)) == [[3, 1280, 1, 1], [3, 1280], True, True]
    assert run(torch_lines.fc_as_conv(4)) == [[4, 512, 1, 1], True]


def test_layer_size():
    size, parameters = run(torch_lines.layer_size("Conv2d(3, 64, 3, stride=2, padding=1)", 3, 225, 100))
    assert size == [conv_size(225, 3, 2, 1)[0], conv_size(100, 3, 2, 1)[0]]
    assert parameters == 3 * 64 * 9 + 64


@pytest.mark.parametrize("numbers", [(3, 3, 2, 1, 1), (2, 2, 1, 0, 0), (1, 4, 3, 1, 2)])
@pytest.mark.parametrize("kind", ["random", "bilinear"])
def test_a_transposed_conv_of_the_numbers_on_the_page(numbers, kind):
    setting = Setting(*numbers)
    values, kernel = make_map(setting.input_size), make_kernel(kind, setting.kernel)
    (found,) = run(torch_lines.transposed_conv(values, kernel, setting))
    assert torch.equal(torch.tensor(found), transposed_conv(values, kernel, setting))


def test_the_textbooks_answer():
    values = torch.tensor([[0.0, 1], [2, 3]])
    assert run(torch_lines.transposed_conv(values, values, Setting(2, 2))) == [[[0, 0, 1], [0, 4, 6], [4, 12, 9]]]


@pytest.mark.parametrize(("n", "m"), [(7, 4), (2, 4), (5, 5)])
def test_adaptive_pooling(n, m):
    edges, values = run(torch_lines.adaptive_pooling(n, m))
    assert edges == bins(n, m)
    assert values == pytest.approx(pool(torch.arange(1.0, n + 1), m).tolist())


def test_transfer_and_why():
    assert run(torch_lines.transfer()) == [67, 12, False, True]
    assert run(torch_lines.why()) == [True]
