"""Why a network says what it says at one cell: where it looks, which channels speak, what is lost when part is hidden.

Sources: Luo, Li, Urtasun, Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
NeurIPS 2016; Zhou, Khosla, Lapedriza, Oliva, Torralba, "Learning Deep Features for Discriminative Localization", CVPR
2016 (CAM); Selvaraju et al., "Grad-CAM", ICCV 2017; Zeiler, Fergus, "Visualizing and Understanding Convolutional
Networks", ECCV 2014 (occlusion).
"""

from dataclasses import dataclass
from functools import cached_property
from math import lcm

import torch
from torch import Tensor, nn

from segdemo.lessons.skip_shares import SOURCES, alone
from segdemo.models import SegmentationNetwork
from segdemo.models.fcn import FCN
from segdemo.models.network import pad_to_multiple
from segdemo.models.receptive_field import receptive_field


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels; the right column and the bottom row are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.right - self.left, self.bottom - self.top

    def clipped(self, width: int, height: int) -> "Box":
        """Give the part that lies on an image."""
        return Box(max(self.left, 0), max(self.top, 0), min(self.right, width), min(self.bottom, height))


@dataclass(frozen=True)
class Asked:
    """The score that is asked about, at one cell of the score map.

    Attributes:
        network: In `eval` mode; no other thread may use it meanwhile.
        image: Normalised, `[3, H, W]`.
        class_index: Whose score.
        row: Of the cell.
        column: Of the cell.
    """

    network: SegmentationNetwork
    image: Tensor
    class_index: int
    row: int = 0
    column: int = 0

    @cached_property
    def last(self) -> tuple[nn.Conv2d, Tensor, Tensor]:
        """The network's last 1×1 conv, what it reads, `[channels, h, w]`, and scores, `[C, h, w]`; of one pass."""
        with torch.inference_mode(False), torch.no_grad():
            return _last_features(self.network, self.image)

    def score_in(self, score_map: Tensor) -> Tensor:
        """Find it in a score map `[N, C, h, w]`."""
        return score_map[0, self.class_index, self.row, self.column]


def theoretical_field(asked: Asked) -> Box:
    """Give the pixels of the analysed image on which the scores of the cell can depend.

    The box may reach beyond the image. Of an FCN with skips it is that of the longest path.
    """
    network = asked.network
    before, after = receptive_field(network, network.score_map, lcm(network.size_multiple, network.stride))
    top, left = asked.row * network.stride, asked.column * network.stride
    return Box(left - before, top - before, left + after + 1, top + after + 1)


def effective_field(asked: Asked) -> Tensor:
    """Measure how much each pixel moves the score: the gradient's size, its colours added up, float32 `[H, W]`."""
    with torch.enable_grad():
        pixels = asked.image.detach().clone().requires_grad_()
        score = asked.score_in(asked.network.padded_score_map(pixels[None]))
        (gradient,) = torch.autograd.grad(score, pixels)
    return gradient.abs().sum(0)


def share_box(field: Tensor, share: float) -> Box:
    """Find the smallest square round the centre of mass of a field, `[H, W]`, that holds a share, 0 to 1, of it."""
    height, width = field.shape
    total = field.sum().clamp_min(torch.finfo(field.dtype).tiny)
    rows, columns = torch.arange(height), torch.arange(width)
    y = int((field.sum(1) * rows).sum() / total)
    x = int((field.sum(0) * columns).sum() / total)
    distance = torch.maximum((rows - y).abs()[:, None], (columns - x).abs()[None])
    within = torch.zeros(max(height, width) + 1).index_add_(0, distance.flatten(), field.flatten()).cumsum(0)
    radius = int((within >= share * within[-1]).nonzero()[0])
    return Box(x - radius, y - radius, x + radius + 1, y + radius + 1)


@dataclass(frozen=True)
class Contributions:
    """One score taken apart into what each channel adds.

    Attributes:
        terms: float32 `[channels]`, `w_k · f_k` at the cell.
        maps: float32 `[channels, h, w]`, the features `f`.
        bias: Of the class.
        score: What the network says.
    """

    terms: Tensor
    maps: Tensor
    bias: float
    score: float

    @property
    def total(self) -> float:
        """All terms and the bias."""
        return float(self.terms.double().sum()) + self.bias

    def largest(self, count: int) -> list[int]:
        """Give the channels that say most for the class or against it, most first."""
        return self.terms.abs().topk(min(count, len(self.terms))).indices.tolist()


