"""What a network made of one photo: the scores it gave, and everything that follows from them on demand."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

AUTO = "auto"
"""Stands for the class that covers most, background aside."""

# Scores at the photo's size are made in bands of rows of about this many numbers (16 MB), never as a whole.
_BAND_NUMBERS = 1 << 22


def check_class(network: str, classes: tuple[str, ...], name: str) -> None:
    """Accept `auto` or a class of the network.

    Raises:
        ValueError: The network has no such class; the message lists those that it has.
    """
    if name not in (AUTO, *classes):
        raise ValueError(f"{network} has no class {name!r}. Choose from {', '.join((AUTO, *classes))}.")


@dataclass(frozen=True)
class Segmentation:
    """The scores of one photo and what they say, at the photo's own size or any other.

    Nothing here runs the network again. Scores, not probabilities, are interpolated between the network's resolution
    and the one that is asked for.

    Attributes:
        network: The network's name.
        classes: C names, by index; index 0 is the background.
        colours: `#rrggbb`, by index.
        image_size: Width and height of the photo, pixels.
        analysis_size: Width and height at which the network saw it, pixels.
        score_map: float32 `[C, h, w]`, the coarse scores as the network makes them.
        scores: float32 `[C, H, W]` at the analysis size, after the network's own upsampling.
        stride: Analysed pixels per cell of the score map.
        device: What it ran on.
        precision: The number format of the pass.
        milliseconds: How long each step took, by name, in order.
    """

    network: str
    classes: tuple[str, ...]
    colours: tuple[str, ...]
    image_size: tuple[int, int]
    analysis_size: tuple[int, int]
    score_map: Tensor
    scores: Tensor
    stride: int
    device: str
    precision: str
    milliseconds: dict[str, float]

    def class_map(self, size: tuple[int, int] | None = None) -> np.ndarray:
        """Give the class with the highest score at each pixel.

        Args:
            size: Width and height, by default the photo's.

        Returns:
            uint8 `[H, W]`, indices of `classes`.
        """
        if size is None or size == self.image_size:
            return self._summary[0]
        width, height = size
        result = np.empty((height, width), np.uint8)
        for rows, scores in self._bands(width, height):
            result[rows] = scores.argmax(0).to(torch.uint8).numpy()
        return result

    def heatmap(self, class_index: int, size: tuple[int, int] | None = None) -> np.ndarray:
        """Give one class's probability at each pixel.

        Args:
            class_index: Of `classes`.
            size: Width and height, by default the photo's.

        Returns:
            float32 `[H, W]`, 0 to 1.
        """
        width, height = size or self.image_size
        result = np.empty((height, width), np.float32)
        for rows, scores in self._bands(width, height):
            result[rows] = scores.softmax(0)[class_index].numpy()
        return result

    def probabilities_at(self, x: int, y: int) -> dict[str, float]:
        """Give the probability of each class at one pixel of the photo.

        Args:
            x: Column, 0 to width - 1.
            y: Row, 0 to height - 1.

        Returns:
            Probabilities by class name; they add up to 1.

        Raises:
            ValueError: The pixel lies outside the photo.
        """
        width, height = self.image_size
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(f"pixel ({x}, {y}) lies outside the photo of {width}×{height}")
        (_, scores) = next(self._bands(width, height, rows=range(y, y + 1)))
        return dict(zip(self.classes, scores[:, 0, x].softmax(0).tolist(), strict=True))

    @property
    def areas(self) -> dict[str, float]:
        """The share of the photo's pixels that each class covers, by name; the shares add up to 1."""
        counts = self._summary[1]
        return dict(zip(self.classes, (counts / counts.sum()).tolist(), strict=True))

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
        counts = self._summary[1][1:]
        if counts.any():
            return 1 + int(counts.argmax())
        return 1 + int(self.scores.softmax(0)[1:].mean((1, 2)).argmax())

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
        class_map = np.empty((height, width), np.uint8)
        counts, sums = np.zeros(len(self.classes), np.int64), np.zeros(len(self.classes))
        for rows, scores in self._bands(width, height):
            highest, index = scores.max(0)
            # The highest softmax value, without making the others.
            probability = (highest - scores.logsumexp(0)).exp()
            class_map[rows] = index.to(torch.uint8).numpy()
            flat = index.flatten().numpy()
            counts += np.bincount(flat, minlength=len(self.classes))
            sums += np.bincount(flat, probability.flatten().numpy(), len(self.classes))
        return class_map, counts, sums

    def _bands(self, width: int, height: int, rows: range | None = None) -> Iterator[tuple[slice, Tensor]]:
        """Interpolate the scores bilinearly, a band of rows at a time: slices of rows and `[C, rows, width]`."""
        source_height = self.scores.shape[1]
        wide = F.interpolate(self.scores[None], (source_height, width), mode="bilinear")[0]
        rows = rows or range(height)
        step = max(1, _BAND_NUMBERS // (len(self.classes) * width))
        for start in range(rows.start, rows.stop, step):
            band = torch.arange(start, min(start + step, rows.stop))
            position = ((band + 0.5) * source_height / height - 0.5).clamp(0, source_height - 1)
            above = position.long()
            below = (above + 1).clamp(max=source_height - 1)
            weight = (position - above)[:, None]
            yield slice(start, start + len(band)), torch.lerp(wide[:, above], wide[:, below], weight)
