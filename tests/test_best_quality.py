"""Six passes, averaged."""

import numpy as np
import pytest
import torch
from PIL import Image
from test_segmenter import METADATA, Coarse, Tiny, half_red_half_green

from segdemo.segmenter import Segmenter


@pytest.mark.parametrize("network", [Tiny, Coarse])
def test_best_quality_is_the_mean_over_sizes_and_mirroring(network):
    class Lopsided(network):
        """Sees more red on the left of its input, as no photo and its mirror image would have it."""

        def score_map(self, images):
            scores = super().score_map(images)
            return scores + torch.linspace(1, -1, scores.shape[-1]).view(1, 1, 1, -1) * torch.tensor([0, 3, 0]).view(
                3, 1, 1
            )

    segmenter = Segmenter("lopsided", Lopsided().eval(), METADATA, torch.device("cpu"))
    grey = Image.new("RGB", (101, 67), (128, 128, 128))
    plain, best = segmenter(grey), segmenter(grey, best_quality=True)
    assert plain.heatmap(1)[:, 0].mean() > 2 * plain.heatmap(1)[:, -1].mean()
    heat = best.heatmap(1)
    np.testing.assert_allclose(heat, heat[:, ::-1], atol=0.02)
    assert torch.equal(best.score_map, plain.score_map)
    assert best.milliseconds["network"] > 0
    together = segmenter([grey, half_red_half_green()], best_quality=True)
    torch.testing.assert_close(together[0].scores, best.scores)
    assert (together[1].class_map()[:, :50] == 1).mean() > 0.9
