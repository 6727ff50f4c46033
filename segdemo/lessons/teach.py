"""Teach a 1×1 conv a class of your own: a few taps, the frozen features of a VGG, and Newton's method.

Source of the fit: Böhning, "Multinomial logistic regression algorithm", Annals of the Institute of Statistical
Mathematics, 1992; reduced to the span of the taps as in Hastie, Tibshirani, "Efficient quadratic regularization for
expression arrays", Biostatistics, 2004.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.models.network import pad_to_multiple
from segdemo.models.taught import TaughtVGG

BACKGROUND = "background"
MAX_CLASSES = 5
"""That compete, background aside."""
MAX_TAPS = 120
"""Of all classes together: Newton's equations grow with taps times classes."""
RIDGE = 1e-2
"""Weight of the squared weights against the mean loss."""
COLOURS = ("#000000", "#e69f00", "#56b4e9", "#009e73", "#cc79a7", "#f0e442")
"""Of the background and the classes: Okabe and Ito's, which colour-blind people can tell apart."""
_STEPS = 50
_DONE = 1e-9  # of the gradient's largest number


@dataclass(frozen=True)
class Fit:
    """A fitted Linear layer, which is a 1×1 conv as well.

    Attributes:
        weight: float32 `[classes, channels]`.
        bias: float32 `[classes]`.
        loss: What was minimised, at its minimum.
        steps: Of Newton's method.
    """

    weight: Tensor
    bias: Tensor
    loss: float
    steps: int

    def as_conv(self) -> nn.Conv2d:
        """Make a 1×1 conv of it."""
        classes, channels = self.weight.shape
        conv = nn.Conv2d(channels, classes, 1)
        conv.load_state_dict({"weight": self.weight[:, :, None, None], "bias": self.bias})
        return conv

    def rounded(self) -> "Fit":
        """Round the weight to float16, as its file will hold it, so that the file gives the same mask as the page."""
        return replace(self, weight=self.weight.half().float())


def objective(weight: Tensor, bias: Tensor, features: Tensor, labels: Tensor) -> Tensor:
    """Give what `fit` minimises: the mean cross-entropy, and half the ridge times all squared weights and biases.

    The ridge lets there be one minimum, finite even where the taps can be told apart.

    Args:
        weight: `[classes, channels]`.
        bias: `[classes]`.
        features: `[taps, channels]`.
        labels: int64 `[taps]`.
    """
    loss = F.cross_entropy(F.linear(features, weight, bias), labels)
    return loss + RIDGE / 2 * (weight.square().sum() + bias.square().sum())


def fit(features: Tensor, labels: Tensor, num_classes: int) -> Fit:
    """Fit multinomial logistic regression by Newton's method, exactly: the minimum of `objective`.

    The best weight is a sum of the tapped features, so of the channels' many dimensions only those that the taps span
    count: at most as many as there are taps. In these the same problem is solved, and the result turned back.

    Args:
        features: float `[taps, channels]`, at least one tap.
        labels: int64 `[taps]`, below `num_classes`; a class may have none.
        num_classes: Background included.
    """
    # The bias is the weight of one more channel, which is 1 everywhere.
    extended = F.pad(features.double(), (0, 1), value=1.0)
    energies, directions = torch.linalg.eigh(extended @ extended.T)
    kept = energies > energies[-1] * 1e-12
    back = directions[:, kept] / energies[kept].sqrt()
    reduced = directions[:, kept] * energies[kept].sqrt()
    weight, loss, steps = _newton(reduced, labels, num_classes)
    full = (weight @ back.T @ extended).float()
    return Fit(full[:, :-1].contiguous(), full[:, -1].contiguous(), loss, steps)


