"""Every answer that is called right, against torch; and wrong ones, which are refused."""

import re

import pytest
import torch
from torch import nn

from segdemo.lessons import exercises
from segdemo.lessons.adaptive_pooling import bins
from segdemo.ui.i18n import CATALOGUES


def parameters(module):
    return (sum(p.numel() for p in module.parameters() if p.requires_grad),)


def transferred():
    model = nn.Sequential(nn.Linear(10, 5), nn.Linear(5, 2))
    model[0].requires_grad_(False)
    return parameters(model)


def overwritten():
    """Freeze as the question does: what still trains, as the index of the right choice."""
    model = nn.ModuleDict({"encoder": nn.Linear(2, 2)})
    model.encoder = model["encoder"]
    model.encoder.requires_grad_ = False
    trains = all(p.requires_grad for p in model.parameters())
    return (1 if trains and model.encoder.requires_grad_ is False else 0,)


def statistics():
    """See what changes in a frozen BatchNorm and conv in train mode, as the index of the right choice."""
    encoder = nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)).requires_grad_(False).train()
    weight, mean = encoder[0].weight.clone(), encoder[1].running_mean.clone()
    encoder(torch.randn(4, 3, 8, 8) + 1)
    assert torch.equal(weight, encoder[0].weight)
    return (int(not torch.equal(mean, encoder[1].running_mean)),)


def forgotten_bias():
    conv, features = nn.Conv2d(4, 3, 1), torch.randn(1, 4, 5, 5)
    nn.init.normal_(conv.bias)
    without = nn.Conv2d(4, 3, 1, bias=False)
    without.load_state_dict({"weight": conv.weight})
    off = (conv(features) - without(features)).detach()
    constant = bool(off.std((2, 3)).max() < 1e-6) and bool(off.abs().min() > 1e-6)
    differs = not torch.allclose(conv(features).softmax(1), without(features).softmax(1))
    return (0,) if constant and differs else (-1,)


def field():
    """Count the pixels that move one cell, by torch's own gradient."""
    layers = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Conv2d(1, 1, 3), nn.AvgPool2d(2), nn.Conv2d(1, 1, 3))
    for p in layers.parameters():
        nn.init.ones_(p)
    image = torch.ones(1, 1, 40, 40, requires_grad=True)
    layers(image)[0, 0, 5, 5].backward()
    return (int(image.grad[0, 0].any(0).sum()),)


def prints():
    ones = nn.functional.conv_transpose2d(torch.ones(1, 1, 9, 9), torch.ones(1, 1, 4, 4), stride=2)
    return (float(ones[0, 0, 10, 10]),)


def checkerboard():
    uneven = []
    for kernel, stride in ((4, 2), (3, 2), (6, 3)):
        ones = nn.functional.conv_transpose2d(torch.ones(1, 1, 9, 9), torch.ones(1, 1, kernel, kernel), stride=stride)
        inner = ones[..., kernel:-kernel, kernel:-kernel]
        uneven.append(bool(inner.min() != inner.max()))
    assert sum(uneven) == 1
    return (uneven.index(True),)


def fixed_kernel():
    right = []
    for index, (n, m) in enumerate(((7, 4), (8, 4), (2, 3))):
        values = torch.randn(1, n)
        wanted = nn.AdaptiveAvgPool1d(m)(values)
        plain = [nn.AvgPool1d(k, s)(values) for k in range(1, n + 1) for s in range(1, n + 1)]
        if any(found.shape == wanted.shape and torch.allclose(found, wanted, atol=1e-6) for found in plain):
            right.append(index)
    assert len(right) == 1
    return tuple(right)


def grad_cam_factor():
    features, conv = torch.randn(1, 4, 6, 8, requires_grad=True), nn.Conv2d(4, 2, 1)
    scores = conv(features)
    scores.mean((2, 3))[0, 1].backward()
    grad_cam = (features.grad.mean((2, 3), keepdim=True) * features).sum(1)[0]
    factors = ((scores[0, 1] - conv.bias[1]) / grad_cam).detach()
    assert factors.std() < 1e-2
    return (round(float(factors.median())),)


def score():
    conv = nn.Conv2d(4, 1, 1)
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([2.5, -1, 0.5, 0]).view(1, 4, 1, 1))
        conv.bias.fill_(-0.75)
    return (float(conv(torch.ones(1, 4, 1, 1))),)


def side(layer, cells):
    return (layer(torch.empty(1, layer.in_channels, cells, cells)).shape[-1],)


