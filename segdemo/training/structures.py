"""Things that people build, drawn over photos as background: no data set here shows towers, cranes or fences alone."""

from math import log, pi

import torch
from torch import Tensor

_COARSEST = 5  # bars across a photo at least


def _draw(count: int, low: float, high: float) -> Tensor:
    return torch.empty(count, 1, 1).uniform_(low, high)


def gratings(count: int, size: int) -> Tensor:
    """Draw crossing bars of two colours that are darker or lighter from place to place.

    Returns:
        `[N, 3, S, S]`, 0 to 1.
    """
    line = torch.arange(size, dtype=torch.float32)
    x, y = line.view(1, 1, -1), line.view(1, -1, 1)
    lean, ink = _draw(count, 0, pi), torch.full((count, size, size), -1.0)
    for turn, share in ((0.0, 1.0), (0.5, 0.8), (0.25, 0.5)):  # upright bars, most with cross bars, half with diagonals
        angle = lean + turn * pi + _draw(count, -0.2, 0.2)
        period = _draw(count, log(2.5), log(size / _COARSEST)).exp()
        wave = ((x * angle.cos() + y * angle.sin()) * 2 * pi / period + _draw(count, 0, 2 * pi)).sin()
        ink = torch.where(_draw(count, 0, 1) < share, torch.maximum(ink, wave), ink)
    bars = ((ink - _draw(count, -0.2, 0.9)) * 4).sigmoid()[:, None]
    hue = torch.rand(count, 3, 1, 1)
    between = (hue + torch.empty(count, 3, 1, 1).uniform_(-0.25, 0.25)).clamp(0, 1)
    bar = (hue * torch.empty(count, 1, 1, 1).uniform_(0.2, 0.9)).clamp(0, 1)
    shade = torch.nn.functional.interpolate(
        torch.empty(count, 1, 4, 4).uniform_(0.6, 1.2), (size, size), mode="bicubic"
    )
    return (torch.lerp(between, bar, bars) * shade).clamp(0, 1)


def towers(count: int, size: int) -> Tensor:
    """Draw upright outlines that narrow to the top, some on a broad foot or on legs: bool `[N, S, S]`, true inside."""
    line = torch.linspace(-1, 1, size)
    x, y = line.view(1, 1, -1), line.view(1, -1, 1)
    top, bottom = _draw(count, -1.1, 0.2), _draw(count, 0.3, 1.2)
    middle, lean = _draw(count, -0.7, 0.7), _draw(count, -0.15, 0.15)

    def outline(top: Tensor, foot: Tensor) -> Tensor:
        height = ((bottom - y) / (bottom - top)).clamp(0, 1)  # 0 at the foot, 1 at the tip
        width = foot * (1 - height * _draw(count, 0.3, 1.0)) ** _draw(count, 0.6, 3.0)
        return ((x - middle - height * lean).abs() < width) & (y > top) & (y < bottom)

    foot = _draw(count, 0.08, 0.5)
    base = outline(bottom - (bottom - top) * _draw(count, 0.2, 0.6), foot * _draw(count, 1.3, 2.5))
    arch = ((x - middle) / (foot * _draw(count, 0.3, 1.2))) ** 2 + ((y - bottom) / _draw(count, 0.2, 0.7)) ** 2 < 1
    whole = outline(top, foot) | (base & (torch.rand(count, 1, 1) < 0.5))  # noqa: PLR2004
    return whole & ~(arch & (torch.rand(count, 1, 1) < 0.4))  # noqa: PLR2004 - some stand on two legs


def lit(textures: Tensor) -> Tensor:
    """Make textures symmetric and light them from within, tier by tier, as towers are at night: `[N, 3, S, S]`."""
    count, _, size, _ = textures.shape
    mirrored = torch.where(torch.arange(size) < size // 2, textures, textures.flip(3))
    tiers = torch.nn.functional.interpolate(torch.empty(count, 1, 6, 1).uniform_(0.2, 1.3), (size, size))
    glow = torch.rand(count, 3, 1, 1) * torch.tensor([1.0, 0.8, 0.4]).view(1, 3, 1, 1)
    return (mirrored * tiers + glow * mirrored.mean(1, keepdim=True).square()).clamp(0, 1)


def skies(count: int, size: int) -> Tensor:
    """Draw skies: two colours from top to bottom, `[N, 3, S, S]`."""
    upper = torch.rand(count, 1, 1, 1) * torch.tensor([0.75, 0.9, 1.0]).view(1, 3, 1, 1)
    lower = torch.lerp(upper, torch.rand(count, 3, 1, 1), 0.4)
    return torch.lerp(upper, lower, torch.linspace(0, 1, size).view(1, 1, -1, 1)).expand(-1, -1, -1, size)


def draw_structures(images: Tensor, labels: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Draw towers over a share of the photos, half of those before a sky or other structures; all background.

    The photos are `[N, 3, S, S]`, 0 to 1, their labels int64 `[N, S, S]`.
    """
    count, size = len(images), images.shape[-1]
    chosen = torch.rand(count, 1, 1) < share
    alone = chosen & (torch.rand(count, 1, 1) < 0.5)  # noqa: PLR2004
    near = torch.rand(count, 1, 1, 1) < 0.3  # noqa: PLR2004 - a structure so near that it fills the crop
    images = torch.where(alone[:, None], torch.where(near, lit(gratings(count, size)), skies(count, size)), images)
    labels = labels.masked_fill(alone, 0)
    for _ in range(2):
        inside = towers(count, size) & chosen
        textures = gratings(count, size)
        textures = torch.where(torch.rand(count, 1, 1, 1) < 0.5, lit(textures), textures)  # noqa: PLR2004
        images = torch.where(inside[:, None], textures, images)
        labels = labels.masked_fill(inside, 0)
    return images, labels
