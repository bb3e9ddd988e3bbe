"""What a version of a step says, as the ways of helping need it. Read once, pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared_services.contracts.rag import Passage
from workshop_chat.stages.excerpts import (
    Excerpt,
    StepFile,
    Told,
    command_parts,
    headings_of,
    hints_of,
    lines_of,
    sections_of,
    without_commands,
)
from workshop_chat.stages.reveal import NO_COMMANDS, Commands, commands_of


@dataclass(frozen=True)
class StepTexts:
    """What one version of a step says.

    Attributes:
        hints: In the author's order.
        solution: Of `solve.md`, else the step's own blocks of commands; in order.
        headings: Titles of the step's sections.
        sections: What stands below each heading, by its title.
        task: Title of the first section that has commands; empty where none has.
        prose: What the step says without its code and commands.
        commands: Of the step and its solution, which a hint must not give away.
        secret: Those that the solution alone holds.
    """

    hints: tuple[Told, ...] = ()
    solution: tuple[Told, ...] = ()
    headings: tuple[str, ...] = ()
    sections: Mapping[str, Passage] = field(default_factory=dict)
    task: str = ""
    prose: tuple[Passage, ...] = ()
    commands: Commands = NO_COMMANDS
    secret: Commands = NO_COMMANDS


NO_TEXTS = StepTexts()


def read_texts(content: StepFile | None, hints: StepFile | None, solve: StepFile | None) -> StepTexts:
    """What the texts of a step say."""
    if content is None:
        return NO_TEXTS
    own = commands_of(content.text)
    commands = own | commands_of(solve.text) if solve else own
    done = command_parts(content.text)
    parts = command_parts(solve.text, all_prose=True) if solve else done
    of = solve or content
    whole = Excerpt(1, max(1, len(lines_of(content.text))), (), "")
    return StepTexts(
        hints=tuple(Told(hints.passage(hint, "hint"), hint) for hint in hints_of(hints.text)) if hints else (),
        solution=tuple(Told(of.passage(part, "solve" if solve else "command"), part) for part in parts),
        headings=tuple(headings_of(content.text)),
        sections={title: _section(content, section) for title, section in sections_of(content.text).items()},
        task=next((part.heading[-1] for part in done if part.heading), ""),
        prose=tuple(without_commands(content.passage(whole, "prose"), commands)),
        commands=commands,
        secret=commands - own,
    )


def _section(content: StepFile, section: Excerpt) -> Passage:
    """A section as a passage, ending as those of the index do, since it is shown in their place."""
    passage = content.passage(section, "prose")
    return passage.model_copy(update={"text": passage.text.removesuffix("\n")})
