"""The notebook: it runs from top to bottom, its answers are checked, and no output is kept in it."""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from segdemo.lessons.exercises import TASKS, Task
from segdemo.ui.i18n import CATALOGUES

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "from_classifier_to_segmenter.ipynb"
SECONDS = 60  # of computing that its kernel takes at most
TEXTS = CATALOGUES["en"]
CHECK = re.compile(r'check_answer\("([a-z-]+)"')


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


def keys(notebook):
    return [found[1] for cell in notebook.cells if (found := CHECK.search(cell.source))]


def fill_in(notebook, answers):
    """Write answers where a student would."""
    for cell in notebook.cells:
        if found := re.search(r'show\("([a-z-]+)"\)', cell.source):
            cell.source = cell.source.replace("answer = None", f"answer = {answers[found[1]]!r}")
    return notebook


def run(notebook):
    client = NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": NOTEBOOK.parent}}
    )
    before = os.times()
    client.execute()
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < SECONDS
    return {found[1]: said(cell) for cell in notebook.cells if (found := CHECK.search(cell.source))}


def said(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def right(task: Task):
    whole = [int(value) if value == int(value) else value for value in task.answer]
    return whole[0] if len(whole) == 1 else whole


def test_no_output_is_kept_and_every_task_is_one_of_the_page():
    notebook = read()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None
    known = {task.key: lesson for lesson, tasks in TASKS.items() for task in tasks}
    lessons = {known[key] for key in keys(notebook)}
    assert lessons == {"fc-as-conv", "size-trace", "transposed-conv", "adaptive-pooling", "transfer", "teach"}


def test_it_runs_and_right_answers_are_called_right():
    notebook = read()
    tasks = {task.key: task for tasks in TASKS.values() for task in tasks}
    verdicts = run(fill_in(notebook, {key: right(tasks[key]) for key in keys(notebook)}))
    assert verdicts and all(text.startswith(TEXTS["task.right"]) for text in verdicts.values()), verdicts


@pytest.mark.parametrize("answer", [None, 99])
def test_no_answer_and_a_wrong_one_get_a_hint(answer):
    """The cells of set-up and of the tasks alone."""
    notebook = read()
    notebook.cells = [
        cell
        for cell in notebook.cells
        if "def check_answer" in cell.source
        or "sys.path" in cell.source
        or re.search(r'(show|check_answer)\("', cell.source)
    ]
    verdicts = run(fill_in(notebook, dict.fromkeys(keys(notebook), answer)))
    tasks = {task.key: task for tasks in TASKS.values() for task in tasks}
    for key, text in verdicts.items():
        is_attempt = answer is not None and (tasks[key].choices or len(tasks[key].answer) == 1)
        assert text.startswith(TEXTS["task.wrong" if is_attempt else "task.type_all"]), (key, text)
        assert TEXTS[f"task.{key}.hint"] in text