def _newton(features: Tensor, labels: Tensor, num_classes: int) -> tuple[Tensor, float, int]:
    """Minimise the ridge-regularised cross-entropy of `features @ weight.T`: the weight, the loss, the steps taken."""
    taps, size = features.shape
    wanted = F.one_hot(labels, num_classes).double()
    weight = features.new_zeros(num_classes, size)

    def loss_at(weight: Tensor) -> float:
        return float(objective(weight, weight.new_zeros(num_classes), features, labels))

    loss = loss_at(weight)
    for step in range(_STEPS):
        probabilities = (features @ weight.T).softmax(1)
        gradient = (probabilities - wanted).T @ features / taps + RIDGE * weight
        if gradient.abs().max() < _DONE:
            return weight, loss, step
        # The Hessian of class k against class l: Σ p_k·(δ_kl − p_l)·x·xᵀ.
        curvature = torch.diag_embed(probabilities) - probabilities[:, :, None] * probabilities[:, None]
        blocks = torch.einsum("nkl,ni,nj->kilj", curvature, features, features)
        hessian = blocks.reshape(num_classes * size, -1) / taps
        hessian.diagonal().add_(RIDGE)
        direction = torch.linalg.solve(hessian, gradient.flatten()).view_as(weight)
        length = 1.0
        while (trial := loss_at(weight - length * direction)) > loss and length > _DONE:
            length /= 2
        weight, loss = weight - length * direction, min(trial, loss)
    return weight, loss, _STEPS


@dataclass(frozen=True)
class Tap:
    """A point that someone tapped on a photo: its place as shares of width and height, and its class's index."""

    photo: int
    x: float
    y: float
    label: int


def cell_at(x: float, y: float, extent: tuple[float, float]) -> tuple[int, int]:
    """Find row and column of the cell under a point, given as shares of the photo's width and height.

    `extent` is width and height of the photo in cells; the last ones may reach beyond it.
    """
    sides = ((y, extent[1]), (x, extent[0]))
    row, column = (min(max(int(share * cells), 0), ceil(cells) - 1) for share, cells in sides)
    return row, column


@torch.inference_mode()
def photo_features(network: TaughtVGG, image: Tensor) -> Tensor:
    """Run the frozen stages on a photo: normalised `[3, H, W]` → float32 `[channels, ⌈H/8⌉, ⌈W/8⌉]`."""
    found = network.features(pad_to_multiple(image[None], network.size_multiple))
    return network.crop_map(found, *image.shape[-2:])[0].contiguous()


def tapped(features: Sequence[Tensor], extents: Sequence[tuple[float, float]], taps: Sequence[Tap]) -> Tensor:
    """Collect the features, of each photo `[channels, h, w]`, of the tapped cells: `[taps, channels]`.

    `cell_at` has what extents are, one a photo.
    """
    cells = [(tap.photo, *cell_at(tap.x, tap.y, extents[tap.photo])) for tap in taps]
    return torch.stack([features[photo][:, row, column] for photo, row, column in cells])


def pooled(features: Sequence[Tensor]) -> Tensor:
    """Average each photo's features over its cells, for labels of whole photos: `[photos, channels]`."""
    return torch.stack([each.mean((1, 2)) for each in features])


def install(network: TaughtVGG, fitted: Fit) -> TaughtVGG:
    """Put a fitted layer in the place of a network's 1×1 conv of as many classes."""
    network.score.load_state_dict(fitted.as_conv().state_dict())
    return network


@dataclass(frozen=True)
class Equality:
    """The same weight as a 1×1 conv and as a Linear layer.

    Attributes:
        conv_shape: Of the conv's weight, `[classes, channels, 1, 1]`.
        linear_shape: Of the Linear layer's, `[classes, channels]`.
        cell_difference: Largest difference between the conv's scores at one cell and the Linear layer's answer to it.
        pooled_difference: Largest difference between the mean of the score map and the Linear layer's answer to the
            mean of the features.
    """

    conv_shape: tuple[int, ...]
    linear_shape: tuple[int, ...]
    cell_difference: float
    pooled_difference: float


@torch.inference_mode()
def compare_layers(conv: nn.Conv2d, features: Tensor, row: int, column: int) -> Equality:
    """Use a 1×1 conv's weight as a Linear layer, on one cell and on pooled features, both of `[channels, h, w]`."""
    linear_weight = conv.weight.flatten(1)
    scores = conv(features[None])[0]
    at_cell = F.linear(features[:, row, column], linear_weight, conv.bias)
    of_mean = F.linear(features.mean((1, 2)), linear_weight, conv.bias)
    return Equality(
        tuple(conv.weight.shape),
        tuple(linear_weight.shape),
        float((scores[:, row, column] - at_cell).abs().max()),
        float((scores.mean((1, 2)) - of_mean).abs().max()),
    )
