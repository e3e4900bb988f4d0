"""Commands of the compute service as processes, against a lab that runs."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_fpga.cli.exits import program_exit
from jupyter_fpga.client import JobFailed, LabClient

SCRIPT = b"""#!/bin/sh
case "$1" in
  upper) echo "reading"; tr a-z A-Z < inputs/text > outputs/text.txt; echo "written" ;;
  told) mkdir outputs/deep; cp request.json outputs/deep/ ;;
  fails) echo "no good"; exit 7 ;;
  ended) kill -TERM $$ ;;
  slow) echo "asleep"; sleep 600 ;;
  bounded) while :; do :; done ;;
esac
"""
FUNCTIONS = ["upper", "told", "fails", "ended", "slow"]


@pytest.fixture(scope="module")
def worker(served_lab):
    """The id of a worker that a shell script is."""
    with LabClient(served_lab.url, served_lab.token) as client:
        told = {"executables": {"bin/run": SCRIPT}, "timeout_seconds": 120}
        client.compute.register({"name": "brief", "functions": ["bounded"], **told, "timeout_seconds": 0.5})
        return client.compute.register({"name": "shell", "functions": FUNCTIONS, **told})


@pytest.fixture
def start(served_lab, tmp_path, worker):
    """Start ``jupyter fpga …``."""

    def begin(*words, **environment):
        return subprocess.Popen(
            [sys.executable, "-m", "jupyter_fpga.cli", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**served_lab.environment, **environment},
        )

    return begin


@pytest.fixture
def fpga(start):
    """Run ``jupyter fpga …`` to its end."""

    def run(*words, input=None, **environment):
        process = start(*words, **environment)
        told, said = process.communicate(input, timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, told, said)

    return run


@pytest.fixture
def compute(lab, worker):
    yield lab.compute
    for record in lab.compute.jobs(state="unfinished", limit=1000):
        if record["function"] == "slow":
            lab.compute.job(record["lsn"]).cancel()


def out(done):
    """What a command that went well printed."""
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def sentence(done, code):
    """What a command that ended with ``code`` said."""
    assert (done.returncode, done.stdout) == (code, ""), done
    return done.stderr


# --- exec ---


def test_from_a_file_to_a_file(fpga, tmp_path, compute):
    (tmp_path / "in.txt").write_text("loud")
    done = fpga("exec", "upper", "--input", "text=in.txt", "--output", "made", "--no-cache")
    assert (done.returncode, done.stdout) == (0, "reading\nwritten\n")
    lsn = compute.jobs(limit=1)[0]["lsn"]
    assert re.fullmatch(rf"action {lsn}: upper\n(  \w+ +\d+\.\d\d s\n)*made: text.txt\n", done.stderr)
    assert (tmp_path / "made" / "text.txt").read_text() == "LOUD"


def test_a_kept_result_comes_at_once_and_outputs_may_stay(fpga, tmp_path, compute):
    (tmp_path / "in.txt").write_text("kept")
    fpga("exec", "upper", "--input=text=in.txt")
    told = fpga("exec", "upper", "--input=text=in.txt", "--worker=shell")
    lsn = compute.jobs(limit=1)[0]["lsn"]
    assert (told.returncode, told.stdout) == (0, "reading\nwritten\n")
    assert told.stderr == (
        f"action {lsn}: upper\nIt left text.txt (4 bytes); `jupyter fpga exec --attach {lsn} --output FOLDER` puts "
        "that into a folder.\n"
    )
    assert compute.job(lsn).cached


def test_constants_are_json_or_text(fpga, tmp_path):
    words = ("--constant=n=3", '--constant=list=[1, "x"]', "--constant=text=a=b c", "--constant=empty=")
    done = json.loads(out(fpga("exec", "told", *words, "--output=.", "--json")))
    assert done["files"] == {"deep/request.json": "deep/request.json"}
    assert json.loads((tmp_path / "deep" / "request.json").read_text())["constants"] == {
        "n": 3,
        "list": [1, "x"],
        "text": "a=b c",
        "empty": "",
    }


def test_a_value_is_shown(fpga, tmp_path):
    (tmp_path / "x").write_text("")
    done = fpga("exec", "hash", "--input=data=x")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert (done.returncode, json.loads(done.stdout)) == (0, {"data": empty})


def test_the_exit_code_is_the_programs(fpga, tmp_path):
    done = fpga("exec", "fails")
    assert (done.returncode, done.stdout) == (7, "no good\n")
    assert done.stderr.endswith("The program ended with exit code 7.\n")
    done = fpga("exec", "fails", "--json")
    assert (done.returncode, json.loads(done.stdout)["result"]["exit_code"], done.stderr) == (7, 7, "")
    done = fpga("exec", "bounded")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("The program ran longer than its limit of 0.5 s.\n") or done.stderr.endswith(
        "The program used more than its limit of 0.5 s of processor time.\n"
    )


@pytest.mark.parametrize(
    ("result", "code"),
    [
        ({"ok": True, "exit_code": 0, "error": None}, 0),
        ({"ok": False, "exit_code": 3, "error": None}, 3),
        ({"ok": False, "exit_code": -15, "error": None}, 143),
        ({"ok": False, "exit_code": 0, "error": {"error": "output_missing"}}, 1),
        ({"ok": False, "exit_code": -9, "error": {"error": "time_limit"}}, 1),
        ({"ok": False, "exit_code": None, "error": None}, 1),
    ],
)
def test_exit_codes_of_results(result, code):
    assert program_exit(result) == code


def test_a_signal_is_told(fpga):
    done = fpga("exec", "ended")
    assert done.returncode == 143
    assert done.stderr.endswith("The program was ended by signal 15.\n") or done.stderr.endswith("exit code 143.\n")


def test_a_whole_action_from_a_file(fpga, tmp_path, compute, worker):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "in.txt").write_text("whole")
    told = {"function": "upper", "inputs": {"text": "in.txt"}, "constants": {"n": 1}, "cache": "skip", "worker": worker}
    (tmp_path / "sub" / "action.json").write_text(json.dumps(told))
    done = fpga("exec", "--action=sub/action.json", "--output=made", "--constant=m=2")
    assert (done.returncode, done.stdout) == (0, "reading\nwritten\n")
    assert (tmp_path / "made" / "text.txt").read_text() == "WHOLE"
    first = compute.job(compute.jobs(limit=1)[0]["lsn"])
    # What an action left is an input of the next.
    done = fpga(
        "exec",
        "--action=-",
        "--output=made",
        input=json.dumps({"function": "upper", "inputs": {"text": first.outputs["text.txt"]}}),
    )
    assert done.returncode == 0
    again = compute.submit("upper", {"text": first.outputs["text.txt"]}).wait(60)
    assert (again.cached, again.outputs.read("text.txt")) == (True, b"WHOLE")


def test_detached_found_again_and_cancelled(fpga, start, compute, tmp_path):
    told = json.loads(out(fpga("exec", "slow", "--detach", "--json", "--no-cache")))
    lsn = told["lsn"]
    listed = out(fpga("jobs", "--actions", "--state=unfinished"))
    assert re.search(rf"^{lsn} +slow +[0-9a-f]{{12}} +– +\w+ +–", listed, re.MULTILINE)
    waiting = start("exec", "--attach", lsn)
    assert waiting.stderr.readline() == f"action {lsn}: slow\n"
    assert out(fpga("exec", "--cancel", lsn)) == f"Action {lsn} is cancelled.\n"
    assert waiting.communicate(timeout=60)[1].endswith(f"Action {lsn} was cancelled before it was done.\n")
    assert waiting.returncode == 1
    assert sentence(fpga("exec", "--cancel", lsn), 4) == (
        f"Action {lsn} can't be cancelled any more: it is cancelled. Retire it when you don't need its result.\n"
    )
    (tmp_path / "in.txt").write_text("detached")
    assert re.fullmatch(
        r"Action (\d+) is taken; `jupyter fpga exec --attach \1` waits for it.\n",
        out(fpga("exec", "upper", "--input=text=in.txt", "--detach")),
    )
    assert fpga("exec", f"--attach={compute.jobs(limit=1)[0]['lsn']}", "--output=made").returncode == 0
    assert (tmp_path / "made" / "text.txt").read_text() == "DETACHED"


def _until_running(compute, process):
    """Read until the action's number is said, and wait until it runs."""
    action = compute.job(int(re.match(r"action (\d+): ", process.stderr.readline())[1]))
    states = iter(action.changes())
    while next(states)["state"] != "running":
        pass
    states.close()
    return action


