"""Many photos at once: a gallery, a table and one zip."""

from html import escape
from pathlib import Path

import gradio as gr
from PIL import Image

from segdemo import catalog, render
from segdemo.batch import Style, describe_areas, pack, segment_all, table_row, write_item, write_table
from segdemo.segmentation import Segmentation
from segdemo.ui import files
from segdemo.ui.inference import Request, in_line, load_segmenter, run_network
from segdemo.ui.link import Place

MOST = 60  # photos at a time
_NAMED = 4  # classes in the table, the largest
_SHOWN = 512  # pixels, the longer side of a picture in the gallery
_PROGRESS = gr.Progress()


def process(
    paths: list[str], network: str, progress: gr.Progress | None = None
) -> tuple[list[tuple[str, str]], list[dict[str, object]], str]:
    """Segment photos and pack their masks, overlays, heatmaps, facts and a table.

    Args:
        paths: Of the uploaded files.
        network: A name of the catalog.
        progress: Told after each photo.

    Returns:
        Overlays for a gallery with the photos' names, the table's rows, and the path of the zip.

    Raises:
        gr.Error: There is no such network, its weights cannot be fetched, or there are no photos or too many.
    """
    if not paths:
        raise gr.Error("Choose some photos first.", print_exception=False)
    if len(paths) > MOST:
        raise gr.Error(f"These are {len(paths)} photos; at most {MOST} go at a time.", print_exception=False)
    try:
        catalog.find(network).fetch()
        load_segmenter(network)  # a damaged file is said here, before the first photo
    except ValueError as error:
        raise gr.Error(str(error), print_exception=False) from error

    def segment(image: Image.Image) -> Segmentation:
        return run_network(Request(network), image)

    whole, shown = files.new_folder(), files.new_folder()
    folder = whole / "results"
    folder.mkdir()
    gallery, rows = [], []
    for number, item in enumerate(segment_all([Path(path) for path in paths], segment), 1):
        rows.append(table_row(item))
        if not item.problem:
            overlay = Image.open(write_item(folder, item, Style())["overlay"])
            overlay.thumbnail(render.display_size(overlay.size, _SHOWN))
            gallery.append((files.write_picture(shown, f"{item.stem}.jpg", overlay), item.path.name))
        if progress:
            progress((number, len(paths)), desc=item.path.name)
    write_table(folder, rows)
    archive = whole / "segdemo.zip"
    pack(folder, archive)
    return gallery, rows, str(archive)


def build() -> Place:
    """Lay the tab out and wire it; gives what a link can set."""
    with gr.Row():
        with gr.Column(scale=3, min_width=260, elem_classes="controls"):
            photos = gr.File(label=f"Photos, up to {MOST}", file_count="multiple", height=200, elem_id="batch-photos")
            choices = [(entry.title, name) for name, entry in catalog.ENTRIES.items()]
            network = gr.Dropdown(
                choices, value="fcn8s_vgg16", label="Network", filterable=False, elem_id="batch-network"
            )
            button = gr.Button("Segment all", variant="primary", elem_id="batch-run")
            archive = gr.DownloadButton("Download all as a zip", size="sm", interactive=False, elem_id="batch-zip")
        with gr.Column(scale=8, min_width=300):
            gallery = gr.Gallery(
                label="Class maps", columns=4, height=360, buttons=["download", "fullscreen"], elem_id="batch-gallery"
            )
            table = gr.HTML(elem_id="batch-table")
    button.click(
        _run,
        [photos, network],
        [gallery, table, archive],
        **in_line(),
        show_progress_on=[gallery],
        api_visibility="private",
    )
    return Place(network)


def _run(paths: list[str] | None, network: str, progress: gr.Progress = _PROGRESS) -> list[object]:
    gallery, rows, archive = process(paths or [], network, progress)
    return [gallery, _table(rows), gr.DownloadButton(value=archive, interactive=True)]


def _table(rows: list[dict[str, object]]) -> str:
    body = "".join(f"<tr><th scope='row'>{escape(str(row['photo']))}</th><td>{_found(row)}</td></tr>" for row in rows)
    head = "<tr><th scope='col'>photo</th><th scope='col'>found</th></tr>"
    return f"<div class='wide'><table class='classes'><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _found(row: dict[str, object]) -> str:
    return escape(str(row["problem"]) or describe_areas(row, _NAMED))
