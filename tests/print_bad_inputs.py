"""Write docs/bad-inputs.md: every bad input of the table and the message that it gets.

Run as ``python tests/print_bad_inputs.py``.
"""

import tempfile
from pathlib import Path

from bad_inputs import CASES, COMMANDS, printed, told

PAGE = Path(__file__).parents[1] / "docs" / "bad-inputs.md"


def lines():
    yield "# What bad input is told\n"
    yield "Written by `python tests/print_bad_inputs.py`; `tests/test_bad_inputs.py` checks it.\n"
    yield f"{len(CASES)} calls and {len(COMMANDS)} command lines. A caret points at the words."
    yield "\n## In Python\n"
    for case in CASES:
        yield from entry(case.name, lambda folder, c=case: f"{c.error.__name__}: {told(c, folder)}")
    yield "\n## On the command line (exit code 2)\n"
    for command in COMMANDS:
        yield from entry(command.name, lambda folder, c=command: printed(c, folder)[1])


def entry(name, message):
    with tempfile.TemporaryDirectory() as folder:
        text = message(Path(folder)).replace(folder, "FOLDER")
    text = "".join(c if c.isprintable() or c == "\n" else f"<U+{ord(c):04X}>" for c in text)
    yield f"**{name}**\n\n```\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(lines()), "utf-8")
