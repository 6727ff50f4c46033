"""The lesson on how weights start, against torch itself."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segdemo.lessons import initialisation as lesson
from segdemo.models.initialisation import he_

KINDS = st.sampled_from(lesson.KINDS)


@given(KINDS, st.integers(8, 40), st.integers(8, 40), st.integers(0, 1000))
def test_drawn_weights_have_the_spread_of_their_formula(kind, channels, width, seed):
    generator = torch.Generator().manual_seed(seed)
    weights = lesson.draw_weights(kind, channels, width, generator)
    assert weights.shape == (width, channels, 3, 3)
    assert weights.std().item() == pytest.approx(lesson.weight_std(kind, channels, width), rel=0.2)


def test_the_default_is_what_a_new_conv_has():
    torch.manual_seed(3)
    wanted = nn.Conv2d(5, 7, 3, bias=False).weight
    torch.manual_seed(3)
    assert torch.equal(lesson.draw_weights(lesson.TORCH, 5, 7), wanted)


def test_he_is_what_this_project_starts_from():
    torch.manual_seed(3)
    wanted = nn.Conv2d(5, 7, 3, bias=False)
    torch.manual_seed(4)
    he_(wanted)
    torch.manual_seed(4)
    assert torch.equal(lesson.draw_weights(lesson.HE_FAN_IN, 5, 7), wanted.weight)


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("kind", lesson.KINDS)
def test_the_measured_spread_is_near_the_predicted_one(kind, relu):
    for seed in range(3):
        stack = lesson.run_stack(kind, 6, 64, relu, seed)
        assert len(stack.stds) == len(stack.predicted) == 6
        assert stack.factor == pytest.approx(stack.predicted_factor, rel=0.15)
        assert stack.stds[-1] == pytest.approx(stack.predicted[-1], rel=0.6)


@pytest.mark.parametrize(
    ("kind", "relu", "wanted"),
    [
        (lesson.HE_FAN_IN, True, "stays"),
        (lesson.HE_FAN_IN, False, "explodes"),
        (lesson.HE_FAN_OUT, True, "stays"),
        (lesson.XAVIER, True, "vanishes"),
        (lesson.XAVIER, False, "stays"),
        (lesson.SMALL, True, "vanishes"),
        (lesson.LARGE, True, "explodes"),
        (lesson.LARGE, False, "explodes"),
        (lesson.TORCH, True, "vanishes"),
    ],
)
def test_the_verdict_is_that_of_theory(kind, relu, wanted):
    for seed in range(4):
        assert lesson.run_stack(kind, 20, 32, relu, seed).verdict == wanted


@torch.no_grad()
def test_the_stack_is_that_of_torchs_own_layers():
    generator = torch.Generator().manual_seed(5)
    values = torch.randn(2, 3, 16, 16, generator=generator)
    wanted = []
    for channels in (3, 8, 8):
        conv = nn.Conv2d(channels, 8, 3, padding=1, padding_mode="circular", bias=False)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu", generator=generator)
        values = conv(values).relu()
        wanted.append(values.std().item())
    stack = lesson.run_stack(lesson.HE_FAN_IN, 3, 8, True, 5)
    assert stack.stds == pytest.approx(wanted, rel=1e-4)
    assert stack.activations[3].std == pytest.approx(wanted[-1], rel=1e-4)
    assert stack.activations[3].zero_share == pytest.approx(values.eq(0).double().mean().item())


@given(KINDS, st.integers(2, 8), st.booleans())
def test_first_middle_and_last_layer_are_kept(kind, depth, relu):
    stack = lesson.run_stack(kind, depth, 8, relu)
    assert list(stack.activations) == sorted({1, (depth + 1) // 2, depth})
    assert (min(found.zero_share for found in stack.activations.values()) > 0.2) == relu
    assert sum(stack.weights.counts) == (8 * 3 if depth == 2 else 8 * 8) * 9


@given(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=50))
def test_a_histogram_counts_every_value_that_is_not_zero(values):
    found = lesson.histogram(torch.tensor(values))
    zeros = sum(value == 0 for value in values)
    assert sum(found.counts) == len(values) - zeros
    assert found.zero_share == pytest.approx(zeros / len(values))
    assert found.low <= min(values)
    assert found.high >= max(values)


def test_values_beyond_float32s_squares_have_a_spread():
    assert lesson.histogram(torch.tensor([-1e30, 1e30])).std == pytest.approx(2**0.5 * 1e30)
