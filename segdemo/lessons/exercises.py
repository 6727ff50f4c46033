"""Tasks that a student answers, and how an answer is checked; every right answer is tested against torch."""

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_GROUPED = re.compile(r"(?<=\d)[,’' \u00a0\u202f](?=\d{3}(?!\d))")
_LONGEST_ANSWER = 200  # letters
_CLOSE = 1e-6


@dataclass(frozen=True)
class Task:
    """One question with one right answer.

    Attributes:
        key: Unlike that of any other task; the page has the question, the hint and the worked formula by it.
        answer: The numbers in their order, or the index of the right choice.
        choices: How many there are to choose from; where there are none, numbers are typed.
    """

    key: str
    answer: tuple[float, ...]
    choices: int = 0


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
    """Compare an answer, what was typed or the index of the choice, with the right one."""
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


TASKS: dict[str, tuple[Task, ...]] = {
    "teach": (
        Task("teach-parameters", (3843,)),
        Task("teach-cells", (1536,)),
    ),
    "fc-as-conv": (
        Task("fc-shape", (3, 512, 1, 1)),
        Task("fc-parameters", (1539,)),
        Task("fc-bias", (0,), choices=3),
    ),
    "size-trace": (
        Task("size-conv", (113,)),
        Task("size-parameters", (73856,)),
        Task("size-field", (10,)),
    ),
    "transposed-conv": (
        Task("transposed-size", (14,)),
        Task("transposed-prints", (4,)),
        Task("transposed-values", (0, 0, 1, 0, 4, 6, 4, 12, 9)),
        Task("transposed-checkerboard", (1,), choices=3),
    ),
    "adaptive-pooling": (
        Task("adaptive-bins", (0, 2, 1, 4, 3, 6, 5, 7)),
        Task("adaptive-average", (2, 4)),
        Task("adaptive-kernel", (1,), choices=3),
    ),
    "transfer": (
        Task("transfer-flag", (1,), choices=3),
        Task("transfer-trainable", (12,)),
        Task("transfer-batch-norm", (1,), choices=3),
    ),
    "why": (
        Task("why-factor", (48,)),
        Task("why-sum", (1.25,)),
    ),
}
"""By lesson."""