def test_an_interrupt_cancels_what_one_waits_for(start, compute):
    process = start("exec", "slow", "--no-cache")
    action = _until_running(compute, process)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1].endswith("Interrupted.\n")
    assert process.returncode == 130
    assert action.refresh().state == "cancelled"


def test_an_interrupt_leaves_what_was_attached_to(start, compute):
    action = compute.submit("slow", cache=False)
    process = start("exec", f"--attach={action.lsn}")
    _until_running(compute, process)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert action.refresh().state == "running"
    action.cancel()


def test_the_time_runs_out(fpga, compute):
    done = fpga("exec", "slow", "--timeout=0.5", "--json", "--no-cache")
    lsn = compute.jobs(limit=1)[0]["lsn"]
    assert sentence(done, 6) == f"Action {lsn} took longer than --timeout 0.5 s and was cancelled.\n"
    assert compute.job(lsn).state == "cancelled"


def test_who_has_to_wait_is_told_how_many_are_before(start, compute):
    capacity = compute.sysinfo()["runner"]["capacity"]
    busy = [compute.submit("slow", constants={"n": n}, cache=False) for n in range(capacity + 1)]
    process = start("exec", "slow", "--constant=n=last")
    for line in process.stderr:
        if "before it" in line:
            break
    assert line == "  1 action waits before it\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    for action in busy:
        action.cancel()


