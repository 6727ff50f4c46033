"""Setting how readily a network says background."""

import pytest
import torch
from torch import nn

from segdemo.checkpoints import Metadata, load, save
from segdemo.models import build
from segdemo.training.calibrate import best_shift, calibrate, shift_background
from segdemo.training.data import Pets
from segdemo.training.validate import validate


def test_the_shift_that_undoes_a_bias_is_found():
    labels = torch.randint(0, 3, (4, 16, 16), generator=torch.Generator().manual_seed(0))
    scores = nn.functional.one_hot(labels, 3).permute(0, 3, 1, 2).float()
    assert best_shift(scores, labels.byte()) == 0
    scores[:, 0] -= 1.45  # a background pixel now loses by 0.45
    shift = best_shift(scores, labels.byte())
    assert 0.45 < shift < 1.45 + 1


def test_of_equally_good_shifts_the_smallest_is_taken():
    assert best_shift(torch.zeros(1, 3, 2, 2), torch.full((1, 2, 2), 255, dtype=torch.uint8)) == 0


@torch.no_grad()
@pytest.mark.parametrize(
    ("architecture", "arguments"),
    [
        ("conv1x1_vgg", {"backbone": "vgg11_bn", "num_classes": 3}),
        ("unet_vgg", {"backbone": "vgg11_bn", "num_classes": 3, "widths": (8,) * 5}),
        ("fcn_vgg", {"backbone": "vgg11_bn", "num_classes": 3, "fc_width": 8, "fc_kernel": 1}),
    ],
)
def test_a_shift_moves_the_background_s_score_everywhere_by_as_much(architecture, arguments):
    network = build(architecture, **arguments).eval()
    images = torch.randn(1, 3, 64, 64)
    before = network(images)
    shift_background(network, 0.5)
    moved = network(images) - before
    torch.testing.assert_close(moved[:, 0], torch.full((1, 64, 64), 0.5), rtol=1e-3, atol=1e-3)
    assert moved[:, 1:].abs().max() < 1e-3


def test_a_calibrated_checkpoint_says_so_and_is_no_worse_on_the_photos_that_it_was_set_by(tmp_path):
    torch.manual_seed(0)
    arguments = {"backbone": "vgg11_bn", "num_classes": 3}
    network = build("conv1x1_vgg", **arguments)
    nn.init.zeros_(network.score.weight)
    nn.init.zeros_(network.score.bias)
    shift_background(network, -2.0)
    colours = ("#000000", "#111111", "#222222")
    recipe = {"name": "mine", "start": "random"}
    metadata = Metadata(
        "conv1x1_vgg", arguments, ("background", "cat", "dog"), colours, (0.5,) * 3, (0.2,) * 3, 32, recipe=recipe
    )
    path = tmp_path / "mine.safetensors"
    save(path, network, metadata)
    labels = torch.zeros(6, 32, 32, dtype=torch.uint8)
    labels[:, :4, :4] = 1
    pets = Pets(torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8), labels, torch.tensor([1, 2] * 3))
    before = validate(load(path)[0], pets, 32)["miou"]
    shift = calibrate(path, pets)
    after, found = load(path)
    assert shift == 2.0  # a tie goes to the background, which comes first
    assert found.recipe["background_shift"] == shift
    assert found.metrics["mine"]["miou"] > before + 0.4
    assert after.score.bias[0].item() == pytest.approx(network.score.bias[0].item() + shift, abs=1e-5)
    assert calibrate(path, pets) == 0