@torch.inference_mode()
def contributions(asked: Asked) -> Contributions:
    """Take the score of a network with one score layer apart: `score = Σ w_k · f_k + b`."""
    layer, features, scores = asked.last
    terms = layer.weight[asked.class_index, :, 0, 0] * features[:, asked.row, asked.column]
    bias = layer.get_parameter("bias")[asked.class_index]
    return Contributions(terms, features, float(bias), float(asked.score_in(scores[None])))


@dataclass(frozen=True)
class PathShares:
    """What the network says, and one score of an FCN by path: fc7, and the skips that its output adds."""

    parts: dict[str, float]
    score: float


@torch.inference_mode()
def path_shares(asked: Asked) -> PathShares:
    """Take the score of an FCN apart; the biases of the score layers are in their paths."""
    network = asked.network
    assert isinstance(network, FCN)
    separate = network.separate_scores(pad_to_multiple(asked.image[None], network.size_multiple))

    def at_cell(maps: dict[int, Tensor]) -> float:
        return float(asked.score_in(network.add_up(maps)[network.stride]))

    used = {source: stride for source, stride in SOURCES.items() if stride >= network.stride}
    return PathShares({source: at_cell(alone(separate, stride)) for source, stride in used.items()}, at_cell(separate))


@dataclass(frozen=True)
class GradCam:
    """Grad-CAM beside the class activation map.

    Attributes:
        cam: float32 `[h, w]`, the score map minus the bias: `Σ w_k · f_k` at each cell.
        grad_cam: float32 `[h, w]`, before its ReLU: the features weighted by the mean gradient of the pooled logit.
        factor: By which the first is larger: the number of cells.
        difference: The largest between the first and the second times the factor.
    """

    cam: Tensor
    grad_cam: Tensor
    factor: int
    difference: float


def grad_cam(asked: Asked) -> GradCam:
    """Compute Grad-CAM by backprop from the class's pooled logit, and compare it with the CAM.

    For global average pooling and one Linear layer the gradient for each cell of channel k is `w_k / cells`, so both
    are one map up to that factor. The network has one score layer.
    """
    class_index = asked.class_index
    layer, features, scores = asked.last
    with torch.enable_grad():
        leaf = features.detach()[None].requires_grad_()
        logit = layer(leaf).mean((2, 3))[0, class_index]
        (gradient,) = torch.autograd.grad(logit, leaf)
    found = torch.einsum("k,khw->hw", gradient[0].mean((1, 2)), features)
    cam = scores[class_index] - layer.get_parameter("bias")[class_index].detach()
    return GradCam(cam, found, cam.numel(), float((cam - found * cam.numel()).abs().max()))


def occlude(image: Tensor, square: Box) -> Tensor:
    """Lay a square of the mean colour, a grey, over a copy of a normalised image, `[3, H, W]`.

    The square may reach beyond the image.
    """
    box = square.clipped(image.shape[2], image.shape[1])
    hidden = image.clone()
    hidden[:, box.top : box.bottom, box.left : box.right] = 0
    return hidden


@torch.inference_mode()
def score(asked: Asked) -> float:
    """Give the score itself."""
    if asked.network.score_layer is not None:
        return float(asked.score_in(asked.last[2][None]))
    return float(asked.score_in(asked.network.padded_score_map(asked.image[None])))


def _last_features(network: SegmentationNetwork, image: Tensor) -> tuple[nn.Conv2d, Tensor, Tensor]:
    """Run a network on one image: its last 1×1 conv, what that reads, `[channels, h, w]`, and scores, `[C, h, w]`."""
    layer = network.score_layer
    assert layer is not None
    read: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    try:
        scores = network.score_map(pad_to_multiple(image[None], network.size_multiple))
    finally:
        hook.remove()
    height, width = image.shape[1:]
    return layer, network.crop_map(read[0], height, width)[0], network.crop_map(scores, height, width)[0]
