"""Many photos at once: a gallery, a table and one zip."""

import gradio as gr

from segdemo.batch import describe_areas
from segdemo.ui import views
from segdemo.ui.events import SILENT
from segdemo.ui.i18n import plain, say, say_made, static
from segdemo.ui.inference import in_line
from segdemo.ui.link import Place
from segdemo.ui.network_list import network_list
from segdemo.ui.service import MOST_PHOTOS, segment_files
from segdemo.ui.templates import render
from segdemo.ui.wish import Wish

_NAMED = 4  # classes in the table, the largest
_PROGRESS = gr.Progress()


def build() -> Place:
    """Lay the tab out and wire it; gives what a link can set."""
    with gr.Row(elem_classes="work"):
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photos = gr.File(
                label=static("batch.photos", most=MOST_PHOTOS),
                file_count="multiple",
                height=200,
                elem_id="batch-photos",
            )
            network = network_list("fcn8s_vgg16", "batch-network")
            button = gr.Button(static("batch.run"), variant="primary", elem_id="batch-run")
            stop = gr.Button(static("page.stop"), elem_id="batch-stop")
            problem = gr.HTML(elem_id="batch-problem")
            archive = gr.DownloadButton(static("batch.zip"), size="sm", interactive=False, elem_id="batch-zip")
        with gr.Column(scale=8, min_width=300, elem_classes="results"):
            gallery = gr.Gallery(
                label=static("batch.class_maps"),
                columns=4,
                height=360,
                buttons=["download", "fullscreen"],
                elem_id="batch-gallery",
            )
            table = gr.HTML(elem_id="batch-table")
    wish = gr.State(Wish())
    button.click(
        _run,
        [photos, network, wish],
        [gallery, table, archive, problem],
        **in_line(),
        show_progress_on=[gallery],
        api_visibility="private",
    )
    stop.click(Wish.stop, wish, None, **SILENT)
    gr.on([photos.change, network.change], _is_old, table, problem, **SILENT)
    return Place(network)


def _run(paths: list[str] | None, network: str, wish: Wish, progress: gr.Progress = _PROGRESS) -> list[object]:
    count = len(paths or [])
    wish.choose(paths)

    def go_on(number: int, name: str) -> bool:
        progress((number - 1, count), desc=plain("batch.progress", number=number, count=count, name=name))
        return not wish.is_stopped

    try:
        gallery, rows, archive = segment_files(paths or [], network, go_on)
    except gr.Error as error:
        return [*[gr.skip()] * 3, views.problem(error, stale=True)]
    said = ""
    if len(rows) < count:
        said = views.problem(say("batch.stopped", done=len(rows), count=count))
    return [gallery, _table(rows), gr.DownloadButton(value=archive, interactive=True), said]


def _is_old(table: str) -> str:
    """Say that results are of another choice than that of now; nothing where there are none."""
    return views.problem(say("batch.is_old"), stale=True) if table else ""


def _table(rows: list[dict[str, object]]) -> str:
    # How the names of a photo's files begin tells photos of one name apart.
    cells = [(row["photo"], row["results"] or "–", _found(row)) for row in rows]
    return render("batch_table", rows=cells)


def _found(row: dict[str, object]) -> str:
    return say_made(row["problem"]) if row["problem"] else describe_areas(row, _NAMED)
