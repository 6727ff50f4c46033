"""Check yourself: the tasks at the end of a lesson."""

import gradio as gr
from markupsafe import Markup

from segdemo.lessons.exercises import TASKS, Task, check
from segdemo.ui.events import AT_ONCE
from segdemo.ui.i18n import both, say, static
from segdemo.ui.lesson_parts import note
from segdemo.ui.templates import render


def build(lesson: str) -> None:
    """Place the tasks of a lesson and wire them."""
    gr.Markdown(static("task.title"))
    for task in TASKS[lesson]:
        with gr.Column(elem_classes="task"):
            verdict = gr.HTML(elem_id=f"{task.key}-verdict", render=False)
            field = _field(task)
            verdict.render()
        event = field.submit if isinstance(field, gr.Textbox) else field.input
        event(lambda answer, task=task: judge(task, answer), field, verdict, **AT_ONCE)


def judge(task: Task, answer: str | int | None) -> Markup:
    """Write what is said of an answer: after a wrong one, the hint and the worked formula."""
    verdict = check(task, answer)
    if not verdict.understood:
        return note(say("task.type_one" if len(task.answer) == 1 else "task.type_all"))
    return render("verdict", task=f"task.{task.key}", right=verdict.right)


def _field(task: Task) -> gr.Radio | gr.Textbox:
    question = static(f"task.{task.key}.question")
    if task.choices:
        choices = [(both(f"task.{task.key}.choice_{index}"), index) for index in range(task.choices)]
        return gr.Radio(choices, label=question, elem_id=task.key)
    return gr.Textbox(label=question, max_lines=1, submit_btn=both("task.check"), elem_id=task.key)
