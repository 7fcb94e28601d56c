"""Which file `--config` names, from a folder that is not the repository."""

import os
import pathlib
import subprocess
import sys

import pytest

from hybridvit.config_files import SHIPPED, described, find_config, shipped_for

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> pathlib.Path:
    """An empty one, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["ssl_vit", "ssl_vit.py", "configs/ssl_vit", "configs/ssl_vit.py"])
def test_a_shipped_one_is_found_by_name(name):
    assert find_config(name) == SHIPPED / "ssl_vit.py"


def test_ones_own_goes_first(folder):
    (folder / "configs").mkdir()
    (folder / "configs" / "ssl_vit.py").touch()
    assert find_config("ssl_vit") == pathlib.Path("configs/ssl_vit.py")
    (folder / "ssl_vit.py").touch()
    assert find_config("ssl_vit") == pathlib.Path("ssl_vit.py")
    assert find_config("configs/ssl_vit.py") == pathlib.Path("configs/ssl_vit.py")
    assert find_config(str(folder / "ssl_vit.py")) == folder / "ssl_vit.py"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ssl_vti", "did you mean ssl_vit?"),
        ("xyzzy", "or one of autoencoder, base, "),
        ("no/x.py", "no/x.py"),
    ],
)
def test_none_is_a_line(name, said):
    with pytest.raises(ValueError, match="no config") as error:
        find_config(name)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_every_config_is_for_one_command():
    uses = ["hybridvit.main --config", "hybridvit.main --mode=eval", "hybridvit.compare --config"]
    named = [name for use in uses for name in shipped_for(use)]
    assert sorted(named) == sorted({path.stem for path in SHIPPED.glob("[!_]*.py")} - {"base"})
    assert all(line.endswith(".") for use in uses for line in shipped_for(use).values())
    assert "python -m hybridvit.main --config=configs/ssl_vit.py" in described(SHIPPED / "ssl_vit.py")


OWN = """
from configs import ssl_vit

def get_config():
    config = ssl_vit.get_config()
    config.name = "mine"
    return config
"""
SCRIPT = """
import sys
from hybridvit.config_flags import CONFIG, parse_flags
parse_flags(sys.argv)
print(CONFIG.value.name, CONFIG.value.train.steps)
"""


def parsed(*flags: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", SCRIPT, *flags]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_shipped_one_imports_shipped_ones_from_anywhere():
    done = parsed("--config=supervised_vit:bundled", "--config.train.steps=7")
    assert (done.returncode, done.stdout) == (0, "supervised_vit-bundled 7\n")


def test_ones_own_may_import_shipped_ones(folder):
    (folder / "mine.py").write_text(OWN)
    done = parsed("--config=mine", "--config.train.steps=7")
    assert (done.returncode, done.stdout) == (0, "mine 7\n"), done.stderr


def test_ones_own_folder_goes_before_the_shipped_one(folder):
    """Beside one's own configs/, which may have an `__init__.py`, the shipped ones are importable."""
    (folder / "configs").mkdir()
    (folder / "configs" / "__init__.py").write_text("STEPS = 7\n")
    (folder / "configs" / "mine.py").write_text(f"{OWN}\nimport configs\n")
    (folder / "configs" / "ssl_vit.py").write_text(
        "import configs\nfrom configs import base\n\n"
        "def get_config():\n    config = base.get_config()\n    config.train.steps = configs.STEPS\n    return config\n"
    )
    done = parsed("--config=mine")
    assert (done.returncode, done.stdout) == (0, "mine 7\n"), done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_that_name\n", "bad.py, line 1: ModuleNotFoundError"),
        ("\n\ndef get_config(:\n", "bad.py, line 3: SyntaxError"),
        ("def get_config():\n    return base\n", "bad.py, line 2: NameError"),
        ("def get_config():\n    return {}['x']\n", "bad.py, line 2: KeyError"),
        ("def get_config():\n    raise ValueError('a line')\n", "ValueError: a line"),
    ],
)
def test_what_is_wrong_in_ones_own_is_a_line(folder, text, said):
    (folder / "bad.py").write_text(text)
    done = parsed("--config=bad.py")
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
