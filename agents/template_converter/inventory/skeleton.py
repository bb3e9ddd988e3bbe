"""A workshop's skeleton from an inventory: get it, run it, find your way, change an endpoint, test it, pack it, deploy it.

Every file, line, command and endpoint in it is the repository's own. A step that the repository gives no ground for is left out,
and that is told.
"""

from dataclasses import dataclass, field

from agents.template_converter.forms.lines import lines_of, runs_of, text_of
from agents.template_converter.inventory.commands import build_commands, folder_of, main_build, run_commands, test_commands
from agents.template_converter.model import ImportedStep, ImportedWorkshop, Tree
from shared_services.contracts.conversion import Loss
from shared_services.contracts.inventory import Endpoint, Inventory

_EXCERPT = 12
_MOST_ROWS = 30
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
    build = main_build(inventory)
    folder = folder_of(build) if build else ""
    programs = [share.name for share in inventory.languages if share.name not in _BESIDE]
    languages = ", ".join(programs[:3]) or "no source that is known"
    named = ", ".join(framework.name for framework in inventory.frameworks[:6])
    about = f"`{name}` holds {languages}" + (f", with {named}." if named else ".")
    source = build.path if build else next(iter(inventory.documentation), next(iter(tree.files), ""))
    steps.add(
        "get-it", "Get it", source, about, _clone(name, repository, tree.commit), _shell([f"cd {folder}"]) if folder else ""
    )
    if build is not None:
        run = run_commands(inventory, build, tree.files)
        made = build_commands(build, tree.files)
        told = f"`{build.path}` is read by {build.tool}."
        ports = sorted({port for each in inventory.containers for port in each.ports})
        steps.add(
            "run-it", "Run it", build.path, told, _shell(made), "Start it:" if run else "", _shell(run),
            f"`{inventory.containers[0].path}` exposes port {ports[0]}." if ports else "",
        )  # fmt: skip
    else:
        steps.leave_out("Run it", "no build file is known.")
    _find_your_way(inventory, steps, source)
    _change(tree, inventory, steps)
    tests = test_commands(inventory, build, tree.files) if build else []
    if tests:
        listed = _listed([f"`{path}`" for path in inventory.tests])
        steps.add(
            "test-it", "Test it", inventory.tests[0], f"There are {len(inventory.tests)} files with tests:", listed, _shell(tests)
        )
    else:
        steps.leave_out("Test it", "no tests were found, or nothing tells how they are run.")
    _pack(inventory, steps, name)
    _deploy(inventory, steps)
    return ImportedWorkshop(title=f"Get to know {name}", steps=steps.made, summary=about.replace("`", ""), losses=steps.losses)


def _clone(name: str, repository: str | None, commit: str | None) -> str:
    if repository is None:
        return "Open a terminal in the folder that holds it."
    rows = [f"git clone {repository} {name}", f"cd {name}", *([f"git checkout {commit}"] if commit else [])]
    return _shell(rows)


def _find_your_way(inventory: Inventory, steps: _Steps, source: str) -> None:
    begins = [
        f"`{point.place.path}`{f', line {point.place.line}' if point.place.line else ''}: {point.kind}"
        for point in inventory.entry_points
    ]
    rows = [
        f"| {row.method} | `{row.path}` | {_code(row.handler)} | `{row.place.path}:{row.place.line}` |"
        for row in inventory.endpoints
    ]
    table = "\n".join(["| method | address | handler | where |", "|---|---|---|---|", *rows[:_MOST_ROWS]]) if rows else ""
    more = f"And {len(rows) - _MOST_ROWS} more." if len(rows) > _MOST_ROWS else ""
    if not begins and not rows:
        steps.leave_out("Find your way", "neither a beginning of the program nor an endpoint was found.")
        return
    place = inventory.entry_points[0].place.path if inventory.entry_points else inventory.endpoints[0].place.path
    steps.add(
        "find-your-way", "Find your way", place or source,
        "The program begins here:" if begins else "", _listed(begins),
        f"It has {len(rows)} endpoints:" if rows else "", table, more,
    )  # fmt: skip


def _change(tree: Tree, inventory: Inventory, steps: _Steps) -> None:
    chosen = next((row for row in inventory.endpoints if row.method == "GET"), next(iter(inventory.endpoints), None))
    if chosen is None:
        steps.leave_out("Change an endpoint", "no HTTP endpoint was found.")
        return
    place = chosen.place
    steps.add(
        "change-an-endpoint", "Change an endpoint", place.path,
        f"`{chosen.method} {chosen.path}` is answered in `{place.path}`, line {place.line}:",
        _excerpt(tree, chosen),
        "Open the file, change what it answers, start the program again, and ask it.",
    )  # fmt: skip


def _excerpt(tree: Tree, endpoint: Endpoint) -> str:
    rows = tree.read_text(endpoint.place.path).split("\n")
    first = endpoint.place.line - 1
    shown = rows[first : first + _EXCERPT]
    mark = "~~~" if not any("~~~" in row for row in shown) else "~~~~~~"
    return "\n".join([f"{mark}{_CODE.get(endpoint.place.path.rpartition('.')[2], 'text')}", *shown, mark])


def _pack(inventory: Inventory, steps: _Steps, name: str) -> None:
    if not inventory.containers:
        steps.leave_out("Pack it into an image", "there is no Containerfile.")
        return
    each = inventory.containers[0]
    image = f"localhost/{''.join(char for char in name.lower() if char.isalnum() or char in '-_.')}:dev"
    folder = each.path.rpartition("/")[0] or "."
    bases = " and ".join(f"`{base}`" for base in each.base_images)
    publish = "".join(f" -p {port}:{port}" for port in each.ports)
    steps.add(
        "pack-it", "Pack it into an image", each.path,
        f"`{each.path}` builds on {bases or 'nothing'}" + (f" and runs `{each.command}`." if each.command else "."),
        _shell([f"podman build -f {each.path} -t {image} {folder}", f"podman run --rm{publish} {image}"]),
    )  # fmt: skip


def _deploy(inventory: Inventory, steps: _Steps) -> None:
    if inventory.compose:
        path = inventory.compose[0].path
        rows = [f"`{row.name}`" + (f" from `{row.image}`" if row.image else "") for row in inventory.compose if row.path == path]
        steps.add(
            "deploy-it",
            "Deploy it",
            path,
            f"`{path}` runs these services together:",
            _listed(rows),
            _shell([f"podman-compose -f {path} up -d"]),
        )
    elif inventory.kubernetes:
        paths = list(dict.fromkeys(row.path for row in inventory.kubernetes))
        rows = [f"`{row.kind}` `{row.name}` in `{row.path}`" for row in inventory.kubernetes]
        steps.add(
            "deploy-it",
            "Deploy it",
            paths[0],
            "These objects describe it to Kubernetes:",
            _listed(rows),
            _shell([f"kubectl apply -f {path}" for path in paths]),
        )
    else:
        steps.leave_out("Deploy it", "there is neither a compose file nor a Kubernetes manifest.")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _listed(rows: list[str]) -> str:
    more = [f"- and {len(rows) - _MOST_ROWS} more"] if len(rows) > _MOST_ROWS else []
    return "\n".join([*(f"- {row}" for row in rows[:_MOST_ROWS]), *more])


def _shell(commands: list[str]) -> str:
    return "\n".join(["```bash exec", *commands, "```"]) if commands else ""
