"""Images without a pet, composed at random: windows of pictures, things before skies, things in the colours of pets."""

import torch
import torch.nn.functional as F
from torch import Tensor

from segdemo.training.augment import crop_resize, jitter_colours, random_boxes, uniform

_TEXTURED = 0.25  # share of the things that are filled with another picture, so that their form alone is left
_TINTED = 0.6  # share of the things that take the colours of a pet
_COLOUR = 0.4  # strength of the changes in the colours of pictures and things


def windows(pictures: Tensor, count: int, size: int) -> Tensor:
    """Cut windows out of pictures, their colours changed.

    Args:
        pictures: uint8 `[P, 3, S, S]`.
        count: N.
        size: Side of the windows, pixels.

    Returns:
        `[N, 3, size, size]`, 0 to 1.
    """
    chosen = pictures[torch.randint(len(pictures), (count,)).to(pictures.device)].float() / 255
    flip = torch.rand(count) < 0.5  # noqa: PLR2004
    return jitter_colours(crop_resize(chosen, random_boxes(count, (0.3, 1.0), 0.3), size, flip=flip), _COLOUR)


def skies(count: int, size: int) -> Tensor:
    """Draw gradients from top to bottom, most of them in colours of the sky, with some noise.

    Args:
        count: N.
        size: S, pixels.

    Returns:
        `[N, 3, S, S]`, 0 to 1.
    """
    blue = torch.stack((uniform(count, 0.3, 0.8), uniform(count, 0.5, 0.9), uniform(count, 0.7, 1.0)), 1)
    top = torch.where(torch.rand(count, 1) < 0.6, blue, torch.rand(count, 3))  # noqa: PLR2004
    bottom = torch.lerp(top, torch.rand(count, 3), uniform(count, 0, 0.6)[:, None])
    height = torch.linspace(0, 1, size).view(1, 1, -1, 1) ** uniform(count, 0.5, 2).view(-1, 1, 1, 1)
    sky = torch.lerp(top[:, :, None, None], bottom[:, :, None, None], height)
    noise = torch.randn(count, 3, size, size) * uniform(count, 0, 0.04).view(-1, 1, 1, 1)
    return (sky + noise).clamp(0, 1)


def things(cutouts: Tensor, textures: Tensor, colours: Tensor, size: int) -> Tensor:
    """Place cut-out things at random: scaled, squeezed, leaning, mirrored, some textured, some in given colours.

    Args:
        cutouts: uint8 `[K, 4, S, S]`.
        textures: `[N, 3, size, size]`, 0 to 1, with which some are filled.
        colours: `[N, 2, 3]`, 0 to 1, into which some are tinted.
        size: Side of the result, pixels.

    Returns:
        `[N, 4, size, size]`, 0 to 1, the last channel alpha.
    """
    count = len(colours)
    chosen = cutouts[torch.randint(len(cutouts), (count,)).to(cutouts.device)].float() / 255
    grid = F.affine_grid(_placements(count).to(chosen), [count, 4, size, size], align_corners=False)
    placed = F.grid_sample(chosen, grid, padding_mode="zeros", align_corners=False)
    rgb, alpha = placed[:, :3], placed[:, 3:]
    shading = (0.5 + rgb.mean(1, keepdim=True)).clamp(0.5, 1.3)
    rgb = _where(torch.rand(count) < _TEXTURED, (textures * shading).clamp(0, 1), rgb)
    strength = torch.where(torch.rand(count) < _TINTED, uniform(count, 0.4, 1.0), torch.zeros(count))
    return torch.cat((jitter_colours(tint(rgb, colours, strength), _COLOUR), alpha), 1)


def tint(images: Tensor, colours: Tensor, strength: Tensor) -> Tensor:
    """Draw images again between two colours, the darker of them where they are dark.

    Args:
        images: `[N, 3, H, W]`, 0 to 1.
        colours: `[N, 2, 3]`, 0 to 1.
        strength: `[N]`, 0 leaves an image as it is.

    Returns:
        `[N, 3, H, W]`.
    """
    order = colours.mean(2).argsort(1)[..., None].expand_as(colours)
    dark, light = (colour[:, :, None, None] for colour in colours.gather(1, order).unbind(1))
    toned = torch.lerp(dark, light, images.mean(1, keepdim=True))
    return torch.lerp(images, toned, strength.to(images).view(-1, 1, 1, 1))


def lay_over(images: Tensor, labels: Tensor, layers: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Lay layers over some images; what they hide becomes background.

    Args:
        images: `[N, 3, S, S]`.
        labels: `[N, S, S]`.
        layers: `[N, 4, S, S]`, the last channel alpha.
        shares: `[N]`, the probability that an image gets its layer.

    Returns:
        Images and labels of the same shapes.
    """
    alpha = layers[:, 3:] * (torch.rand(len(images)) < shares).to(layers).view(-1, 1, 1, 1)
    return torch.lerp(images, layers[:, :3], alpha), labels.masked_fill(alpha[:, 0] > 0.5, 0)  # noqa: PLR2004


def _placements(count: int) -> Tensor:
    """Draw affine maps `[N, 2, 3]` from the result to the cut-out: 0.25 to 1.5 of the frame, up to 20 degrees."""
    shrink, lean = uniform(count, 0.25, 1.5).reciprocal(), uniform(count, -0.35, 0.35)
    squeeze, mirror = uniform(count, -0.3, 0.3).exp(), (torch.rand(count) < 0.5).float() * 2 - 1  # noqa: PLR2004
    x, y = uniform(count, -0.8, 0.8), uniform(count, -0.8, 0.8)
    a, b = shrink * lean.cos() * mirror * squeeze, shrink * lean.sin()
    c, d = -shrink * lean.sin() * mirror, shrink * lean.cos() / squeeze
    return torch.stack((a, b, -(a * x + b * y), c, d, -(c * x + d * y)), 1).view(-1, 2, 3)


def _where(chosen: Tensor, others: Tensor, images: Tensor) -> Tensor:
    return torch.where(chosen.to(images.device).view(-1, 1, 1, 1), others, images)
