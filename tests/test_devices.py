"""The device and its number format."""

import pytest
import torch

from segdemo import devices
from segdemo.devices import choose_device, choose_precision

_REAL = devices.prefers_bfloat16  # before the other tests do without it


@pytest.mark.parametrize("has_bfloat16", [True, False])
def test_the_precision_is_what_the_device_computes_fast(monkeypatch, has_bfloat16):
    monkeypatch.setattr(devices, "prefers_bfloat16", _REAL)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_bfloat16)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    monkeypatch.setattr(devices, "_bfloat16_gain", lambda: 1.3 if has_bfloat16 else 0.6)
    assert choose_precision(torch.device("cuda")) == ("bfloat16" if has_bfloat16 else "float16")
    assert choose_precision(torch.device("cpu")) == ("bfloat16" if has_bfloat16 else "float32")
    assert choose_precision(torch.device("mps")) == "float32"
    assert choose_precision(torch.device("cuda"), "float32") == "float32"
    with pytest.raises(ValueError, match=r"no precision 'int3'.*auto, float32, bfloat16, float16"):
        choose_precision(torch.device("cpu"), "int3")


def test_a_cpu_without_the_instructions_is_not_tried_out(monkeypatch):
    monkeypatch.setattr(devices, "prefers_bfloat16", _REAL)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "avx2": True}, raising=False)
    monkeypatch.setattr(devices, "_bfloat16_gain", lambda: pytest.fail("tried out"))
    assert choose_precision(torch.device("cpu")) == "float32"


def test_trying_a_cpu_out_gives_a_ratio_once():
    devices._bfloat16_gain.cache_clear()
    gain = devices._bfloat16_gain()
    assert gain > 0
    assert devices._bfloat16_gain() == gain


def test_a_torch_that_cannot_say_what_a_cpu_can_do_gets_float32(monkeypatch):
    monkeypatch.setattr(devices, "prefers_bfloat16", _REAL)
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_precision(torch.device("cpu")) == "float32"


def test_the_cpu_is_always_there_and_auto_is_a_device_that_is():
    assert choose_device("cpu").type == "cpu"
    expected = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    assert choose_device("auto").type == expected


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_auto_prefers_an_accelerator(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: name == "cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", lambda *_, device: torch.tensor([1.0]))
    assert choose_device("auto").type == name


def test_auto_passes_over_a_card_that_this_torch_has_no_code_for(monkeypatch):
    def fail(*_, device):
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch, "ones", fail)
    assert choose_device("auto").type == "cpu"


def test_an_unknown_device_is_refused_by_name():
    with pytest.raises(ValueError, match="no device 'toaster'"):
        choose_device("toaster")
