"""What one person has taught so far: photos, classes, taps, and the 1×1 conv that was fitted to them."""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import torch
import torchvision
from PIL import Image
from torch import Tensor

from segdemo.checkpoints import load, save
from segdemo.checksums import digest
from segdemo.entries import Entry
from segdemo.lessons import teach
from segdemo.lessons.teach import BACKGROUND, COLOURS, MAX_CLASSES, MAX_TAPS, Fit, Tap
from segdemo.metadata import Metadata
from segdemo.models.taught import TaughtVGG
from segdemo.seeing import fit as fit_size
from segdemo.segmentation import Segmentation

ARCHITECTURE = "taught_vgg"
ANALYSIS_SIZE = 384
"""Pixels, the longer side: 48 cells of stride 8."""
MAX_PHOTOS = 6
_LONGEST_NAME = 30  # letters
_QUALITY = 92  # of the JPEGs


@dataclass(frozen=True)
class Photo:
    """A photo that is taught on.

    Attributes:
        key: Of its file; two photos with one key are the same.
        image: Upright RGB, as large as the page shows it: what the file holds.
        file: A JPEG, for the visitor's browser to keep.
    """

    key: str
    image: Image.Image = field(compare=False, repr=False)
    file: bytes = field(compare=False, repr=False)

    @classmethod
    def of(cls, image: Image.Image) -> "Photo":
        """Take an image as its JPEG has it, so that a photo that was kept gives the same features."""
        written = io.BytesIO()
        image.save(written, "JPEG", quality=_QUALITY, subsampling=0)
        return cls.of_file(written.getvalue(), Image.open(written).convert("RGB"))

    @classmethod
    def of_file(cls, file: bytes, image: Image.Image) -> "Photo":
        """Take a JPEG that `of` wrote, and the image that it holds."""
        return cls(sha256(file).hexdigest(), image, file)

    @property
    def analysis_size(self) -> tuple[int, int]:
        """Width and height at which the network sees it."""
        return fit_size(self.image.size, ANALYSIS_SIZE)

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in cells."""
        width, height = self.analysis_size
        return width / TaughtVGG.stride, height / TaughtVGG.stride


Features = Callable[[Photo], Tensor]
"""Gives a photo's features, `[channels, h, w]`."""