TEXTBOOK = torch.tensor([[0.0, 1], [2, 3]])[None, None]
BY_TORCH = {
    "teach-parameters": lambda: parameters(nn.Conv2d(1280, 3, 1)),
    "teach-cells": lambda: (nn.MaxPool2d(8)(torch.empty(1, 1, 256, 384)).numel(),),
    "fc-shape": lambda: tuple(nn.Conv2d(512, 3, 1).weight.shape),
    "fc-parameters": lambda: parameters(nn.Linear(512, 3)),
    "fc-bias": forgotten_bias,
    "size-conv": lambda: side(nn.Conv2d(1, 1, 3, stride=2, padding=1), 225),
    "size-parameters": lambda: parameters(nn.Conv2d(64, 128, 3)),
    "size-field": field,
    "transposed-size": lambda: side(nn.ConvTranspose2d(1, 1, 4, 2, 1), 7),
    "transposed-prints": prints,
    "transposed-values": lambda: tuple(nn.functional.conv_transpose2d(TEXTBOOK, TEXTBOOK).flatten().tolist()),
    "transposed-checkerboard": checkerboard,
    "adaptive-bins": lambda: tuple(edge for pair in bins(7, 4) for edge in pair),
    "adaptive-average": lambda: tuple(nn.AdaptiveAvgPool1d(2)(torch.arange(1.0, 6)[None])[0].tolist()),
    "adaptive-kernel": fixed_kernel,
    "transfer-flag": overwritten,
    "transfer-trainable": transferred,
    "transfer-batch-norm": statistics,
    "why-factor": grad_cam_factor,
    "why-sum": score,
}
EVERY = [task for tasks in exercises.TASKS.values() for task in tasks]


def typed(task, numbers):
    """Write numbers as someone types them, or give the choice."""
    return int(numbers[0]) if task.choices else ", ".join(f"{number:g}" for number in numbers)


def test_each_lesson_has_two_to_four_tasks_and_each_task_is_tested():
    assert {task.key for task in EVERY} == set(BY_TORCH)
    assert len(EVERY) == len(BY_TORCH)
    assert all(2 <= len(tasks) <= 4 for tasks in exercises.TASKS.values())


@pytest.mark.parametrize("task", EVERY, ids=lambda task: task.key)
def test_what_torch_says_is_right_and_everything_near_it_is_wrong(task):
    right = BY_TORCH[task.key]()
    assert exercises.check(task, typed(task, right)).right
    others = range(task.choices)
    wrong = [(other,) for other in others if other != right[0]]
    if not task.choices:
        wrong = [tuple(n + 1 if i == place else n for i, n in enumerate(right)) for place in range(len(right))]
    assert wrong
    assert not any(exercises.check(task, typed(task, numbers)).right for numbers in wrong)


@pytest.mark.parametrize("task", EVERY, ids=lambda task: task.key)
def test_the_worked_formula_holds_the_answer_and_the_hint_does_not(task):
    for texts in CATALOGUES.values():
        hint, worked = (texts[f"task.{task.key}.{part}"] for part in ("hint", "worked"))
        if not task.choices and len(task.answer) == 1:
            answer = f"{task.answer[0]:,g}".replace("-", "−")
            assert re.search(rf"(?<!\d){re.escape(answer)}(배입니다)?$", worked)
            assert not hint.endswith(answer)


def test_every_task_has_a_text_for_each_choice():
    for task in EVERY:
        keys = [key for key in CATALOGUES["en"] if key.startswith(f"task.{task.key}.choice_")]
        assert len(keys) == task.choices


def test_the_bins_of_seven_to_four_are_those_by_which_torch_pools():
    values = torch.randn(1, 7)
    wanted = nn.AdaptiveAvgPool1d(4)(values)[0]
    edges = exercises.find("adaptive-bins").answer
    found = [values[0, int(start) : int(end)].mean() for start, end in zip(edges[::2], edges[1::2], strict=True)]
    torch.testing.assert_close(torch.stack(found), wanted)


@pytest.mark.parametrize(
    ("text", "count", "numbers"),
    [
        ("2,359,808", 1, (2359808,)),
        ("73 856", 1, (73856,)),
        ("73.5", 1, (73.5,)),
        ("1,25", 1, (1.25,)),
        ("−1.5", 1, (-1.5,)),
        ("about 14 cells", 1, (14,)),
        ("48×32", 2, (48, 32)),
        ("[0, 2), [1, 4) [3,6), [5,7)", 8, (0, 2, 1, 4, 3, 6, 5, 7)),
        ("0-2, 1-4", 4, (0, 2, 1, 4)),
        ("[3, 512, 1, 1]", 4, (3, 512, 1, 1)),
        ("", 1, ()),
    ],
)
def test_answers_are_read_as_people_type_them(text, count, numbers):
    assert exercises.read_numbers(text, count) == numbers


@pytest.mark.parametrize("answer", ["", None, "no idea", "1 2"])
def test_what_holds_no_number_is_no_attempt(answer):
    verdict = exercises.check(exercises.find("size-conv"), answer)
    assert not verdict.understood and not verdict.right


def test_nothing_chosen_is_no_attempt():
    assert not exercises.check(exercises.find("fc-bias"), None).understood
