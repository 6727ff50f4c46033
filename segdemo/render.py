"""Pictures and files made from class maps, heatmaps and scores."""

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageColor, ImageDraw, ImageFont
from pycocotools import mask as coco

HEAT_COLORMAPS = ("viridis", "magma", "cividis", "gray")
SCORE_COLORMAP = "PuOr"  # diverging and safe for colour-blind people; white is a score of zero
SCREEN = 1024
"""Pixels of the longer side that a screen needs of a picture."""
_MAX_CELLS_WITH_NUMBERS = 6


def display_size(size: tuple[int, int], longer_side: int = SCREEN) -> tuple[int, int]:
    """Scale a width and height down to what a screen needs; smaller ones stay as they are."""
    scale = min(1.0, longer_side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def overlay(
    image: Image.Image, class_map: np.ndarray, colours: Sequence[str], opacity: float, has_background: bool = True
) -> Image.Image:
    """Lay the colours of the classes, `#rrggbb`, over an RGB photo; the background, at index 0 if any, stays as it is.

    The class map is uint8 or uint16 `[H, W]`, at the photo's size; the opacity runs from 0 (photo alone) to 1.

    Raises:
        ValueError: The class map has another size than the photo.
    """
    if class_map.shape != (image.height, image.width):
        raise ValueError(f"class map {class_map.shape} and photo {image.size} differ in size")
    paint = Image.fromarray(_rgb_table(colours)[class_map])
    painted = class_map > 0 if has_background else np.ones_like(class_map, bool)
    strength = Image.fromarray(painted * np.uint8(round(255 * opacity)))
    return Image.composite(paint, image, strength)


def index_mask(class_map: np.ndarray, colours: Sequence[str]) -> Image.Image:
    """Make the mask whose pixel values are class indices and whose palette shows them in colour, `#rrggbb` by index.

    Returns:
        For a PNG: mode `P` of a uint8 class map `[H, W]`, `I;16` of uint16, whose classes no palette has places for.
    """
    if class_map.dtype == np.uint16:
        return Image.fromarray(class_map)
    mask = Image.fromarray(class_map).copy()
    mask.putpalette(_rgb_table(colours).tobytes())
    return mask


def heatmap(probabilities: np.ndarray, colormap: str = HEAT_COLORMAPS[0]) -> Image.Image:
    """Colour probabilities, float32 `[H, W]`, on a fixed scale from 0 to 1, so that pictures can be compared."""
    scaled = probabilities * 255
    return Image.fromarray(_table(colormap)[scaled.round(out=scaled).astype(np.uint8)])


def score_grid(
    scores: np.ndarray, limit: float, longer_side: int = 640, numbered: int = _MAX_CELLS_WITH_NUMBERS
) -> Image.Image:
    """Draw one class's scores as the network makes them: a block a cell, no smoothing, numbers where there is room.

    Args:
        scores: float32 `[h, w]`.
        limit: The scale runs from -limit to limit.
        longer_side: Of the picture, pixels, at least one a cell.
        numbered: Up to so many cells a side they bear their numbers.
    """
    unit = ((scores / max(limit, 1e-6) + 1) / 2).clip(0, 1)
    values = (unit * 255).round().astype(np.uint8)
    height, width = scores.shape
    side = max(1, longer_side // max(height, width))
    picture = Image.fromarray(_table(SCORE_COLORMAP)[values]).resize(
        (width * side, height * side), Image.Resampling.NEAREST
    )
    if max(height, width) <= numbered:
        _write_numbers(picture, scores, side)
    return picture


def feature_map(values: np.ndarray, longer_side: int = 128) -> Image.Image:
    """Draw one feature map, float32 `[h, w]`, from 0 (dark) to its largest value: a block a cell, no smoothing.

    A map with more cells a side than the picture has pixels is scaled down. The mode is `P`, for small files.
    """
    indices = (values / max(float(values.max()), 1e-6) * 255).round().astype(np.uint8)
    picture = Image.fromarray(indices)
    if max(picture.size) > longer_side:
        picture = picture.resize(display_size(picture.size, longer_side), Image.Resampling.BOX)
    picture.putpalette(_table(HEAT_COLORMAPS[0]).tobytes())
    return enlarge(picture, longer_side)


def enlarge(picture: Image.Image, longer_side: int) -> Image.Image:
    """Scale a small picture up by a whole number, each pixel a block; one that is large enough stays as it is."""
    side = max(1, longer_side // max(picture.size))
    return picture.resize((picture.width * side, picture.height * side), Image.Resampling.NEAREST)


def points(image: Image.Image, marks: Sequence[tuple[float, float, str]]) -> Image.Image:
    """Draw points on a copy of a photo, each ringed in black and white so that it is seen on any colour.

    A mark is the point's place, as shares of width and height, and its colour.
    """
    picture = image.copy()
    draw = ImageDraw.Draw(picture)
    radius = max(4, max(image.size) / 80)
    for x, y, colour in marks:
        centre = x * image.width, y * image.height
        draw.circle(centre, radius + 2, fill="black")
        draw.circle(centre, radius + 1, fill="white")
        draw.circle(centre, radius - 1, fill=colour)
    return picture


def coco_rle(class_map: np.ndarray, classes: Sequence[str], has_background: bool = True) -> list[dict[str, object]]:
    """Encode each class of a class map, `[H, W]`, that occurs, background aside, as COCO run lengths.

    Returns:
        A list of `{"category_id", "category", "area", "bbox", "segmentation": {"size": [H, W], "counts"}}`, which
        `pycocotools.mask.decode` reads.
    """
    annotations = []
    for index in np.unique(class_map[class_map >= int(has_background)]).tolist():
        rle = coco.encode(np.asfortranarray(class_map == index, np.uint8))
        annotations.append(
            {
                "category_id": index,
                "category": classes[index],
                "area": int(coco.area(rle)),
                "bbox": coco.toBbox(rle).tolist(),
                "segmentation": {"size": rle["size"], "counts": rle["counts"].decode("ascii")},
            }
        )
    return annotations


def css_gradient(colormap: str) -> str:
    """Write a colormap as a CSS gradient from left to right, for a colour bar on a page."""
    stops = _table(colormap)[::17]
    return f"linear-gradient(to right, {', '.join('rgb({}, {}, {})'.format(*stop) for stop in stops)})"


def _table(colormap: str) -> np.ndarray:
    """Look a colormap up as uint8 `[256, 3]`."""
    return colormaps[colormap](np.arange(256), bytes=True)[:, :3]


def _rgb_table(colours: Sequence[str]) -> np.ndarray:
    return np.array([ImageColor.getrgb(colour) for colour in colours], np.uint8)


def _write_numbers(picture: Image.Image, scores: np.ndarray, side: int) -> None:
    draw = ImageDraw.Draw(picture)
    font, colours = ImageFont.load_default(max(8, side // 3)), np.array(picture)
    for (row, column), score in np.ndenumerate(scores):
        centre = ((column + 0.5) * side, (row + 0.5) * side)
        # Dark cells take white figures: the sum of the channels is luminance enough for a diverging map.
        dark = int(colours[row * side, column * side].sum()) < 330  # noqa: PLR2004
        draw.text(centre, f"{score:.1f}", fill="white" if dark else "black", font=font, anchor="mm")