@dataclass(frozen=True)
class Teaching:
    """What was taught; each method gives a new one.

    Attributes:
        classes: Names by index, the background first.
        photos: In the order in which they came.
        shown: Index of the photo that is looked at.
        taps: In the order in which they were made.
        marks: By photo, the class that the whole photo shows: 0 for none of them, None where nobody said.
        whole_photos: Whether the marks teach, and not the taps.
        layer: What was fitted, or came from a file.
        has_begun: Whether anything was done since the page opened.
    """

    classes: tuple[str, ...] = (BACKGROUND, "animal")
    photos: tuple[Photo, ...] = ()
    shown: int = 0
    taps: tuple[Tap, ...] = ()
    marks: tuple[int | None, ...] = ()
    whole_photos: bool = False
    layer: Fit | None = None
    has_begun: bool = False

    @property
    def photo(self) -> Photo:
        """The photo that is looked at."""
        return self.photos[self.shown]

    @property
    def colours(self) -> tuple[str, ...]:
        """`#rrggbb`, by index."""
        return COLOURS[: len(self.classes)]

    @property
    def examples(self) -> int:
        """Taps or marked photos, whichever teach."""
        return sum(mark is not None for mark in self.marks) if self.whole_photos else len(self.taps)

    def with_photo(self, photo: Photo) -> "Teaching":
        """Show a photo; a new one is added.

        Raises:
            ValueError: There are as many as there may be.
        """
        if photo in self.photos:
            return replace(self, shown=self.photos.index(photo))
        if len(self.photos) == MAX_PHOTOS:
            raise ValueError(f"There are {MAX_PHOTOS} photos, the most that can be taught on. Start over for others.")
        return replace(self, photos=(*self.photos, photo), shown=len(self.photos), marks=(*self.marks, None))

    def named(self, text: str) -> "Teaching":
        """Name the classes, separated by commas; what taught one that is gone is forgotten.

        Raises:
            ValueError: There are none or too many, or a name is too long, there twice, or that of the background.
        """
        names = [name for part in re.split(r"[,，、\n]", text) if (name := " ".join(part.split()))]
        if not 0 < len(names) <= MAX_CLASSES:
            raise ValueError(f"Name one class to {MAX_CLASSES}, separated by commas.")
        if len({name.casefold() for name in (BACKGROUND, *names)}) <= len(names):
            raise ValueError(f"Each class needs a name of its own, and “{BACKGROUND}” is taken.")
        if max(map(len, names)) > _LONGEST_NAME:
            raise ValueError(f"A class's name has at most {_LONGEST_NAME} letters.")
        count = len(names) + 1
        taps = tuple(tap for tap in self.taps if tap.label < count)
        marks = tuple(mark if mark is None or mark < count else None for mark in self.marks)
        same = count == len(self.classes) and taps == self.taps
        return replace(self, classes=(BACKGROUND, *names), taps=taps, marks=marks, layer=self.layer if same else None)

    def tapped(self, x: float, y: float, label: int) -> "Teaching":
        """Add a tap on the photo that is looked at, its place as shares of width and height.

        Raises:
            ValueError: There are as many taps as there may be.
        """
        if len(self.taps) == MAX_TAPS:
            raise ValueError(f"There are {MAX_TAPS} taps, the most that are fitted. Undo some, or clear them.")
        tap = Tap(self.shown, x, y, min(label, len(self.classes) - 1))
        return replace(self, taps=(*self.taps, tap), whole_photos=False)

    def undone(self) -> "Teaching":
        """Take the last tap back, and look at its photo."""
        if not self.taps:
            return self
        return replace(self, taps=self.taps[:-1], shown=self.taps[-1].photo)

    def cleared(self) -> "Teaching":
        """Forget all taps and marks, and what was fitted."""
        return replace(self, taps=(), marks=(None,) * len(self.photos), layer=None)

    def marked(self, label: int | None) -> "Teaching":
        """Say what the whole photo shows that is looked at."""
        marks = tuple(label if index == self.shown else mark for index, mark in enumerate(self.marks))
        return replace(self, marks=marks, whole_photos=True)

    def fitted(self, features: Features) -> "Teaching":
        """Fit the 1×1 conv to all taps, or to the pooled features of the marked photos.

        With none of them there is no layer, unless one came from a file.
        """
        if not self.examples:
            return replace(self, layer=self.layer if self.layer and not self.layer.steps else None)
        if self.whole_photos:
            chosen = [(photo, mark) for photo, mark in zip(self.photos, self.marks, strict=True) if mark is not None]
            found = teach.pooled([features(photo) for photo, _ in chosen])
            labels = [mark for _, mark in chosen]
        else:
            used = {tap.photo for tap in self.taps}
            maps = [features(photo) if i in used else torch.empty(0) for i, photo in enumerate(self.photos)]
            found = teach.tapped(maps, [photo.extent for photo in self.photos], self.taps)
            labels = [tap.label for tap in self.taps]
        layer = teach.fit(found, torch.tensor(labels), len(self.classes))
        return replace(self, layer=layer.rounded())

    def segmentation(self, features: Features) -> Segmentation:
        """Segment the photo that is looked at by what was taught; `layer` must be there."""
        assert self.layer is not None
        scores = torch.einsum("kc,chw->khw", self.layer.weight, features(self.photo))
        scores = scores + self.layer.bias.view(-1, 1, 1)
        return Segmentation(
            network=ARCHITECTURE,
            classes=self.classes,
            colours=self.colours,
            image_size=self.photo.image.size,
            analysis_size=self.photo.analysis_size,
            score_map=scores,
            scores=scores,
            extent=self.photo.extent,
            stride=TaughtVGG.stride,
            device="cpu",
            precision="float32",
            milliseconds={},
        )

    def save(self, path: Path, network: TaughtVGG, trunk: Entry) -> None:
        """Write what was taught as a checkpoint, which refers to its trunk's by name and sha256; `layer` must be there.

        Args:
            path: Ends in `.safetensors`.
            network: Any on the trunk's stages, with as many classes; its 1×1 conv is overwritten.
            trunk: The bundled network whose stages gave the features.
        """
        assert self.layer is not None
        known = trunk.metadata
        metadata = Metadata(
            architecture=ARCHITECTURE,
            arguments={"backbone": known.arguments["backbone"], "num_classes": len(self.classes)},
            classes=self.classes,
            colours=self.colours,
            mean=known.mean,
            std=known.std,
            analysis_size=ANALYSIS_SIZE,
            dataset=f"{self.examples} {'marked photos' if self.whole_photos else 'taps'}",
            recipe={"name": "Newton's method", "ridge": teach.RIDGE},
            versions={"torch": torch.__version__, "torchvision": torchvision.__version__},
            trunk=trunk.file,
            trunk_sha256=digest(trunk.path),
        )
        save(path, teach.install(network, self.layer), metadata)

    def opened(self, path: Path) -> "Teaching":
        """Take what a file was taught in the place of what was taught here; the photos stay.

        Raises:
            CheckpointError: It is no checkpoint, or made on another trunk.
            ValueError: It is one, but not of a taught network.
        """
        network, metadata = load(path)
        if not isinstance(network, TaughtVGG) or not metadata.has_background:
            raise ValueError(f"{path.name} is a checkpoint of another kind: open it on the Segment tab.")
        layer = network.score.state_dict()
        return replace(
            self.cleared(), classes=metadata.classes, layer=Fit(layer["weight"].flatten(1), layer["bias"], 0.0, 0)
        )
