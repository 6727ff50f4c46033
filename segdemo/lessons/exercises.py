"""Tasks that a student answers, and how an answer is checked; every right answer is tested against torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_GROUPED = re.compile(r"(?<=\d)[,’' \u00a0\u202f](?=\d{3}(?!\d))")
_LONGEST_ANSWER = 200  # letters
_CLOSE = 1e-6


@dataclass(frozen=True)
class Task:
    """One question with one right answer.

    Attributes:
        key: Unlike that of any other task.
        question: What is asked.
        answer: The numbers in their order, or the index of the right choice.
        hint: For one who is stuck; does not give the answer away.
        worked: The formula with the numbers filled in, up to the answer.
        choices: What can be chosen; where there are none, numbers are typed.
    """

    key: str
    question: str
    answer: tuple[float, ...]
    hint: str
    worked: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer.

    Attributes:
        right: Whether it is right.
        understood: Whether it holds as many numbers as are asked for; if not, it counts as no attempt.
    """

    right: bool
    understood: bool = True


def read_numbers(text: str, count: int) -> tuple[float, ...]:
    """Read the numbers of a typed answer: "48×32", "[0, 2), [1, 4)" and "2,359,808" are understood.

    Args:
        text: What was typed.
        count: How many numbers are asked for; with one, commas and blanks between groups of three digits are none.
    """
    text = text[:_LONGEST_ANSWER].replace("−", "-")
    if count == 1:
        text = re.sub(r"(?<=\d),(?=\d{1,2}(?!\d))", ".", _GROUPED.sub("", text))  # "1,25" is 1.25 to many
    # "0-2" is from 0 to 2, and not minus two.
    text = re.sub(r"(?<=\d)\s*-\s*(?=\d)", " ", text)
    return tuple(float(number) for number in _NUMBER.findall(text))


def check(task: Task, answer: str | int | None) -> Verdict:
    """Compare an answer with the right one.

    Args:
        task: What was asked.
        answer: What was typed, or the index of the choice.
    """
    if task.choices:
        return Verdict(answer == task.answer[0], understood=answer is not None)
    numbers = read_numbers(str(answer or ""), len(task.answer))
    if len(numbers) != len(task.answer):
        return Verdict(False, understood=False)
    return Verdict(all(abs(given - right) < _CLOSE for given, right in zip(numbers, task.answer, strict=True)))


def find(key: str) -> Task:
    """Look a task up.

    Raises:
        KeyError: There is none.
    """
    return {task.key: task for tasks in TASKS.values() for task in tasks}[key]


def _choice(key: str, question: str, choices: Sequence[str], *, right: int, hint: str, worked: str) -> Task:
    return Task(key, question, (right,), hint, worked, tuple(choices))


