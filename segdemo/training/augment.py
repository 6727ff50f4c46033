"""Random changes to whole batches, as tensor operations: the same code runs on a CPU and on a GPU without workers."""

from math import log, pi

import torch
import torch.nn.functional as F
from torch import Tensor

from segdemo.training.data import IGNORE

_PLAIN_PARTS = 0.3  # share of the drawn structures that get one more part without bars
Boxes = Tensor  # float32 [N, 4]: centre x, centre y, half width, half height, from -1 (left, top) to 1 (right, bottom)


def uniform(count: int, low: float, high: float) -> Tensor:
    """Draw float32 `[count]` between two numbers."""
    return torch.empty(count).uniform_(low, high)


def random_boxes(count: int, zoom: tuple[float, float], aspect: float) -> Boxes:
    """Draw windows that lie inside the image.

    Args:
        count: N.
        zoom: The window's side as a share of the image's, lowest and highest.
        aspect: Width and height differ by a factor of up to 1 + aspect either way.

    Returns:
        `[N, 4]`.
    """
    side = uniform(count, *zoom)
    squeeze = uniform(count, -1, 1).mul(0.5 * torch.log1p(torch.tensor(aspect))).exp()
    half_width, half_height = (side * squeeze).clamp(max=1), (side / squeeze).clamp(max=1)
    x, y = uniform(count, -1, 1) * (1 - half_width), uniform(count, -1, 1) * (1 - half_height)
    return torch.stack((x, y, half_width, half_height), 1)


def pet_free_boxes(labels: Tensor, zoom: tuple[float, float], tries: int = 24) -> tuple[Boxes, Tensor]:
    """Look for a window in each image that holds no pet pixel and no border pixel.

    Args:
        labels: uint8 `[N, S, S]`, 0 where there is background.
        zoom: The window's side as a share of the image's, lowest and highest.
        tries: Windows drawn an image.

    Returns:
        Boxes `[M, 4]`, M ≤ N, and the indices `[M]` of the images that they belong to, both on the CPU as all boxes.
    """
    labels = labels.cpu()
    count, size = len(labels), labels.shape[-1]
    # With a summed-area table four look-ups count the pet pixels of any window.
    table = F.pad((labels != 0).int().cumsum(1).cumsum(2), (1, 0, 1, 0))
    rows = torch.arange(count).repeat_interleave(tries)
    side = (uniform(count * tries, *zoom) * size).long().clamp(min=1)
    left, top = ((torch.rand(count * tries) * (size - side + 1)).long() for _ in range(2))
    right, bottom = left + side, top + side
    pets = table[rows, bottom, right] - table[rows, top, right] - table[rows, bottom, left] + table[rows, top, left]
    free = (pets == 0).view(count, tries)
    found = free.any(1).nonzero().squeeze(1)
    chosen = found * tries + free[found].int().argmax(1)
    boxes = torch.stack((left + right - size, top + bottom - size, side, side), 1).float() / size
    return boxes[chosen], found


def crop_resize(images: Tensor, boxes: Boxes, size: int, mode: str = "bilinear", flip: Tensor | None = None) -> Tensor:
    """Cut a window out of each image and resize it, in one sampling.

    Args:
        images: `[N, C, H, W]`, float.
        boxes: `[N, 4]`.
        size: Side of the result, pixels.
        mode: `bilinear` for photos, `nearest` for labels.
        flip: bool `[N]`, which windows to mirror.

    Returns:
        `[N, C, size, size]`.
    """
    if not len(images):
        return images.new_zeros(0, images.shape[1], size, size)
    x, y, half_width, half_height = boxes.to(images).unbind(1)
    mirrored = half_width if flip is None else torch.where(flip.to(images.device), -half_width, half_width)
    zero = torch.zeros_like(x)
    theta = torch.stack((mirrored, zero, x, zero, half_height, y), 1).view(-1, 2, 3)
    grid = F.affine_grid(theta, [len(images), images.shape[1], size, size], align_corners=False)
    return F.grid_sample(images, grid, mode, padding_mode="border", align_corners=False)


