"""The launch scripts with stand-ins for Python, SLURM and gcloud: what they start, what reaches it, how they end."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

LAUNCH = pathlib.Path(__file__).parents[2] / "launch"
FLAGS = ("--config=configs/ssl_vit.py", "--config.hints.cell_sizes=1,2", "--workdir=runs/a b")
# Stands for the Python that is to run hybridvit.main: notes its arguments and, for PLACE, who it is, as JAX finds it;
# ends with CODE, or, with WAIT, with 75 once it is told to stop
PYTHON = f"""#!{sys.executable}
import json, os, signal, sys, tempfile, time
if sys.argv[1] == "-c":
    exec(sys.argv[2])
    sys.exit()
place = None
if os.environ.get("PLACE"):
    from jax._src.clusters import ClusterEnv
    place = ClusterEnv.auto_detect_unset_distributed_params(None, None, None, None, None, 1)
note = {{"flags": sys.argv[1:], "place": place, "devices": os.environ.get("JAX_NUM_CPU_DEVICES")}}
told = []
signal.signal(signal.SIGTERM, lambda *_: told.append(1))
handle, path = tempfile.mkstemp(suffix=".json", dir=os.environ["NOTES"])
os.write(handle, json.dumps(note).encode())
last = sys.argv[-1].endswith("=" + os.environ.get("FAILS", "none"))
until = time.time() + 30 * bool(os.environ.get("WAIT") and not last)
while time.time() < until and not told:
    time.sleep(0.02)
sys.exit(7 if last else 75 if told else int(os.environ.get("CODE", 0)))
"""
SRUN = f"""#!{sys.executable}
import os, signal, subprocess, sys
nodes, each = 2, 2
tasks = [
    subprocess.Popen(sys.argv[1:], env=os.environ | {{
        "SLURM_JOB_ID": "4103", "SLURM_STEP_NODELIST": "gpu[07-08]", "SLURM_NTASKS": str(nodes * each),
        "SLURM_PROCID": str(i), "SLURM_LOCALID": str(i % each),
    }})
    for i in range(nodes * each)
]
with open(os.environ["NOTES"] + "/pids", "w") as file:
    file.write(" ".join(str(task.pid) for task in tasks))
