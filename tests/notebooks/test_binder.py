"""What Binder installs is what there is."""

import os
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from jupyter_fpga.cli.app import FpgaApp

ROOT = Path(__file__).parents[2]
BINDER = ROOT / "binder"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_all_comes_as_wheels_and_by_names_that_there_are():
    lines = (BINDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    option, *named = [line for line in lines if not line.startswith("#")]
    assert option == "--only-binary :all:"
    # "." is this repository, with extras that it has.
    (requirement,) = (Requirement(re.sub(r"^\.", PROJECT["name"], line)) for line in named)
    assert requirement.name == PROJECT["name"]
    assert requirement.extras
    assert requirement.extras <= PROJECT["optional-dependencies"].keys()


def test_its_python_is_one_that_the_package_runs_on():
    version = (BINDER / "runtime.txt").read_text(encoding="utf-8").strip().removeprefix("python-")
    assert SpecifierSet(PROJECT["requires-python"]).contains(version)


def test_what_is_done_after_the_build_are_commands():
    script = BINDER / "postBuild"
    assert os.access(script, os.X_OK)
    commands = re.findall(r"^jupyter fpga (\w+)$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert commands
    assert set(commands) <= FpgaApp.subcommands.keys()
