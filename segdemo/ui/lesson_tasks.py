"""Check yourself: the tasks at the end of a lesson."""

from html import escape

import gradio as gr

from segdemo.lessons.exercises import TASKS, Task, check
from segdemo.ui.i18n import static
from segdemo.ui.lesson_parts import AT_ONCE

_RIGHT = "Right."
_WRONG = "Not yet."
_NO_ATTEMPT = {True: "Type a number.", False: "Type as many numbers as are asked for."}


def build(lesson: str) -> None:
    """Place the tasks of a lesson and wire them."""
    gr.Markdown(static("task.title"))
    for task in TASKS[lesson]:
        with gr.Column(elem_classes="task"):
            verdict = gr.HTML(elem_id=f"{task.key}-verdict", render=False)
            field = _field(task)
            verdict.render()
        event = field.input if task.choices else field.submit
        event(lambda answer, task=task: judge(task, answer), field, verdict, **AT_ONCE)


def judge(task: Task, answer: str | int | None) -> str:
    """Write what is said of an answer: after a wrong one, the hint and the worked formula."""
    verdict = check(task, answer)
    if not verdict.understood:
        return f"<p class='formula' role='status'>{_NO_ATTEMPT[len(task.answer) == 1]}</p>"
    worked = f"<span class='worked'>{escape(task.worked)}</span>"
    if verdict.right:
        return f"<p class='formula right' role='status'><b>{_RIGHT}</b> {worked}</p>"
    return (
        f"<div class='formula wrong' role='status'><b>{_WRONG}</b> {escape(task.hint)}"
        f"<details><summary>Worked</summary>{worked}</details></div>"
    )


def _field(task: Task) -> gr.Radio | gr.Textbox:
    if task.choices:
        choices = [(text, index) for index, text in enumerate(task.choices)]
        return gr.Radio(choices, label=static(f"task.{task.key}.question"), elem_id=task.key)
    return gr.Textbox(label=static(f"task.{task.key}.question"), max_lines=1, submit_btn="Check", elem_id=task.key)
