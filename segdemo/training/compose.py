"""Images put together from parts: pets before other backdrops, and things that are no pets before the same ones.

Both kinds are cut out and pasted in the same way, so that neither a cut edge nor a drawn backdrop tells a network what
it sees. Source of the idea: Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation Method for Instance
Segmentation", 2021.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from segdemo.training.augment import jitter_colours, structures, superellipses, tile_mirrored, uniform

_COLOUR = 0.4  # strength of the changes in the colours of parts
_FILLS_MOST = 0.85  # share of a window above which a pet leaves no backdrop to exchange
_STANDING = 0.6  # share of the things that stand on the ground; the others float
_ALL_OVER = 0.15  # share of the things that fill the image


def gradients(count: int, size: int) -> Tensor:
    """Draw plain backdrops with a camera's noise, from one colour above to a similar one below, bluish more often.

    Args:
        count: N.
        size: S, pixels.

    Returns:
        `[N, 3, S, S]`, 0 to 1.
    """
    blue, light = torch.tensor((0.55, 0.65, 0.8)).view(1, 3, 1, 1), uniform(count, 0.4, 1.3).view(-1, 1, 1, 1)
    above = torch.rand(count, 3, 1, 1) / 2 + blue * light / 2
    below = above * uniform(count, 0.7, 1.3).view(-1, 1, 1, 1)
    depth = torch.linspace(0, 1, size).view(1, 1, -1, 1).expand(count, 1, size, size)
    noise = torch.randn(count, 3, size, size) * uniform(count, 0, 0.03).view(-1, 1, 1, 1)
    return (torch.lerp(above, below, depth) + noise).clamp(0, 1)


def standing(count: int, size: int, knots: int = 6) -> Tensor:
    """Draw outlines of things that stand on the ground: towers, houses, trees, bottles, gates.

    Each is as wide as a broken or stepped line says, most wider below than above. Left and right of the axis, which may
    lean, are alike; a third have an arch cut out below.

    Args:
        count: N.
        size: S, side of the masks, pixels.
        knots: Heights at which a width is drawn.

    Returns:
        bool `[N, S, S]`, true inside.
    """

    def draw(low: float, high: float) -> Tensor:
        return uniform(count, low, high).view(-1, 1, 1)

    line = (torch.arange(size) + 0.5) / size
    y, x = line.view(1, -1, 1), line.view(1, 1, -1) * 2 - 1
    widths = uniform(count * knots, 0.05, 1).view(count, 1, knots)
    widths = torch.where(draw(0, 1) < 0.7, widths.sort(2).values, widths) * draw(0.25, 1)  # noqa: PLR2004
    broken = F.interpolate(widths, size, mode="linear", align_corners=True)
    outline = torch.where(draw(0, 1) < 0.3, F.interpolate(widths, size), broken).squeeze(1)  # noqa: PLR2004
    top = draw(-0.3, 0.7)
    height = (y - top) / (1 - top)  # 0 at the top, 1 on the ground
    width = outline.gather(1, (height * size).long().clamp(0, size - 1).squeeze(2)).unsqueeze(2)
    from_axis = x - draw(-0.5, 0.5) - draw(-0.25, 0.25) * (1 - y)
    arch_width, arch_height = draw(0.1, 0.6) * width[:, -1:], draw(0.1, 0.5)
    arch = ((from_axis / arch_width) ** 2 + ((1 - y) / arch_height) ** 2 < 1) & (draw(0, 1) < 1 / 3)
    return (from_axis.abs() < width) & (height >= 0) & ~arch


def melt(images: Tensor, strength: tuple[float, float] = (0.4, 0.8), knots: int = 5) -> Tensor:
    """Warp photos until nothing on them has its form: what pets are made of, without a pet.

    Args:
        images: `[N, 3, S, S]`.
        strength: Standard deviation of the displacements as a share of half the side, lowest and highest.
        knots: Displacements drawn along each side; between them they are smooth.

    Returns:
        Images of the same shape.
    """
    count, size = len(images), images.shape[-1]
    far = uniform(count, *strength).view(-1, 1, 1, 1) * torch.randn(count, 2, knots, knots)
    shifts = F.interpolate(far.to(images), (size, size), mode="bicubic").permute(0, 2, 3, 1)
    straight = F.affine_grid(torch.eye(2, 3).to(images).expand(count, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, straight + shifts, padding_mode="reflection", align_corners=False)


def feather(masks: Tensor) -> Tensor:
    """Soften the edges of a batch of masks by a width drawn for all: none, one, or two pixels.

    Args:
        masks: bool `[N, 1, S, S]`.

    Returns:
        float32 of the same shape, 0 to 1.
    """
    side = (1, 3, 3, 5)[torch.randint(4, ())]
    return F.avg_pool2d(masks.float(), side, 1, side // 2, count_include_pad=False)


def mixed(parts: tuple[Tensor, ...], shares: tuple[float, ...]) -> Tensor:
    """Take each image from one of several batches of the same shape, from each by its share."""
    chosen = torch.multinomial(torch.tensor(shares), len(parts[0]), replacement=True).to(parts[0].device)
    return torch.stack(parts)[chosen, torch.arange(len(chosen), device=chosen.device)]


def backdrops(patches: Tensor, colours: Tensor) -> Tensor:
    """Make backdrops: windows without a pet, as they are and as lattices, plain ones, and drawn structures.

    Args:
        patches: `[M, 3, S, S]`, windows without a pet, M of at least 1.
        colours: `[N, 2, 3]`, of the structures.

    Returns:
        `[N, 3, S, S]`.
    """
    count, size = len(colours), patches.shape[-1]
    windows = _pick(patches, count)
    plain = gradients(count, size).to(patches)
    made = mixed((windows, tile_mirrored(windows), plain, structures(colours, size)), (0.5, 0.15, 0.25, 0.1))
    return jitter_colours(made, _COLOUR)


def things(photos: Tensor, patches: Tensor, colours: Tensor) -> Tensor:
    """Make what things that are no pets consist of: structures, lattices, molten photos, other photos' background.

    Args:
        photos: `[N, 3, S, S]`, of pets.
        patches: `[M, 3, S, S]`, windows without a pet, M of at least 1.
        colours: `[N, 2, 3]`, of the structures.

    Returns:
        `[N, 3, S, S]`.
    """
    count, size = len(photos), photos.shape[-1]
    windows = _pick(patches, count)
    made = mixed((structures(colours, size), tile_mirrored(windows), melt(photos), windows), (0.25, 0.2, 0.35, 0.2))
    return jitter_colours(made, _COLOUR)


def place_things(contents: Tensor, behind: Tensor) -> Tensor:
    """Cut things out in drawn outlines and put them before backdrops; some fill the image.

    Args:
        contents: `[N, 3, S, S]`, from `things`.
        behind: `[N, 3, S, S]`, from `backdrops`.

    Returns:
        `[N, 3, S, S]`, no pet on any.
    """
    count, size = len(contents), contents.shape[-1]
    stands = torch.rand(count, 1, 1) < _STANDING
    outlines = torch.where(stands, standing(count, size), superellipses(count, size, (0.3, 1.2)))
    inside = torch.where(torch.rand(count, 1, 1, 1) < _ALL_OVER, 1.0, feather(outlines[:, None]))
    return torch.lerp(behind, contents, inside.to(contents))


def exchange_backdrops(images: Tensor, labels: Tensor, behind: Tensor, share: float) -> Tensor:
    """Put the pets of some images before other backdrops; labels stay what they are.

    Args:
        images: `[N, 3, S, S]`.
        labels: `[N, S, S]`, 0 where there is background; the border goes with the pet.
        behind: `[N, 3, S, S]`.
        share: Of the images, 0 to 1; a pet that fills its window stays where it is.

    Returns:
        `[N, 3, S, S]`.
    """
    pets = (labels != 0)[:, None]
    fills = pets.float().mean((1, 2, 3), keepdim=True) > _FILLS_MOST
    chosen = (torch.rand(len(images), 1, 1, 1).to(images.device) < share) & ~fills
    return torch.where(chosen, torch.lerp(behind, images, feather(pets)), images)


def _pick(images: Tensor, count: int) -> Tensor:
    return images[torch.randint(len(images), (count,)).to(images.device)]
