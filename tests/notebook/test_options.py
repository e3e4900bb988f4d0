"""The magics' command lines."""

import pytest

from jupyter_fpga.client import Invalid
from jupyter_fpga.notebook.options import CELL, COMMANDS, LINE, HelpWanted, parse


def test_everything_that_a_cell_may_say():
    arguments = parse(
        CELL,
        "--name pwm --board 3 --target simulated --tag a --tag 'b c' --top Pwm --clock 12MHz --param WIDTH=8 "
        "--probe count,a.b --probe led --param NAME=x "
        "--param 'LIST=[1, 2]' --timeout 9.5 --no-wait --build-only --flash --verify --no-cache --quiet --lib",
    )
    assert vars(arguments) == {
        "name": "pwm",
        "board": 3,
        "target": "simulated",
        "tag": ["a", "b c"],
        "top": "Pwm",
        "clock": 12e6,
        "timing_target": None,
        "seed": None,
        "explore": None,
        "probe": ["count", "a.b", "led"],
        "param": [("WIDTH", 8), ("NAME", "x"), ("LIST", [1, 2])],
        "timeout": 9.5,
        "no_wait": True,
        "build_only": True,
        "flash": True,
        "verify": True,
        "no_cache": True,
        "quiet": True,
        "lib": True,
        "sim": False,
        "until": None,
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--bord 3", "%%fpga: there is no option --bord (did you mean --board?); `%fpga help` shows what there is."),
        (
            "--board x",
            "%%fpga: --board takes the number of a board, such as 0; got 'x'; `%fpga help` shows what there is.",
        ),
        ("--xyzzy", "%%fpga: there is no option --xyzzy; `%fpga help` shows what there is."),
        (
            "--quiet 3",
            "%%fpga: '3' isn't expected here; values belong behind their option; `%fpga help` shows what there is.",
        ),
        ("--board", "%%fpga: --board needs a value; `%fpga help` shows what there is."),
        ("--quiet=3", "%%fpga: --quiet takes no value; got '3'; `%fpga help` shows what there is."),
        (
            "--name 1x",
            "%%fpga: --name takes the name of a Python variable; got '1x'; `%fpga help` shows what there is.",
        ),
        (
            "--name class",
            "%%fpga: --name takes the name of a Python variable; got 'class'; `%fpga help` shows what there is.",
        ),
        (
            "--clock fast",
            "%%fpga: --clock takes a frequency such as 12MHz, 12e6 or 12_000_000; got 'fast'; "
            "`%fpga help` shows what there is.",
        ),
        ("--param X", "%%fpga: --param takes NAME=VALUE; got 'X'; `%fpga help` shows what there is."),
        (
            "--timeout 0",
            "%%fpga: --timeout takes a number of seconds above 0; got '0'; `%fpga help` shows what there is.",
        ),
        ("--name 'x", '%%fpga: no closing quotation in "--name \'x"; `%fpga help` shows what there is.'),
    ],
)
def test_what_can_not_be_read(line, message):
    with pytest.raises(Invalid) as refusal:
        parse(CELL, line)
    assert str(refusal.value) == message
    assert refusal.value.code == "usage"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("board", "there is no command board (did you mean boards?)"),
        ("reelase pwm", "there is no command reelase (did you mean release?)"),
        (
            "frobnicate",
            "there is no command frobnicate; there are boards, targets, status, jobs, logs, release, renew, reset, "
            "target, attach, help",
        ),
        ("logs --folow", "there is no option --folow (did you mean --follow?)"),
    ],
)
def test_unknown_words_of_the_line_magic(line, message):
    with pytest.raises(Invalid) as refusal:
        parse(LINE, line)
    assert str(refusal.value) == f"%fpga: {message}; `%fpga help` shows what there is."
    assert str(refusal.value).endswith("; `%fpga help` shows what there is.")


@pytest.mark.parametrize("parser", [CELL, LINE])
def test_help_lists_everything(parser):
    with pytest.raises(HelpWanted) as wanted:
        parse(parser, "--help")
    assert all(option in str(wanted.value) for option in parser.options())
    if parser is LINE:
        assert all(command in str(wanted.value) for command in COMMANDS)
