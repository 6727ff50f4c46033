"""What a network made of one photo: the scores it gave, and everything that follows from them on demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from segdemo.safe_files import quoted

AUTO = "auto"
"""Stands for the class that covers most, background aside."""

MANY_CLASSES = 64
"""With more classes than this, those that lead in no cell of the scores do not compete for the pixels between cells."""

# Scores at the photo's size are made in bands of rows of about this many numbers (16 MB), never as a whole.
_BAND_NUMBERS = 1 << 22


def check_class(network: str, classes: tuple[str, ...], name: str) -> None:
    """Accept `auto` or a class of the network.

    Raises:
        ValueError: The network has no such class; the message lists those that it has.
    """
    if name not in (AUTO, *classes):
        raise ValueError(f"{network} has no class {quoted(name)}. Choose from {', '.join((AUTO, *classes))}.")


@dataclass(frozen=True)
class Segmentation:
    """The scores of one photo and what they say, at the photo's own size or any other.

    Nothing here runs the network again. Scores, not probabilities, are interpolated between the network's resolution
    and the one that is asked for.

    Attributes:
        classes: C names, by index.
        colours: `#rrggbb`, by index.
        image_size: Width and height of the photo, pixels.
        analysis_size: Width and height at which the network saw it, pixels.
        score_map: float32 `[C, h, w]`, the coarse scores as the network makes them.
        scores: float32 `[C, H, W]`, what the photo's pixels are interpolated from: at the analysis size, after the
            network's own upsampling, or the score map itself where that upsampling is plain interpolation.
        extent: Width and height of the photo in cells of `scores`; the last cells may reach beyond it.
        stride: Analysed pixels per cell of the score map.
        precision: The number format of the pass.
        milliseconds: How long each step took, by name, in order.
        has_background: Whether index 0 is the background, which is no object of its own.
    """

    network: str
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    image_size: tuple[int, int]
    analysis_size: tuple[int, int]
    score_map: Tensor
    scores: Tensor
    extent: tuple[float, float]
    stride: int
    device: str
    precision: str
    milliseconds: dict[str, float]
    has_background: bool = True

    def class_map(self, size: tuple[int, int] | None = None) -> np.ndarray:
        """Give the class with the highest score at each pixel, by default of the photo's width and height.

        Returns:
            uint8 `[H, W]`, indices of `classes`; uint16 where these are more than 256.
        """
        if size is None or size == self.image_size:
            return self._summary[0]
        width, height = size
        chosen, competing = self._competing
        result = np.empty((height, width), self._dtype)
        for rows, scores in self._bands(competing, width, height):
            result[rows] = chosen[scores[: len(chosen)].argmax(0)].numpy()
        return result

    def heatmap(self, class_index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """Give one class's probability at each pixel, by default of the photo's size: float32 `[H, W]`, 0 to 1."""
        width, height = size or self.image_size
        few = len(self.classes) <= MANY_CLASSES
        source = self.scores if few else self._beside_rest(torch.tensor([class_index]))
        result = np.empty((height, width), np.float32)
        for rows, scores in self._bands(source, width, height):
            result[rows] = scores.softmax(0)[class_index if few else 0].numpy()
        return result

    def probabilities(self, size: tuple[int, int]) -> Tensor:
        """Give each class's probability on a grid of columns and rows over the photo: float32 `[C, rows, columns]`."""
        return torch.cat([scores.softmax(0) for _, scores in self._bands(self.scores, *size)], 1)

    def probabilities_at(self, x: int, y: int) -> dict[str, float]:
        """Give the probability of each class, by name, at one pixel of the photo.

        Raises:
            ValueError: The pixel lies outside the photo.
        """
        width, height = self.image_size
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"pixel ({x}, {y}) lies outside the photo of {width}×{height}")
        (_, scores) = next(self._bands(self.scores, width, height, range(y, y + 1), range(x, x + 1)))
        return dict(zip(self.classes, scores[:, 0, 0].softmax(0).tolist(), strict=True))

    @property
    def areas(self) -> dict[str, float]:
        """The share of the photo's pixels that each class covers, by name; the shares add up to 1.

        Of a network with many classes, those that cover none are left out.
        """
        counts = self._summary[1]
        shares = dict(zip(self.classes, (counts / counts.sum()).tolist(), strict=True))
        return shares if len(self.classes) <= MANY_CLASSES else {name: share for name, share in shares.items() if share}

    @property
    def confidences(self) -> dict[str, float]:
        """The mean probability of each class over the pixels it covers, by name; 0 where it covers none."""
        _, counts, sums = self._summary
        return dict(zip(self.classes, (sums / counts.clip(min=1)).tolist(), strict=True))

    def class_index(self, name: str) -> int:
        """Look a class up by name; `auto` is the main class.

        Raises:
            ValueError: The network has no such class; the message lists those that it has.
        """
        if name == AUTO:
            return self.main_class
        check_class(self.network, self.classes, name)
        return self.classes.index(name)

    @property
    def main_class(self) -> int:
        """The class that covers most, background aside; where there is only background, the likeliest other one."""
        first = int(self.has_background)
        counts = self._summary[1][first:]
        if counts.any():
            return first + int(counts.argmax())
        return first + int(self._mean_probabilities[first:].argmax())

    def likeliest_classes(self, count: int) -> list[str]:
        """Name the classes of the highest mean probability over the score map, background aside, likeliest first."""
        first = int(self.has_background)
        ranked = self._mean_probabilities[first:].argsort(descending=True)[:count]
        return [self.classes[first + index] for index in ranked.tolist()]

    @property
    def _mean_probabilities(self) -> Tensor:
        return self.score_map.softmax(0).mean((1, 2))

    @property
    def score_size(self) -> tuple[int, int]:
        """Width and height of the score map, cells."""
        return self.score_map.shape[2], self.score_map.shape[1]

    def facts(self) -> dict[str, object]:
        """Say in plain values, ready for JSON, what was found, on what and how fast.

        Returns:
            `network`, `classes`, `areas` (shares of the photo by class name), `image_size`, `analysis_size` and
            `score_size` (each width and height), `device`, `precision` and `milliseconds` by step.
        """
        return {
            "network": self.network,
            "classes": list(self.classes),
            "areas": self.areas,
            "image_size": list(self.image_size),
            "analysis_size": list(self.analysis_size),
            "score_size": list(self.score_size),
            "device": self.device,
            "precision": self.precision,
            "milliseconds": {step: round(value, 2) for step, value in self.milliseconds.items()},
        }

    @cached_property
    def _summary(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Class map at the photo's size, pixels by class and summed probability by class, in one sweep."""
        width, height = self.image_size
        chosen, competing = self._competing
        class_map = np.empty((height, width), self._dtype)
        counts, sums = np.zeros(len(self.classes), np.int64), np.zeros(len(self.classes))
        for rows, scores in self._bands(competing, width, height):
            highest, winner = scores[: len(chosen)].max(0)
            # The highest softmax value, without making the others.
            probability = (highest - scores.logsumexp(0)).exp()
            index = chosen[winner].numpy()
            class_map[rows] = index
            counts += np.bincount(index.ravel(), minlength=len(self.classes))
            sums += np.bincount(index.ravel(), probability.flatten().numpy(), len(self.classes))
        return class_map, counts, sums

    @property
    def _dtype(self) -> type[np.unsignedinteger]:
        return np.uint8 if len(self.classes) <= 256 else np.uint16  # noqa: PLR2004

    @cached_property
    def _competing(self) -> tuple[Tensor, Tensor]:
        """Choose the classes that compete for pixels, and their scores; of many the last stands for all the others."""
        if len(self.classes) <= MANY_CLASSES:
            return torch.arange(len(self.classes)), self.scores
        chosen = self.scores.argmax(0).unique()
        return chosen, self._beside_rest(chosen)

    def _beside_rest(self, chosen: Tensor) -> Tensor:
        """Put the scores of some classes beside one that has the probability of all others: `[K + 1, h, w]`."""
        others = torch.ones(len(self.classes), dtype=torch.bool)
        others[chosen] = False
        return torch.cat((self.scores[chosen], self.scores[others].logsumexp(0, keepdim=True)))

    def _bands(
        self, source: Tensor, width: int, height: int, rows: range | None = None, columns: range | None = None
    ) -> Iterator[tuple[slice, Tensor]]:
        """Interpolate scores bilinearly to a width and height, a band of rows at a time."""
        rows, columns = rows or range(height), columns or range(width)
        left, right, weight = _taps(columns, width, self.extent[0], source.shape[2])
        rows_a_pixel = max(1.0, self.extent[1] / height)
        step = max(1, int(_BAND_NUMBERS / (len(source) * len(columns) * rows_a_pixel)))
        for start in range(rows.start, rows.stop, step):
            band = range(start, min(start + step, rows.stop))
            above, below, share = _taps(band, height, self.extent[1], source.shape[1])
            top = int(above[0])
            cells = source[:, top : int(below[-1]) + 1]
            # Only these rows: at full resolution the scores are the largest thing there is.
            wide = torch.lerp(cells[..., left], cells[..., right], weight)
            yield slice(band.start, band.stop), torch.lerp(wide[:, above - top], wide[:, below - top], share[:, None])


def _taps(positions: range, count: int, extent: float, cells: int) -> tuple[Tensor, Tensor, Tensor]:
    """Find the two cells between which each pixel lies along one side, and its share of the way."""
    centre = (torch.arange(positions.start, positions.stop) + 0.5) * (extent / count) - 0.5
    centre = centre.clamp(0, cells - 1)
    first = centre.long()
    return first, (first + 1).clamp(max=cells - 1), centre - first