sys.exit(max(task.wait() for task in tasks))
"""
SCANCEL = """#!/bin/sh
echo "scancel $*" >>"$NOTES/log"
xargs kill -TERM <"$NOTES/pids"
"""
NOTE = """#!/bin/sh
echo "$(basename "$0") $*" >>"$NOTES/log"
"""
GCLOUD = """#!/bin/sh
echo "gcloud $*" >>"$NOTES/log"
case "$*" in
*describe*) head -n 1 "$NOTES/states"; sed -i 1d "$NOTES/states" ;;
*tail*) code=$(head -n 1 "$NOTES/codes"); sed -i 1d "$NOTES/codes"; exit "$code" ;;
esac
"""


@pytest.fixture
def notes(tmp_path) -> pathlib.Path:
    """Where the stand-ins write."""
    (tmp_path / "notes").mkdir()
    return tmp_path / "notes"


@pytest.fixture
def start(tmp_path, notes) -> Callable[..., subprocess.Popen]:
    """`start(script, *arguments, **environment)` with stand-ins on the path."""
    tools = tmp_path / "tools"
    tools.mkdir()
    stand_ins = {"python": PYTHON, "srun": SRUN, "scancel": SCANCEL, "scontrol": NOTE, "gcloud": GCLOUD}
    for name, text in stand_ins.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def start(script: str, *arguments: str, **environment: str) -> subprocess.Popen:
        place = {"PATH": f"{tools}:{os.environ['PATH']}", "NOTES": str(notes), "VENV": "none", "EVERY": "0"}
        return subprocess.Popen(
            ["bash", LAUNCH / script, *arguments],
            env=os.environ | place | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture
def run(start) -> Callable[..., tuple[int, str]]:
    """The same, to its end: exit code and output."""

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        process = start(*arguments, **environment)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    return run


def read(notes: pathlib.Path) -> list[dict]:
    return [json.loads(path.read_text() or "{}") for path in notes.glob("*.json")]


def wait_for(notes: pathlib.Path, count: int) -> None:
    until = time.monotonic() + 50
    while len([note for note in read(notes) if note]) < count:
        assert time.monotonic() < until, list(notes.iterdir())
        time.sleep(0.02)


@pytest.mark.parametrize("script", ["local.sh", "slurm.sbatch", "tpu_vm.sh"])
def test_shellcheck(script):
    tool = shutil.which("shellcheck", path=f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}")
    assert tool, "pip install -r requirements-test.txt"
    done = subprocess.run([tool, LAUNCH / script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert os.access(LAUNCH / script, os.X_OK)


@pytest.mark.parametrize(
    ("script", "before"), [("local.sh", ()), ("slurm.sbatch", ()), ("tpu_vm.sh", ("run",))]
)
def test_a_dry_run_prints_the_command_and_starts_nothing(run, notes, script, before):
    code, output = run(script, "--dry-run", *before, *FLAGS, BUCKET="b")
    assert code == 0, output
    assert "-m hybridvit.main" in output
    for flag in FLAGS:
        assert flag in output.replace("\\", "")  # quoted for a shell
    assert not list(notes.iterdir())


def test_local_starts_one_process(run, notes):
    code, output = run("local.sh", *FLAGS)
    assert code == 0, output
    (note,) = read(notes)
    assert note["flags"] == ["-m", "hybridvit.main", *FLAGS]


def test_local_joins_several(run, notes):
    code, output = run("local.sh", *FLAGS, PROCESSES="3", DEVICES="2", PORT="4321")
    assert code == 0, output
    started = sorted(read(notes), key=lambda note: note["flags"][-1])
    join = ["--coordinator=127.0.0.1:4321", "--num_processes=3"]
    assert [note["flags"] for note in started] == [
        ["-m", "hybridvit.main", *FLAGS, *join, f"--process_id={i}"] for i in range(3)
    ]
    assert {note["devices"] for note in started} == {"2"}


def test_local_hands_the_signal_on_and_says_that_there_is_more_to_do(start, notes):
    process = start("local.sh", *FLAGS, PROCESSES="2", WAIT="1")
    wait_for(notes, 2)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 75, output


def test_local_ends_the_others_when_one_fails(run, notes):
    code, output = run("local.sh", *FLAGS, PROCESSES="2", WAIT="1", FAILS="1")
    assert code == 7, output
    assert len(read(notes)) == 2


def test_slurm_tells_jax_who_is_who(run, notes):
    code, output = run("slurm.sbatch", *FLAGS, SLURM_JOB_ID="4103", PLACE="1")
    assert code == 0, output
    started = read(notes)
    assert {tuple(note["flags"]) for note in started} == {("-m", "hybridvit.main", "--distributed", *FLAGS)}
    # coordinator, processes, own number, GPUs of the node
    assert sorted(note["place"] for note in started) == [["gpu07:61447", 4, i, [i % 2]] for i in range(4)]
    assert not (notes / "log").exists()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM])
def test_slurm_puts_a_stopped_job_back_into_the_queue(start, notes, number):
    process = start("slurm.sbatch", *FLAGS, SLURM_JOB_ID="4103", WAIT="1")
    wait_for(notes, 4)
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == 75, output
    assert (notes / "log").read_text().splitlines() == ["scancel --signal=TERM 4103", "scontrol requeue 4103"]


@pytest.mark.parametrize("code", ["0", "2"])
def test_slurm_leaves_a_finished_or_failed_job(run, notes, code):
    assert run("slurm.sbatch", *FLAGS, SLURM_JOB_ID="4103", CODE=code)[0] == int(code)
    assert not (notes / "log").exists()


def test_slurm_asks_for_a_process_a_gpu():
    text = (LAUNCH / "slurm.sbatch").read_text()
    asked = dict(
        line[9:].lstrip("-").split("=")
        for line in text.splitlines()
        if line.startswith("#SBATCH --") and "=" in line
    )
    assert asked["ntasks-per-node"] == asked["gpus-per-node"]
    assert int(asked["nodes"]) > 1
    assert asked["signal"].startswith("B:USR1@")
    assert "\n#SBATCH --requeue\n" in text


def done_by(notes: pathlib.Path) -> list[str]:
    """What gcloud was asked to do, without the questions."""
    kinds = ("create", "delete", "scp", "apt-get", "nohup", "tail")
    lines = (notes / "log").read_text().splitlines()
    return [
        kind
        for line in lines
        for kind in kinds
        if kind in line.split("hybridvit.main")[0] and "describe" not in line
    ]


def test_tpu_runs_to_the_end(run, notes):
    (notes / "states").write_text("WAITING_FOR_RESOURCES\nPROVISIONING\nACTIVE\nACTIVE\n")
    (notes / "codes").write_text("0\n")
    code, output = run("tpu_vm.sh", "run", *FLAGS, NAME="n", ZONE="z", BUCKET="b")
    assert code == 0, output
    assert done_by(notes) == ["create", "scp", "apt-get", "nohup", "tail", "delete"]
    assert "WAITING_FOR_RESOURCES" in output


def test_tpu_asks_again_for_what_was_taken_away(run, notes):
    (notes / "states").write_text("ACTIVE\nSUSPENDED\nACTIVE\nACTIVE\n")
    (notes / "codes").write_text("255\n3\n")
    code, output = run("tpu_vm.sh", "run", *FLAGS, NAME="n", ZONE="z", BUCKET="b", SPOT="1")
    assert code == 3, output
    once = ["create", "scp", "apt-get", "nohup", "tail", "delete"]
    assert done_by(notes) == [*once, *once]
    assert "--spot" in (notes / "log").read_text()


def test_tpu_command_reaches_the_machine_as_it_was_given(run, tmp_path, notes):
    """The text that `start` sends over ssh, run by a shell here."""
    run("tpu_vm.sh", "start", *FLAGS, NAME="n", ZONE="z")
    sent = (notes / "log").read_text().partition("--command=")[2]
    home = tmp_path / "home"
    (home / "hybridvit/.venv/bin").mkdir(parents=True)
    shutil.copy(tmp_path / "tools/python", home / "hybridvit/.venv/bin/python")
    environment = os.environ | {"NOTES": str(notes), "CODE": "4"}
    subprocess.run(["bash", "-c", sent], cwd=home, env=environment, check=True)
    wait_for(notes, 1)
    until = time.monotonic() + 20
    while not (home / "hybridvit/exit_code").exists() or not (home / "hybridvit/exit_code").read_text():
        assert time.monotonic() < until
        time.sleep(0.02)
    assert read(notes)[0]["flags"] == ["-m", "hybridvit.main", "--distributed", *FLAGS]
    assert (home / "hybridvit/exit_code").read_text() == "4\n"


@pytest.mark.parametrize("arguments", [(), ("sing",), ("install",)])
def test_tpu_mistakes_end_in_one_line(run, notes, arguments):
    code, output = run("tpu_vm.sh", *arguments)
    assert code == 2
    assert output.startswith("tpu_vm.sh: ")
    assert output.count("\n") == 1
