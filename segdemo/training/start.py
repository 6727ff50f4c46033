"""Where a training run starts from: random weights, torchvision's, or those of a checkpoint."""

from hashlib import sha256
from pathlib import Path

from segdemo.checkpoints import load_tensors
from segdemo.training.tasks import Task

RANDOM, IMAGENET = "random", "imagenet"


def torchvision_weights(init: str) -> str | None:
    """Translate a start to torchvision's name of weights."""
    return "DEFAULT" if init == IMAGENET else None


def transfer(task: Task, path: Path) -> str:
    """Copy every weight of a checkpoint that has its place, by name and shape, in the network to be trained.

    Args:
        task: Its network is changed.
        path: A checkpoint of any architecture.

    Returns:
        One sentence for the log and the card: which file it was, how it was made and how much of it was taken.

    Raises:
        CheckpointError: The file is missing or damaged.
        ValueError: Nothing in it fits.
    """
    metadata, tensors = load_tensors(path)
    places = task.network.state_dict()
    fitting = {k: v for k, v in task.adapt(tensors).items() if k in places and places[k].shape == v.shape}
    if not fitting:
        raise ValueError(f"nothing in {path.name} fits the network of recipe {task.recipe.name}")
    task.network.load_state_dict(fitting, strict=False)
    before = metadata.recipe.get("start", RANDOM)
    fingerprint = sha256(path.read_bytes()).hexdigest()[:12]
    return (
        f"{len(fitting)} of {len(places)} tensors from {path.name} (sha256 {fingerprint}: "
        f"{metadata.epochs} epochs in {metadata.minutes:.0f} minutes from {before})"
    )
