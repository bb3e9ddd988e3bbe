"""Checks and setups in another form: one that names files of its step goes first to where these lie there."""

import posixpath
import re

from agents.template_converter.exports.model import Exported
from agents.template_converter.exports.steps import Step
from agents.template_converter.forms.step_files import go_to

_NAMES_FILES = re.compile(r"(?<![\w./$}~-])(?:\./)?files/")
_SHELL = re.compile(r"^#!.*\b(?:ba|da|k|z)?sh\b")


def add_script(step: Step, exported: Exported, name: str, path: str, home: str) -> None:
    """Write a script of a step; with the files that it names, where it names any.

    Args:
        step: The step.
        exported: What the script is added to.
        name: `check.sh` or `setup.sh`.
        path: Of the script in the form.
        home: The folder of the form that the step's `files/` are put into for it.
    """
    text = step.check if name == "check.sh" else step.setup
    if text is None:
        return
    files = {file: data for file, data in step.files.items() if file.startswith("files/")}
    if not files or not _NAMES_FILES.search(text):
        exported.add(path, text)
        return
    exported.files |= {f"{home}/{file}": data for file, data in files.items()}
    first, _, rest = text.partition("\n")
    if first.startswith("#!") and not _SHELL.match(first):
        exported.add(path, text)
        said = f"It names files that lie in `{home}` there, so it must be started in that folder."
        exported.lose("check", f"steps/{step.id}/{name}", said)
        return
    go = go_to(posixpath.relpath(home, posixpath.dirname(path)))
    exported.add(path, f"{first}\n{go}{rest}" if first.startswith("#!") else go + text)
