"""A workshop's skeleton from an inventory: get it, run it, find your way, change an endpoint, test it, pack it, deploy it.

Every file, line, command and endpoint in it is the repository's own. A step that the repository gives no ground for is left out,
and that is told.
"""

import re
from dataclasses import dataclass, field

from agents.template_converter.forms.lines import lines_of, runs_of, text_of
from agents.template_converter.inventory.commands import build_commands, prepare_commands, run_commands, test_commands
from agents.template_converter.inventory.listening import Port, listening
from agents.template_converter.inventory.manifests import manifests_of
from agents.template_converter.inventory.not_looked_for import UNREAD
from agents.template_converter.inventory.places import answering, context_of, not_held
from agents.template_converter.inventory.program import Program, anothers, compose_of, container_of, main_program
from agents.template_converter.inventory.surroundings import is_supporting, settings_commands, supporting
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Loss
from shared_services.contracts.inventory import Endpoint, Inventory, Place

_EXCERPT = 12
_MOST_ROWS = 30
_HAS_PARAMETER = re.compile(r"[{}<>:*\[\]()?\\]")
_FROM_THE_TOP = "All commands are given in the repository's topmost folder."
_BESIDE = frozenset({"CSS", "HTML", "SQL", "Shell"})
_CODE = {"py": "python", "js": "javascript", "ts": "typescript", "tsx": "tsx", "java": "java", "go": "go", "kt": "kotlin"}


@dataclass
class _Steps:
    """Steps as they are written, and why others are not."""

    made: list[ImportedStep] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def add(self, name: str, title: str, source: str, *parts: str) -> None:
        content = "\n\n".join(part for part in (f"# {title}", *parts) if part) + "\n"
        lines = [line.made(line.text) for line in lines_of(content, source)]
        self.made.append(ImportedStep(id=name, title=title, source=source, content=text_of(lines), runs=runs_of(lines)))

    def leave_out(self, title: str, why: str) -> None:
        self.losses.append(Loss(kind="page", source="", line=0, detail=f"There is no step “{title}”: {why}"))


def skeleton(tree: Tree, inventory: Inventory, name: str, repository: str | None) -> ImportedWorkshop:
    """The workshop.

    Args:
        tree: The checkout that the inventory was read from.
        inventory: What it holds.
        name: What the repository is called.
        repository: Its git address; None where it has none that others could use.
    """
    steps = _Steps()
    program = main_program(inventory, tree.files)
    programs = [share.name for share in inventory.languages if share.name not in _BESIDE]
    languages = ", ".join(programs[:3]) or "no source that is known"
    named = ", ".join(framework.name for framework in inventory.frameworks[:6])
    about = f"`{name}` holds {languages}" + (f", with {named}." if named else ".")
    within = f"This workshop is about the program in `{program.folder}`." if program.folder else ""
    source = program.build.path if program.build else next(iter(inventory.documentation), next(iter(tree.files), ""))
    steps.add("get-it", "Get it", source, about, _clone(name, repository, tree.commit), within, _FROM_THE_TOP if within else "")
    run = run_commands(tree, inventory, program)
    port = listening(tree, inventory, program, container_of(program, inventory), run)
    _run(tree, inventory, program, run, port, steps)
    _find_your_way(inventory, program, steps, source)
    _change(tree, inventory, program, port, steps)
    tests = test_commands(tree, inventory, program)
    if tests:
        files = "one file" if len(program.tests) == 1 else f"{len(program.tests)} files"
        said = f"There {'is' if len(program.tests) == 1 else 'are'} {files} with tests:"
        steps.add("test-it", "Test it", program.tests[0], said, _listed([f"`{path}`" for path in program.tests]), _shell(tests))
    else:
        steps.leave_out("Test it", "no tests were found, or nothing tells how they are run.")
    _pack(tree, inventory, program, port, steps, name)
    _deploy(inventory, program, steps)
    return ImportedWorkshop(title=f"Get to know {name}", steps=steps.made, summary=about.replace("`", ""), losses=steps.losses)