def test_a_recording_is_run_again(fpga, tmp_path, compute):
    folder = json.loads(out(fpga("record", "start", "--json")))["folder"]
    (tmp_path / "in.txt").write_text("recorded")
    fpga("exec", "upper", "--input=text=in.txt")
    assert out(fpga("record", "stop")) == f"{folder} has 1 action.\n"
    assert sentence(fpga("record", "stop"), 4) == "Nothing is being recorded. Start a recording first.\n"
    assert re.fullmatch(
        r"     1  upper +ok +\d\.\d\d s\n1 of 1 actions went well.\n", out(fpga("exec", "--replay", folder))
    )
    with open(Path(folder) / "actions.jsonl", "a") as file:
        known = json.loads((Path(folder) / "actions.jsonl").read_text())
        version = next(w for w in compute.workers() if w["name"] == "shell")["functions"][0]["version"]
        told = {**known, "function": "fails", "function_version": version, "inputs": {}, "worker": "f" * 64}
        file.write(json.dumps(told) + "\n")
    done = fpga("exec", "--replay", folder, "--json")
    assert done.returncode == 1
    assert [(one["number"], one["ok"], one["why"]) for one in json.loads(done.stdout)] == [
        (1, True, None),
        (2, False, "The program ended with exit code 7."),
    ]


def test_an_interrupt_ends_a_replay(start, compute, tmp_path):
    version = next(f for w in compute.workers() for f in w["functions"] if f["name"] == "slow")["version"]
    action = {"function": "slow", "function_version": version, "inputs": {}, "constants": {}, "priority": 0}
    fast = {**action, "function": "told", "constants": {"before": 1}}
    lines = [json.dumps({**one, "worker": ""}) for one in (fast, action)]
    (tmp_path / "actions.jsonl").write_text("\n".join(lines))
    process = start("exec", "--replay=.")
    assert process.stdout.readline().startswith("     1  told ")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == "Interrupted.\n"
    assert process.returncode == 130
    assert compute.jobs(limit=1)[0]["state"] == "cancelled"


