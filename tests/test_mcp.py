"""The endpoints as tools of an MCP server, where `gradio[mcp]` is installed."""

import base64
import json
import urllib.request

import gradio as gr
import httpx
import pytest

from segdemo.ui import demo
from segdemo.ui.gate import FOREIGN_NAME

TOOLS = {"segment", "transposed_conv", "adaptive_pooling", "size_trace", "fc_as_conv", "compare_networks", "batch"}


def test_without_mcp_the_page_is_served_and_nothing_is_complained_about(monkeypatch, capfd):
    monkeypatch.setattr(demo, "find_spec", lambda name: None)
    with gr.Blocks() as blocks:
        gr.HTML("<p>page</p>")
    try:
        demo.launch(blocks, prevent_thread_lock=True, server_name="127.0.0.1")
        assert blocks.mcp_server is False
    finally:
        blocks.close(verbose=False)
    output = "".join(capfd.readouterr())
    assert "mcp" not in output.lower()
    assert "error" not in output.lower()


def test_with_mcp_every_endpoint_is_a_tool_that_says_what_it_does(demo_url):
    pytest.importorskip("mcp", reason="gradio[mcp] is not installed")
    with urllib.request.urlopen(f"{demo_url}gradio_api/mcp/schema", timeout=30) as answer:
        tools = {tool["name"]: tool for tool in json.load(answer)}
    assert tools.keys() == TOOLS
    for name, tool in tools.items():
        assert len(tool["description"]) > 30, name
        for parameter, described in tool["inputSchema"]["properties"].items():
            assert described.get("description"), (name, parameter)


def call_tool(demo_url, name, arguments, **headers):
    """Call a tool as an agent does, with nothing of a client between."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
    headers = {"accept": "application/json, text/event-stream", **headers}
    return httpx.post(f"{demo_url}gradio_api/mcp/", json=body, headers=headers, timeout=120)


@pytest.mark.parametrize("tool", ["segment", "compare_networks", "fc_as_conv", "batch"])
def test_no_tool_reads_a_file_of_the_server_or_fetches_one(demo_url, striped_photo, tool):
    pytest.importorskip("mcp", reason="gradio[mcp] is not installed")
    more = {
        "segment": {"network": "fcn8s_vgg16", "heat_class": "auto", "analysis_size": 0},
        "compare_networks": {"networks": "fcn8s_vgg16, fcn32s_vgg16"},
        "batch": {"network": "fcn8s_vgg16"},
    }.get(tool, {})
    path = str(striped_photo)
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    for named in (path, f"file://{path}", file, {**file, "url": path}, {"image": file}, "http://127.0.0.1:9/a.jpg"):
        arguments = {"photos": [named]} if tool == "batch" else {"image": named}
        answer = call_tool(demo_url, tool, {**arguments, **more}).text
        assert '"isError":true' in answer, answer
        assert "image_size" not in answer


def test_a_photo_goes_in_as_a_data_url_and_an_address_is_said_to_be_one(demo_url, striped_photo):
    pytest.importorskip("mcp", reason="gradio[mcp] is not installed")
    data = base64.b64encode(striped_photo.read_bytes()).decode()
    more = {"network": "fcn8s_vgg16", "heat_class": "auto", "analysis_size": 0}
    answer = call_tool(demo_url, "segment", {"image": f"data:image/png;base64,{data}", **more}).text
    assert '"isError":false' in answer
    assert "image_size" in answer
    answer = call_tool(demo_url, "segment", {"image": "http://127.0.0.1:9/a.jpg", **more}).text
    assert "this page fetches nothing" in answer


def test_a_name_that_is_not_ours_is_refused_here_too(demo_url):
    answer = call_tool(demo_url, "adaptive_pooling", {"input_size": 5, "output_size": 4}, host="attacker.example")
    assert (answer.status_code, answer.json()) == (421, {"detail": FOREIGN_NAME})