TASKS: dict[str, tuple[Task, ...]] = {
    "teach": (
        Task(
            "teach-parameters",
            "The 1×1 conv reads 1,280 channels and scores the background and two classes of yours. How many parameters "
            "does it have, biases included?",
            (3843,),
            "One weight for each pair of a channel and a class, and one bias a class.",
            "1280·3 + 3 = 3,843",
        ),
        Task(
            "teach-cells",
            "A photo is seen at 384×256 pixels, and a cell covers 8×8 of them. How many cells are scored?",
            (1536,),
            "Divide each side by the stride; then multiply.",
            "384/8 · 256/8 = 48·32 = 1,536",
        ),
    ),
    "fc-as-conv": (
        Task(
            "fc-shape",
            "A Linear layer of 512 inputs and 3 outputs becomes a 1×1 conv. Give the four numbers of its shape.",
            (3, 512, 1, 1),
            "torch's order is: channels out, channels in, kernel height, kernel width.",
            "[out, in, k, k] = [3, 512, 1, 1]",
        ),
        Task(
            "fc-parameters",
            "How many parameters do they have, the Linear layer and the conv alike, biases included?",
            (1539,),
            "A weight for each input of each output, and a bias for each output.",
            "512·3 + 3 = 1,539",
        ),
        _choice(
            "fc-bias",
            "The weight is copied and the bias is forgotten: it stays zero. What happens to the scores of a class?",
            (
                "All of them are off by the same number",
                "Those near the border are wrong",
                "Nothing, since softmax takes it away",
            ),
            right=0,
            hint="The bias is added at every cell.",
            worked="score = w·f + b, so without b every cell of the class is off by b; softmax takes away only what "
            "is the same for all classes",
        ),
    ),
    "size-trace": (
        Task(
            "size-conv",
            "A conv with kernel 3, stride 2, padding 1 reads a map of 225×225 cells. How many cells a side come out?",
            (113,),
            "⌊(n + 2·p − k) / s⌋ + 1",
            "⌊(225 + 2·1 − 3) / 2⌋ + 1 = 112 + 1 = 113",
        ),
        Task(
            "size-parameters",
            "A 3×3 conv leads from 64 to 128 channels. How many parameters does it have, biases included?",
            (73856,),
            "Each of the 128 outputs has a kernel of 3×3 for each of the 64 inputs, and a bias.",
            "3·3·64·128 + 128 = 73,728 + 128 = 73,856",
        ),
        Task(
            "size-field",
            "Two 3×3 convs, a 2×2 max pooling of stride 2, one more 3×3 conv: how many pixels a side does a cell see?",
            (10,),
            "Each layer adds (k − 1) times the product of the strides before it.",
            "1 + 2·1 + 2·1 + 1·1 + 2·2 = 10",
        ),
    ),
    "transposed-conv": (
        Task(
            "transposed-size",
            "A transposed conv with kernel 4, stride 2 and padding 1 reads a map of 7×7 cells. How many cells a side "
            "come out?",
            (14,),
            "(n − 1)·s − 2·p + k",
            "(7 − 1)·2 − 2·1 + 4 = 14",
        ),
        Task(
            "transposed-prints",
            "Kernel 4, stride 2: how many prints meet in a cell inside the output?",
            (4,),
            "Along one side, count the prints of width 4 that cover a cell when one starts every 2 cells; both sides "
            "count.",
            "(4/2)·(4/2) = 4",
        ),
        Task(
            "transposed-values",
            "Input [[0, 1], [2, 3]], kernel [[0, 1], [2, 3]], stride 1, no padding: give the nine numbers of the "
            "output, row by row.",
            (0, 0, 1, 0, 4, 6, 4, 12, 9),
            "Lay four prints of 2×2 on a map of 3×3, each the kernel times one input cell, and add up.",
            "0 0 1 / 0 4 6 / 4 12 9; in the middle 0·3 + 1·2 + 2·1 + 3·0 = 4",
        ),
        _choice(
            "transposed-checkerboard",
            "Which kernel and stride leave a checkerboard?",
            ("Kernel 4, stride 2", "Kernel 3, stride 2", "Kernel 6, stride 3"),
            right=1,
            hint="Prints overlap evenly if the stride divides the kernel.",
            worked="3 is no multiple of 2, so inside the map 1 and 2 prints a side take turns",
        ),
    ),
    "adaptive-pooling": (
        Task(
            "adaptive-bins",
            "Seven cells are pooled to four. Give the start and the end of each bin, the end not included.",
            (0, 2, 1, 4, 3, 6, 5, 7),
            "Bin i begins at ⌊i·n/m⌋ and ends before ⌈(i + 1)·n/m⌉.",
            "[⌊0⌋, ⌈1.75⌉) [⌊1.75⌋, ⌈3.5⌉) [⌊3.5⌋, ⌈5.25⌉) [⌊5.25⌋, ⌈7⌉) = [0, 2) [1, 4) [3, 6) [5, 7)",
        ),
        Task(
            "adaptive-average",
            "The cells 1, 2, 3, 4, 5 are averaged to two. Give both values.",
            (2, 4),
            "Both bins hold three cells; the middle one is in both.",
            "[0, 3): (1 + 2 + 3)/3 = 2, and [2, 5): (3 + 4 + 5)/3 = 4",
        ),
        _choice(
            "adaptive-kernel",
            "Which of these does one pooling layer with a fixed kernel and stride do as well?",
            ("7 → 4", "8 → 4", "2 → 3"),
            right=1,
            hint="All bins must be of one length, and equally far apart.",
            worked="8/4 = 2: bins [0, 2) [2, 4) [4, 6) [6, 8), which is kernel 2 and stride 2",
        ),
    ),
    "transfer": (
        _choice(
            "transfer-flag",
            "What does `model.encoder.requires_grad_ = False` do?",
            (
                "It freezes the encoder",
                "It overwrites a method, and the whole model goes on training",
                "It raises an error",
            ),
            right=1,
            hint="`requires_grad_` ends with an underscore: it is a method, to be called.",
            worked="right is `model.encoder.requires_grad_(False)`; the assignment puts False in the method's place",
        ),
        Task(
            "transfer-trainable",
            "Linear(10, 5), then Linear(5, 2); the first is frozen. How many parameters still train?",
            (12,),
            "Only those of the second layer: weights and biases.",
            "5·2 + 2 = 12",
        ),
        _choice(
            "transfer-batch-norm",
            "All parameters of an encoder with BatchNorm are frozen, and the model is in train() mode. Does anything "
            "in the encoder still change?",
            ("No", "Yes, the running mean and variance", "Yes, the weights of the convs"),
            right=1,
            hint="Not everything that BatchNorm keeps is a parameter.",
            worked="running statistics are buffers, updated by every pass in train() mode; encoder.eval() stops that",
        ),
    ),
    "why": (
        Task(
            "why-factor",
            "A score map has 6×8 cells. By which factor is the CAM larger than Grad-CAM of the pooled logit?",
            (48,),
            "The logit is a mean, so the gradient of each cell is the weight over the number of cells.",
            "∂y/∂f = w/(6·8), so the factor is 48",
        ),
        Task(
            "why-sum",
            "At one cell the terms w·f of four channels are 2.5, −1, 0.5 and 0; the bias is −0.75. What is the score?",
            (1.25,),
            "Add up everything, the bias too.",
            "2.5 − 1 + 0.5 + 0 − 0.75 = 1.25",
        ),
    ),
}
"""By lesson."""
