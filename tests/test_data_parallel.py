"""Two processes that share each batch take the steps of one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

ROOT = Path(__file__).parent.parent
# BatchNorm's statistics would be those of half a batch, so this network has none, and no dropout either. The first
# rate is tiny, so that after one step of AdamW, which divides gradients by their size, the running means still tell
# gradients apart.
SCRIPT = """
import sys
from pathlib import Path
import torch
from segdemo.training.data import Pets
from segdemo.training.loop import Trainer
from segdemo.training.recipes import Phase, Recipe

torch.set_num_threads(1)
arguments = {"backbone": "vgg11", "num_classes": 3, "fc_width": 8, "fc_kernel": 1}
phase = Phase(epochs=1, image_size=32, peak_rate=1e-5, background_share=0.2, paste=0.5,
              background_zoom=(0.15, 0.5))
recipe = Recipe(
    name="small", task="segment", architecture="fcn_vgg", arguments=arguments, phases=(phase,), batch_size=5,
    analysis_size=32, dropout=0.0, class_weights=(1.0, 2.0, 1.2),
)
torch.manual_seed(7)
labels = torch.zeros(10, 32, 32, dtype=torch.uint8)
species = torch.tensor([1, 2] * 5)
labels[:, 8:24, 8:24] = species.to(torch.uint8)[:, None, None]
pets = Pets(torch.randint(0, 256, (10, 3, 32, 32), dtype=torch.uint8), labels, species)
trainer = Trainer(recipe, Path(sys.argv[1]))
print("processes", trainer.accelerator.num_processes)
rows = []
trainer.task.network.stages[0].register_forward_pre_hook(
    lambda stage, inputs: rows.append(len(inputs[0])) if stage.training else None
)
trainer.fit(pets, pets)
print("rows", sum(rows))
"""


def run(folder: Path, *launcher: str) -> str:
    script = folder.parent / "train.py"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *launcher, str(script), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no torch.distributed")
def test_two_processes_make_the_gradients_of_one(tmp_path):
    alone = run(tmp_path / "one")
    assert "processes 1" in alone
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    shared = run(tmp_path / "two", *torchrun)
    assert shared.count("processes 2") == 2
    seen = [int(count) for count in re.findall(r"rows (\d+)", alone + shared)]
    assert len(seen) == 3 and seen[0] == seen[1] + seen[2] and min(seen) > 0, "each keeps its share of the batch"

    one, two = (load_file(tmp_path / name / "state.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    gradients = [name for name in one if name.endswith("exp_avg")]
    assert len(gradients) > 20
    for name in gradients:
        scale = one[name].abs().max()
        assert scale > 0, name
        torch.testing.assert_close(two[name] / scale, one[name] / scale, rtol=1e-3, atol=1e-4, msg=name)
    for name in (name for name in one if name.startswith("network.")):
        torch.testing.assert_close(two[name], one[name], rtol=1e-4, atol=1e-5, msg=name)
    assert torch.equal(one["rng"], two["rng"])
