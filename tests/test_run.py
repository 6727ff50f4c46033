"""The script that sets everything up."""

import subprocess

import pytest

import run


@pytest.fixture
def steps(monkeypatch, tmp_path):
    """Let nothing be installed: note the commands instead."""
    noted = []

    def note(command, **_):
        noted.append([str(part) for part in command])
        return subprocess.CompletedProcess(command, 0)

    for name in ("requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(run, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(run, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(run.venv, "create", lambda folder, **_: folder.mkdir(exist_ok=True))
    monkeypatch.setattr(run.subprocess, "run", note)
    return noted


def test_it_installs_and_opens_the_app(steps):
    assert run.main([]) == 0
    assert steps[0][-1].endswith("requirements.txt")
    assert steps[1][1:] == ["app.py"]


def test_a_class_is_handed_on_to_the_app(steps):
    assert run.main(["--class"]) == 0
    assert steps[1][1:] == ["app.py", "--class"]


def test_the_tests_get_their_own_requirements_and_arguments(steps):
    run.main(["test", "-k", "fcn"])
    assert steps[0][-1].endswith("requirements-dev.txt")
    assert steps[1][1:] == ["-m", "pytest", "-n", "2", "--dist", "loadfile", "-k", "fcn"]


def test_a_second_start_installs_nothing_until_the_requirements_change(steps):
    run.main([])
    steps.clear()
    run.main([])
    assert [step[1] for step in steps] == ["app.py"]
    (run.ROOT / "requirements.txt").write_text("something else")
    steps.clear()
    run.main([])
    assert len(steps) == 2


def test_a_failed_installation_says_which_step_and_can_be_tried_again(steps, monkeypatch, capsys):
    def fail(command, **_):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(run.subprocess, "run", fail)
    assert run.main([]) == 1
    assert "pip install" in capsys.readouterr().err
    assert not list(run.VENV.glob("*.installed"))


def test_half_an_environment_is_made_again(steps, monkeypatch, capsys):
    made = []

    def without_pip(folder, **_):
        made.append(folder)
        folder.mkdir(exist_ok=True)
        raise subprocess.CalledProcessError(1, ["python", "-m", "ensurepip"])

    monkeypatch.setattr(run.venv, "create", without_pip)
    assert run.main([]) == run.main([]) == 1
    assert len(made) == 2
    assert "apt install python3-venv" in capsys.readouterr().err


def test_an_old_python_is_told_so(steps, monkeypatch, capsys):
    monkeypatch.setattr(run.sys, "version_info", (3, 9, 1))
    assert run.main([]) == 2
    assert "3.10 or newer" in capsys.readouterr().err
    assert steps == []
