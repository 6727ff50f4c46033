"""What a student of VGG16 starts from: stages that imitate its, and a Linear layer behind its features."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segdemo.training.datasets import IGNORE

_PHOTOS = 16  # at a time
_CELLS = 256  # of a photo's map at most, drawn at random
_ROUNDS, _DECAY = 200, 1e-3  # of the logistic regression, and of its squared weights
_RIDGE = 1e-3  # of the squared inputs' mean


@torch.no_grad()
def imitate_(student: Sequence[nn.Module], teacher: Sequence[nn.Module], images: Tensor) -> None:
    """Start a student's stages so that each gives about what the teacher's gives, in place.

    A stage's convs but the last are copies of the teacher's first ones. The last takes the place of all that follow in
    the teacher: it is fitted by ridge regression to what the teacher's last conv gives before its ReLU. Each BatchNorm
    changes nothing at first. Source of the aim: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015.

    Args:
        student: Stages of conv, BatchNorm and ReLU, each with as many channels as the teacher's.
        teacher: Stages of conv and ReLU.
        images: `[N, 3, H, W]`, normalised.
    """
    ours = theirs = images
    for mine, other in zip(student, teacher, strict=True):
        layers, others = list(mine.children()), list(other.children())
        last, theirs_last = _last_conv(layers), _last_conv(others)
        examples = [layer for layer in others if isinstance(layer, nn.Conv2d)]
        wanted = _in_turns(nn.Sequential(*others[: theirs_last + 1]), theirs)
        for i, layer in enumerate(layers):
            if isinstance(layer, nn.Conv2d):
                if i == last:
                    _fit_(layer, ours, wanted)
                else:
                    layer.load_state_dict(examples.pop(0).state_dict())
            elif isinstance(layer, nn.BatchNorm2d):
                be_identity_(layer, ours)
            ours = _in_turns(layer.eval(), ours)
        theirs = _in_turns(nn.Sequential(*others[theirs_last + 1 :]), wanted)


def _last_conv(layers: Sequence[nn.Module]) -> int:
    return max(i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d))


def _in_turns(layers: nn.Module, values: Tensor) -> Tensor:
    return torch.cat([layers(some) for some in values.split(_PHOTOS)])


def _fit_(conv: nn.Conv2d, values: Tensor, wanted: Tensor) -> None:
    """Solve for the conv of 3×3 whose output is nearest to what is wanted."""
    size = conv.weight[0].numel() + 1
    gram, product = torch.zeros(size, size), torch.zeros(size, len(conv.weight))
    for some, goal in zip(values.split(_PHOTOS), wanted.split(_PHOTOS), strict=True):
        cells = torch.randperm(goal[0, 0].numel())[:_CELLS]
        patches = F.unfold(some, 3, padding=1)[..., cells].transpose(1, 2).flatten(0, 1)
        patches = torch.cat((patches, torch.ones(len(patches), 1)), 1)
        gram += patches.T @ patches
        product += patches.T @ goal.flatten(2)[..., cells].transpose(1, 2).flatten(0, 1)
    gram += _RIDGE * gram.diagonal().mean() * torch.eye(size)
    solution = torch.linalg.solve(gram, product)
    conv.load_state_dict({"weight": solution[:-1].T.reshape_as(conv.weight), "bias": solution[-1]})


def be_identity_(norm: nn.BatchNorm2d, values: Tensor) -> None:
    """Let a BatchNorm change nothing in `eval` mode, with the statistics of what it gets, `[N, C, H, W]`."""
    variance, mean = torch.var_mean(values, (0, 2, 3))
    scale = {"weight": (variance + norm.eps).sqrt(), "bias": mean}
    norm.load_state_dict({"running_mean": mean, "running_var": variance, **scale}, strict=False)


def fit_linear_(linear: nn.Linear, features: Tensor, targets: Tensor) -> None:
    """Fit a Linear layer to tell classes apart by features, in place: multinomial logistic regression.

    Features are `[N, F]`, targets int64 `[N]`, of which 255 is left out.
    """
    optimizer = torch.optim.LBFGS(linear.parameters(), max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def step() -> Tensor:
        optimizer.zero_grad()
        penalty = _DECAY * linear.weight.square().sum()
        loss = F.cross_entropy(linear(features), targets, ignore_index=IGNORE) + penalty
        loss.backward()
        return loss

    with torch.enable_grad():
        optimizer.step(step)
