"""Learned upsampling beside others, and the plaid pattern that an untrained one leaves."""

import pytest
import torch
import torch.nn.functional as F

from segdemo.lessons import upsampling
from segdemo.models.fcn import Upscore, fcn_vgg


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return fcn_vgg("vgg11", 3, fc_width=8, fc_kernel=1).eval()


def test_a_fresh_layer_is_bilinear_to_the_border():
    layer, scores = Upscore(3, 8), torch.randn(1, 3, 5, 7)
    with torch.no_grad():
        learned, bilinear = (upsampling.upsample(layer, scores, way) for way in ("learned", "bilinear"))
    torch.testing.assert_close(learned, bilinear, rtol=1e-4, atol=1e-5)


def test_nearest_repeats_and_random_is_the_same_each_time():
    layer, scores = Upscore(3, 8), torch.randn(1, 3, 5, 7)
    with torch.no_grad():
        assert torch.equal(
            upsampling.upsample(layer, scores, "nearest"), scores.repeat_interleave(8, 2).repeat_interleave(8, 3)
        )
        first, second = (upsampling.upsample(layer, scores, "random") for _ in range(2))
    assert torch.equal(first, second)


def test_a_constant_map_comes_out_plaid_from_a_random_kernel_alone():
    layer, constant = Upscore(3, 8), torch.full((1, 3, 6, 6), 2.0)
    with torch.no_grad():
        shares = {w: upsampling.plaid_share(upsampling.upsample(layer, constant, w)[0], 8) for w in upsampling.WAYS}
    assert shares["random"] > 0.99
    assert max(shares["bilinear"], shares["nearest"], shares["learned"]) < 1e-6


def test_what_differs_from_cell_to_cell_is_no_plaid():
    noise = torch.randn(3, 160, 160, generator=torch.Generator().manual_seed(0))
    assert upsampling.plaid_share(noise, 8) < 0.02
    assert upsampling.plaid_share(noise[:, :4, :4], 8) == 0


def test_all_ways_on_one_photo(network):
    image = torch.randn(3, 50, 70, generator=torch.Generator().manual_seed(1))
    found = upsampling.compare(network, image)
    assert tuple(found) == upsampling.WAYS
    with torch.inference_mode():
        torch.testing.assert_close(found["learned"].scores, network(image[None])[0])
        wanted = F.interpolate(network.padded_score_map(image[None]), scale_factor=8, mode="nearest")[0, :, :50, :70]
    torch.testing.assert_close(found["nearest"].scores, wanted)
    assert found["learned"].changed == 0
    assert all(0 <= each.changed <= 1 and 0 <= each.plaid <= 1 for each in found.values())