# --- queues, workers, sysinfo, jobs ---


def test_queues(fpga, compute):
    token = out(fpga("queues", "--create", "--max-active=1", "--ttl=60")).strip()
    assert re.fullmatch("[0-9a-f]{24}", token)
    assert compute.queue(token).info()["config"] == {"max_retries": 3, "max_active": 1, "ttl_seconds": 60.0}
    assert fpga("exec", "noop", "--queue", token).returncode == 0
    assert re.search(rf"^{token} +\d+ +active +0 +1 +0 +0 ", out(fpga("queues")), re.MULTILINE)
    assert json.loads(out(fpga("queues", "--json")))[0]["queue_token"] == token
    assert out(fpga("queues", "--drain", token)) == (
        f"Queue {token} is complete: 0 active, 1 completed, 0 failed, 0 cancelled.\n"
    )
    number = out(fpga("queues", "--create", "--local")).strip()
    assert fpga("exec", "slow", "--queue", number, "--detach").returncode == 0
    assert out(fpga("queues", "--cancel", number)) == (
        f"Queue {number} is cancelled: 0 active, 0 completed, 0 failed, 1 cancelled.\n"
    )


def test_workers(fpga, worker, tmp_path):
    heads, _, first, *rest = out(fpga("workers")).splitlines()
    assert re.split(r"  +", heads) == ["worker", "name", "functions", "cores", "memory, MiB", "time limit, s"]
    assert re.fullmatch(r"[0-9a-f]{12} +builtin +hash, noop +1 +1024 +60", first)
    assert any(
        re.fullmatch(rf"{worker[:12]} +shell +ended, fails, slow, told, upper +1 +1024 +120", line) for line in rest
    )
    assert worker in {one["worker"] for one in json.loads(out(fpga("workers", "--json")))}
    (tmp_path / "run.sh").write_bytes(SCRIPT)
    told = {"name": "shell", "functions": FUNCTIONS, "executables": {"bin/run": "run.sh"}, "timeout_seconds": 120}
    (tmp_path / "worker.json").write_text(json.dumps(told))
    assert out(fpga("workers", "--register", "worker.json")) == f"Worker {worker} is registered.\n"


def test_sysinfo(fpga):
    text = out(fpga("sysinfo"))
    assert re.search(r"^sandbox +\w+: ", text, re.MULTILINE)
    assert re.search(r"^memory +[\d.]+ of [\d.]+ GiB free$", text, re.MULTILINE)
    assert re.search(r"^actions +\d+ at work, \d+ waiting", text, re.MULTILINE)
    assert re.search(r"^functions of builtin [0-9a-f]{12} +hash, noop$", text, re.MULTILINE)
    assert json.loads(out(fpga("sysinfo", "--json")))["cores"] >= 1


def test_jobs_tells_actions_from_jobs_of_boards(fpga, lab, compute):
    with pytest.raises(JobFailed):
        lab.build("x = 1 / 0\n").wait()
    lsn = compute.submit("fails").wait(60).lsn
    jobs, heading, actions = out(fpga("jobs")).split("\n\n")
    assert re.split(r"  +", jobs.splitlines()[0]) == ["job", "what", "board", "status", "submitted"]
    assert heading == "Actions of the compute service:"
    heads, _, first, *_ = actions.splitlines()
    assert re.split(r"  +", heads) == ["action", "function", "worker", "queue", "state", "result", "submitted"]
    assert re.match(rf"{lsn} +fails +[0-9a-f]{{12}} +– +completed +exit code 7 ", first)
    assert json.loads(out(fpga("jobs", "--actions", "--json", "--limit=1")))[0]["lsn"] == lsn
    assert all("job_id" in job for job in json.loads(out(fpga("jobs", "--json"))))
    assert "Actions" not in out(fpga("jobs", "--all"))