def _run(tree: Tree, inventory: Inventory, program: Program, run: list[str], port: Port | None, steps: _Steps) -> None:
    if program.build is None:
        steps.leave_out("Run it", "no build file is known.")
        return
    serves = bool(run and program.endpoints)
    listens = f"It listens on port {port.number}, {port.said}." if port and serves else ""
    if not run:
        steps.losses.append(Loss(kind="page", source="", line=0, detail="Nothing tells how the program is started."))
    settings, beside, prepared = (
        settings_commands(tree, program), supporting(program, inventory), prepare_commands(tree, inventory, program)
    )  # fmt: skip
    services = ", ".join(f"`{row.name}`" for row in beside)
    steps.add(
        "run-it", "Run it", program.build.path,
        "Its settings are read from a file that you make from the example; look into it and change what is different with you:"
        if settings else "", _shell(settings),
        f"`{program.build.path}` is read by {program.build.tool}. Get what it needs and build it:",
        _shell(build_commands(program, tree.files)),
        f"`{beside[0].path}` runs {services} for it. Start what it needs of them:" if beside else "",
        _shell([f"podman-compose -f {beside[0].path} up -d {' '.join(row.name for row in beside)}"]) if beside else "",
        "Bring its database to where the program expects it:" if prepared else "", _shell(prepared),
        "Start it:" if run else "", _shell(run), listens,
        "It runs until you stop it with Ctrl-C; go on in a second terminal, in the same folder." if serves else "",
    )  # fmt: skip


def _clone(name: str, repository: str | None, commit: str | None) -> str:
    if repository is None:
        return "Open a terminal in the folder that holds it."
    rows = [f"git clone {repository} {name}", f"cd {name}", *([f"git checkout {commit}"] if commit else [])]
    return _shell(rows)


def _find_your_way(inventory: Inventory, program: Program, steps: _Steps, source: str) -> None:
    points, endpoints = program.entry_points or inventory.entry_points, program.endpoints or inventory.endpoints
    begins = [f"`{point.place.path}`{f', line {point.place.line}' if point.place.line else ''}: {point.kind}" for point in points]
    rows = [f"| {row.method} | `{row.path}` | {_code(row.handler)} | `{row.place.path}:{row.place.line}` |" for row in endpoints]
    table = "\n".join(["| method | address | handler | where |", "|---|---|---|---|", *rows[:_MOST_ROWS]]) if rows else ""
    more = f"And {len(rows) - _MOST_ROWS} more." if len(rows) > _MOST_ROWS else ""
    elsewhere = len(inventory.endpoints) - len(endpoints)
    beside = f"The repository's other programs have {elsewhere} more." if rows and elsewhere else ""
    if not begins and not rows:
        steps.leave_out("Find your way", "neither a beginning of the program nor an endpoint was found.")
        return
    place = points[0].place.path if points else endpoints[0].place.path
    steps.add(
        "find-your-way", "Find your way", place or source,
        "The program begins here:" if begins else "", _listed(begins),
        f"It has {len(rows)} endpoint{'' if len(rows) == 1 else 's'}:" if rows else "", table, more, beside,
    )  # fmt: skip


def _change(tree: Tree, inventory: Inventory, program: Program, port: Port | None, steps: _Steps) -> None:
    chosen = _to_change(program.endpoints)
    if chosen is None:
        unread = [share.name for share in inventory.languages if share.name in UNREAD]
        told = f"; those of {' and '.join(unread)} are not looked for" if unread else ""
        steps.leave_out("Change an endpoint", f"no HTTP endpoint was found{told}.")
        return
    place, known = answering(tree, program, chosen), chosen.place
    routed = (
        f"`{chosen.method} {chosen.path}` is routed in `{known.path}`, line {known.line}, and answered in `{place.path}`, line"
    )
    said = f"`{chosen.method} {chosen.path}` is answered in `{place.path}`, line" if place == known else routed
    asked = port is not None and chosen.method in ("GET", "ANY") and not _HAS_PARAMETER.search(chosen.path)
    steps.add(
        "change-an-endpoint", "Change an endpoint", place.path, f"{said} {place.line}:", _excerpt(tree, place),
        "Open the file, change what it answers, start the program again, and ask it" + (":" if asked else "."),
        _shell([f"curl -i http://localhost:{port.number}{chosen.path}"]) if asked and port else "",
    )  # fmt: skip


