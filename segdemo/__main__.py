"""The command line: `python -m segdemo app | models | predict | train | evaluate | export | bench | sums`."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType
from typing import TypeVar

from segdemo.analysis import Style
from segdemo.commands import BAD_INPUT, app, bench, export, models, predict, sums
from segdemo.render import HEAT_COLORMAPS
from segdemo.safe_files import explain, printable
from segdemo.seeing import FULL
from segdemo.segmentation import AUTO
from segdemo.training.command import evaluate, train
from segdemo.training.datasets import KNOWN, SPLITS
from segdemo.training.recipes import RECIPES
from segdemo.training.start import RANDOM

_Number = TypeVar("_Number", int, float)
_LARGEST_SEED = 2**32 - 1  # that every library takes
STOPPED = 130  # as a shell says of Ctrl+C
_AFTER_STOP = {
    "predict": "The same command goes on with the photos that are not done.",
    "train": "What was saved last is kept: go on with --resume.",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Those behind `python -m segdemo`, by default the process's own.

    Returns:
        The exit code: 0, 2 with one line on standard error for bad input, or 130 where Ctrl+C stopped it.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no × must not end a command.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except BrokenPipeError:  # of who reads the output, such as `head`; nobody is there to be told
        _close_output()
        return STOPPED
    except OSError as error:
        problem, code = explain(error), BAD_INPUT
    except ValueError as error:
        problem, code = str(error), BAD_INPUT
    except KeyboardInterrupt:
        problem, code = f"stopped. {_AFTER_STOP.get(options.command, 'Nothing is left half done.')}", STOPPED
    print(f"segdemo {options.command}: {printable(problem)}", file=sys.stderr)
    return code


def _close_output() -> None:
    """Let nothing be written to a reader that has gone when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="segdemo", description="How an image classifier becomes a segmenter.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(run: FunctionType) -> argparse.ArgumentParser:
        text = run.__doc__ or ""
        added = commands.add_parser(run.__name__, help=text, description=text)
        added.set_defaults(run=run)
        return added

    command(app)
    listing = command(models)
    listing.add_argument("--json", action="store_true", help="for programs")

    prediction = command(predict)
    prediction.add_argument("photos", nargs="*", type=Path, metavar="PHOTO", help="photos or folders")
    prediction.add_argument("--list", type=Path, metavar="FILE", help="a text file of paths, one a line")
    prediction.add_argument(
        "--model",
        default="fcn8s_vgg16",
        metavar="NAME",
        help="a network of `segdemo models`, or a checkpoint (default: fcn8s_vgg16)",
    )
    prediction.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="default: out")
    prediction.add_argument("--engine", choices=("here", "ray"), default="here", help="ray: many cores, GPUs, machines")
    prediction.add_argument("--workers", type=_count, metavar="N", help="with ray (default: one a GPU or core)")
    prediction.add_argument("--class", dest="heatmap_class", default=AUTO, help="of the heatmap (default: auto)")
    _add_look(prediction)
    prediction.add_argument("--opacity", type=_share, default=Style.opacity, help="of the overlay, 0 to 1")
    prediction.add_argument("--colormap", choices=HEAT_COLORMAPS, default=Style.colormap)
    _add_device(prediction)

    training = command(train)
    training.add_argument("recipe", metavar="RECIPE", help=" or ".join(RECIPES))
    _add_data(training)
    training.add_argument("--out", type=Path, default=Path("runs"), metavar="DIR", help="default: runs")
    training.add_argument("--resume", action="store_true", help="go on where the run stopped")
    training.add_argument("--max-minutes", type=_minutes, default=float("inf"), metavar="M", help="stop soon after")
    training.add_argument("--seed", type=_seed, default=0, help=f"0 to {_LARGEST_SEED} (default: 0)")
    training.add_argument(
        "--init", default=RANDOM, metavar="START", help="random, imagenet, a file of VGG16's features, or a checkpoint"
    )
    training.add_argument("--steps", type=_count, metavar="N", help="of each phase, for a folder of your own")
    _add_device(training)

    measuring = command(evaluate)
    measuring.add_argument("networks", nargs="*", metavar="NAME")
    measuring.add_argument("--dataset", choices=tuple(KNOWN), help="default: the first that the network was trained on")
    measuring.add_argument("--all", action="store_true", help="every network of the catalog")
    _add_data(measuring)
    measuring.add_argument("--split", choices=SPLITS, default="test")
    _add_look(measuring)
    measuring.add_argument("--json", action="store_true", help="for programs")
    measuring.add_argument("--write", action="store_true", help="put the table in the two READMEs")
    _add_device(measuring)

    speed = command(bench)
    speed.add_argument("figures", nargs="*", metavar="FIGURE", help="those to measure (default: all)")
    speed.add_argument("--quick", action="store_true", help="fewer runs, photos of up to 4 megapixels")
    speed.add_argument(
        "--data", type=Path, metavar="DIR", help="the folder of oxford-iiit-pet/, to compare precisions on"
    )
    speed.add_argument("--json", action="store_true", help="for programs")
    _add_device(speed)

    _add_export(command(export))
    command(sums)
    return parser


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("network", metavar="NAME", help="a network of `python -m segdemo models`, or a checkpoint")
    parser.add_argument("--format", choices=("onnx", "torch"), default="onnx", help="default: onnx")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: NAME.onnx or NAME.pt2, here")


def _add_look(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--analysis-size",
        type=_analysis_size,
        metavar="PX",
        help="longer side that the network sees, or `full` for the photo's own",
    )
    parser.add_argument("--best-quality", action="store_true", help="average over three sizes and mirroring")
    parser.add_argument("--refine-edges", action="store_true", help="move edges to those of the photo")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="the folder of the data sets, or one of your own with images/, masks/ and classes.txt",
    )
    parser.add_argument("--download", action="store_true", help="fetch the pets' data set if it is not there (800 MB)")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cuda, mps or cpu (default: auto)")


def _analysis_size(text: str) -> int | str:
    if text == FULL:
        return FULL
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is neither a number of pixels nor `{FULL}`") from None


def _number(kind: Callable[[str], _Number], least: _Number, most: _Number, wanted: str) -> Callable[[str], _Number]:
    def read(text: str) -> _Number:
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:  # not so either for what is no number
            raise argparse.ArgumentTypeError(f"{printable(text)} is not {wanted}")
        return value

    return read


_share = _number(float, 0, 1, "a number between 0 and 1")
_minutes = _number(float, 0, float("inf"), "a number of minutes, 0 or more")
_seed = _number(int, 0, _LARGEST_SEED, f"a whole number from 0 to {_LARGEST_SEED}")
_count = _number(int, 1, sys.maxsize, "a whole number, 1 or more")


if __name__ == "__main__":
    sys.exit(main())
