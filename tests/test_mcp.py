"""The endpoints as tools of an MCP server, where `gradio[mcp]` is installed."""

import json
import urllib.request

import gradio as gr
import pytest

from segdemo.ui import demo

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