def _to_change(endpoints: list[Endpoint]) -> Endpoint | None:
    """An endpoint that can be asked as it stands, else any that is asked with GET, else the first."""
    asked = [row for row in endpoints if row.method == "GET"] or [
        row for row in endpoints if row.method == "ANY" and not row.handler.startswith("admin.")
    ]
    plain = [row for row in asked if not _HAS_PARAMETER.search(row.path)]
    longer = [row for row in plain if row.path != "/"]
    return next(iter(longer or plain or asked or endpoints), None)


def _excerpt(tree: Tree, place: Place) -> str:
    rows = tree.read_text(place.path).split("\n")
    first = place.line - 1
    shown = rows[first : first + _EXCERPT]
    mark = "~~~" if not any("~~~" in row for row in shown) else "~~~~~~"
    return "\n".join([f"{mark}{_CODE.get(place.path.rpartition('.')[2], 'text')}", *shown, mark])


def _pack(tree: Tree, inventory: Inventory, program: Program, port: Port | None, steps: _Steps, name: str) -> None:
    each = container_of(program, inventory)
    if each is None:
        steps.leave_out("Pack it into an image", "there is no Containerfile of the program.")
        return
    image = f"localhost/{''.join(char for char in name.lower() if char.isalnum() or char in '-_.')}:dev"
    built = next((row for row in inventory.compose if row.dockerfile == each.path), None)
    folder = (built.context if built else context_of(tree, program, each.path)) or "."
    bases = " and ".join(f"`{base}`" for base in each.base_images)
    ports = each.ports or ([port.number] if port else [])
    publish = "".join(f" -p {number}:{number}" for number in ports)
    missing = not_held(tree, each.path, "" if folder == "." else folder)
    steps.add(
        "pack-it", "Pack it into an image", each.path,
        f"`{each.path}` builds on {bases or 'nothing'}" + (f" and runs `{each.command}`." if each.command else "."),
        f"`{built.path}` builds it in `{folder}`." if built and folder != "." else "",
        f"It copies {', '.join(missing)}, which the repository does not hold: that has to be made before." if missing else "",
        _shell([f"podman build -f {each.path} -t {image} {folder}", f"podman run --rm{publish} {image}"]),
    )  # fmt: skip


def _deploy(inventory: Inventory, program: Program, steps: _Steps) -> None:
    services = compose_of(program, inventory)
    services = [] if all(is_supporting(row) for row in services) else services
    manifests = manifests_of([row for row in inventory.kubernetes if not anothers(row.path, program, inventory)])
    if services:
        path = services[0].path
        rows = [f"`{row.name}`" + (f" from `{row.image}`" if row.image else "") for row in services]
        steps.add(
            "deploy-it", "Deploy it", path, f"`{path}` runs these services together:", _listed(rows),
            _shell([f"podman-compose -f {path} up -d"]),
        )  # fmt: skip
    elif manifests is not None:
        rows = [f"`{row.kind}` `{row.name}` in `{row.path}`" for row in manifests.objects]
        steps.add(
            "deploy-it", "Deploy it", manifests.objects[0].path, "These objects describe it to Kubernetes:", _listed(rows),
            _shell([manifests.command]),
        )  # fmt: skip
    else:
        steps.leave_out("Deploy it", "neither a compose file nor a Kubernetes manifest runs the program.")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _listed(rows: list[str]) -> str:
    more = [f"- and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []
    return "\n".join([*(f"- {row}" for row in rows[:_MOST_ROWS]), *more])


def _shell(commands: list[str]) -> str:
    return "\n".join(["```bash exec", *commands, "```"]) if commands else ""