# --- What can't be ---


NO_QUEUE = (
    "There is no such queue of yours; `jupyter fpga queues` lists those that there are, and `jupyter fpga queues "
    "--create` (create_queue() in Python) makes one."
)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["exec"],
            2,
            "Say what to do with one of FUNCTION, --action FILE, --replay FOLDER, --attach NUMBER and --cancel NUMBER; "
            "jupyter fpga exec --help tells more.",
        ),
        (
            ["exec", "noop", "extra"],
            2,
            "`jupyter fpga exec` takes only FUNCTION, and got “extra”. Give a file as --input NAME=PATH and a value as "
            "--constant NAME=VALUE. `jupyter fpga exec --help` tells more.",
        ),
        (["exec", "upper", "--input=text"], 2, "--input takes NAME=PATH; got 'text'."),
        (["exec", "upper", "--constant==5"], 2, "--constant takes NAME=VALUE; got '=5'."),
        (["exec", "upper", "--priority=high"], 2, "--priority takes a whole number; got 'high'."),
        (
            ["exec", "--attach=x"],
            2,
            "--attach takes the number of an action, which `jupyter fpga jobs --actions` lists; got 'x'.",
        ),
        (
            ["exec", "--attach=999999999"],
            5,
            "There is no action 999999999 of yours. Ask for the list of jobs; finished ones are kept for a day.",
        ),
        (
            ["exec", "upper", "--input=text=none.txt"],
            2,
            "Input “text” can't be read: “none.txt”: No such file or directory. Give the path of a file, or the "
            "content itself as bytes.",
        ),
        (
            ["exec", "uper", "--worker=shell"],
            2,
            "Worker “shell” has no function “uper”; there are “ended”, “fails”, “slow”, “told”, “upper”. `jupyter fpga "
            "workers` lists who has which.",
        ),
        (
            ["exec", "noop", "--queue=987654"],
            5,
            NO_QUEUE,
        ),
        (["exec", "--action=none.json"], 2, "The file “none.json” can't be read: No such file or directory."),
        (
            ["exec", "--replay=none"],
            2,
            "There is no recording in “none”: actions.jsonl can't be read (No such file or directory). Give the folder "
            "that the lab named when the recording was stopped.",
        ),
        (["queues", "--create", "--drain=1"], 2, "Give one of --create, --drain and --cancel."),
        (["queues", "--drain=987654"], 5, NO_QUEUE),
        (
            ["record", "pause"],
            2,
            "`jupyter fpga record` needs start or stop, and got “pause”. It is written `jupyter fpga record "
            "start|stop`. `jupyter fpga record --help` tells more.",
        ),
        (
            ["record"],
            2,
            "`jupyter fpga record` needs start or stop. It is written `jupyter fpga record start|stop`. `jupyter fpga "
            "record --help` tells more.",
        ),
        (
            ["workers", "--register=none.json"],
            2,
            "The worker's descriptor “none.json” can't be read: No such file or directory.",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_code(fpga, words, code, message):
    assert sentence(fpga(*words), code) == f"{message}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "The file “x.json” is no action: it must be a JSON object with at least a “function”."),
        (
            '{"function": "noop", "input": {}}',
            "The file “x.json” has “input”, which no action has; the fields are function, function_version, inputs, "
            "constants, priority, cache, worker.",
        ),
        ('{"function": "noop", "inputs": []}', "“inputs” in the file “x.json” must be a JSON object."),
    ],
)
def test_a_file_that_is_no_action(fpga, tmp_path, text, message):
    (tmp_path / "x.json").write_text(text)
    assert sentence(fpga("exec", "--action=x.json"), 2) == f"{message}\n"


def test_an_iterator_that_nobody_reads_on_keeps_no_process(served_lab):
    script = (
        "import jupyter_fpga\nlab = jupyter_fpga.connect()\nevents = iter(lab.events())\nprint(next(events)['kind'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=served_lab.environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "watermark\n", "")