def jitter_colours(images: Tensor, strength: float) -> Tensor:
    """Change brightness, contrast and saturation of each photo.

    Args:
        images: `[N, 3, H, W]`, 0 to 1.
        strength: Each factor lies between 1 - strength and 1 + strength.

    Returns:
        Photos of the same shape, 0 to 1.
    """
    brightness, contrast, saturation = (
        uniform(len(images), 1 - strength, 1 + strength).to(images).view(-1, 1, 1, 1) for _ in range(3)
    )
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * contrast + mean * brightness
    grey = images.mean(1, keepdim=True)
    return ((images - grey) * saturation + grey).clamp(0, 1)


def superellipses(count: int, size: int, axes: tuple[float, float] = (0.1, 0.7)) -> Tensor:
    """Draw one rotated superellipse a mask: from pointed stars over diamonds and ellipses to rectangles.

    Args:
        count: N.
        size: S, side of the masks, pixels.
        axes: Half of width and half of height as a share of half the side, lowest and highest.

    Returns:
        bool `[N, S, S]`, true inside; the centre lies in the mask, the rest may lie outside.
    """

    def draw(low: float, high: float) -> Tensor:
        return uniform(count, low, high).view(-1, 1, 1)

    line = (torch.arange(size) + 0.5) / size * 2 - 1
    x, y = line.view(1, 1, -1) - draw(-1, 1), line.view(1, -1, 1) - draw(-1, 1)
    angle, exponent = draw(0, pi), draw(log(0.7), log(8)).exp()
    half_width, half_height = (draw(*map(log, axes)).exp() for _ in range(2))
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    return (along / half_width).abs() ** exponent + (across / half_height).abs() ** exponent < 1


def tile_mirrored(images: Tensor, repeats: tuple[float, float] = (1.0, 4.0)) -> Tensor:
    """Turn each image and repeat it by mirroring: textures become lattices, symmetric as things made by people are.

    Args:
        images: `[N, 3, S, S]`.
        repeats: How often an image fits into its frame along each side, fewest and most.

    Returns:
        Images of the same shape.
    """
    count = len(images)
    if not count:
        return images
    times, angle = uniform(count, *map(log, repeats)).exp(), uniform(count, 0, 2 * pi)
    cos, sin, zero = times * angle.cos(), times * angle.sin(), torch.zeros(count)
    theta = torch.stack((cos, -sin, zero, sin, cos, zero), 1).view(-1, 2, 3).to(images)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def pet_colours(images: Tensor, labels: Tensor, count: int) -> Tensor:
    """Pick pairs of colours, each pair from one photo's pet: what is drawn with them differs from a pet in form alone.

    Args:
        images: `[N, 3, H, W]`.
        labels: `[N, H, W]`, neither 0 nor 255 where there is a pet.
        count: Pairs.

    Returns:
        `[count, 2, 3]`; random colours where no photo shows a pet.
    """
    flat, pets = images.flatten(2), ((labels != 0) & (labels != IGNORE)).flatten(1).float()
    rows = pets.sum(1).nonzero().flatten()
    if not len(rows):
        return torch.rand(count, 2, 3).to(images)
    chosen = rows[torch.randint(len(rows), (count,)).to(rows.device)]
    pixels = torch.multinomial(pets[chosen].cpu(), 2, replacement=True).to(images.device)
    return flat[chosen[:, None], :, pixels]


def gratings(colours: Tensor, size: int) -> Tensor:
    """Draw crossing gratings of two colours: girders, fences, brickwork and nets.

    Args:
        colours: `[N, 2, 3]`, of the bars and of what is between them, 0 to 1.
        size: S, pixels.

    Returns:
        `[N, 3, S, S]`, 0 to 1.
    """
    count = len(colours)

    def draw(low: float, high: float) -> Tensor:
        return uniform(count, low, high).view(-1, 1, 1)

    line = torch.arange(size, dtype=torch.float32)
    x, y = line.view(1, 1, -1), line.view(1, -1, 1)
    lean, ink = draw(0, pi), torch.full((count, size, size), -1.0)
    for turn, share in ((0.0, 1.0), (0.5, 0.8), (0.25, 0.5)):  # upright bars, most with cross bars, half with diagonals
        angle, period = lean + turn * pi + draw(-0.2, 0.2), draw(log(2.5), log(size / 4)).exp()
        wave = ((x * angle.cos() + y * angle.sin()) * 2 * pi / period + draw(0, 2 * pi)).sin()
        ink = torch.where(draw(0, 1) < share, torch.maximum(ink, wave), ink)
    bars = ((ink - draw(-0.2, 0.8)) * 4).sigmoid()[:, None].to(colours)
    between, bar = (colour[:, :, None, None] for colour in colours.unbind(1))
    shade = F.interpolate(uniform(count * 16, 0.6, 1.2).view(count, 1, 4, 4), (size, size), mode="bicubic")
    return (torch.lerp(between, bar, bars) * shade.to(colours)).clamp(0, 1)


def structures(colours: Tensor, size: int) -> Tensor:
    """Compose gratings to what people build, half of them symmetric, as faces are too: negatives for a pet finder.

    Args:
        colours: `[N, 2, 3]`.
        size: S, pixels.

    Returns:
        `[N, 3, S, S]`, 0 to 1.
    """
    count, images = len(colours), gratings(colours, size)
    for _ in range(3):
        shapes = superellipses(count, size, (0.3, 1.2)).to(images.device)
        images = torch.where(shapes[:, None], gratings(colours, size), images)
        # Some parts are plain, so that bars stand before a sky as well as before other bars.
        shapes = (superellipses(count, size, (0.2, 0.8)) & (torch.rand(count, 1, 1) < _PLAIN_PARTS)).to(images.device)
        images = torch.where(shapes[:, None], colours[:, torch.randint(2, ()), :, None, None], images)
    left = torch.arange(size, device=images.device) < size // 2
    mirrored = torch.where(left, images, images.flip(3))
    symmetric = (torch.rand(count, 1, 1, 1) < 0.5).to(images.device)  # noqa: PLR2004
    return torch.where(symmetric, mirrored, images)


def paste(images: Tensor, labels: Tensor, patches: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Paste patches that show no pet onto some images: they hide a part of a pet, or stand out without being one.

    Source of the idea: Zhong et al., "Random Erasing Data Augmentation", 2020; here other photos' background fills it.

    Args:
        images: `[N, 3, S, S]`.
        labels: `[N, S, S]`; what is pasted becomes background, 0.
        patches: `[M, 3, S, S]`, M of at least 1; the part under the pasted shape is taken.
        shares: `[N]`, the probability that an image gets a patch.

    Returns:
        Images and labels of the same shapes.
    """
    count = len(images)
    shape = superellipses(count, images.shape[-1]) & (torch.rand(count) < shares).view(-1, 1, 1)
    inside = shape.to(images.device)
    chosen = patches[torch.randint(len(patches), (count,)).to(patches.device)]
    return torch.where(inside[:, None], chosen, images), labels.masked_fill(inside, 0)


def erase(images: Tensor, labels: Tensor, fills: Tensor, margin: int) -> Tensor:
    """Paint the pets over, some pixels beyond their border.

    Args:
        images: `[N, 3, S, S]`.
        labels: `[N, S, S]`; what is not 0 is painted over.
        fills: `[N, 3, S, S]`, what is painted in.
        margin: Pixels.

    Returns:
        `[N, 3, S, S]`.
    """
    pets = (labels != 0)[:, None].to(images)
    return torch.where(F.max_pool2d(pets, 2 * margin + 1, 1, margin) > 0, fills, images)


def soften(images: Tensor, share: float) -> Tensor:
    """Show some images at a half or a quarter of their resolution, so that blur does not tell what is on them.

    Args:
        images: `[N, C, S, S]`, S at least 4.
        share: Of the images that are softened, 0 to 1.

    Returns:
        Images of the same shape.
    """
    size, draw = images.shape[-2:], torch.rand(len(images)).to(images.device).view(-1, 1, 1, 1)
    for factor, limit in ((2, share), (4, share / 2)):
        small = F.avg_pool2d(images, factor)
        images = torch.where(draw < limit, F.interpolate(small, size, mode="bilinear"), images)
    return images
