"""A workshop changed by hand and the newer conversion of its source: nothing of the author's is lost, and no mark gets in."""

import json
from collections import Counter
from dataclasses import replace

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_services.contracts.merging import ConflictKind, Decision, Take
from shared_services.contracts.workshop import SourceMap, WorkshopSource
from shared_services.library.form import WorkshopFiles, validate_files
from shared_services.library.merging import merge_workshops, with_origin
from tests.workshops import make_files, make_workshop

LONG = "# {0}\n\nFirst {0}.\n\n```bash exec\nrun {0}\n```\n\nThen look at {0}.\n\nLast {0}.\n"
STEPS = {name: LONG.format(name) for name in ("get", "build", "deploy", "tidy")}


def changed(workshop: WorkshopFiles, **texts: str | bytes | None) -> WorkshopFiles:
    """The workshop with files added, changed or (None) removed; `__` in a name stands for `/`."""
    files = dict(workshop.files)
    for name, text in texts.items():
        path = name.replace("__", "/")
        if text is None:
            del files[path]
        else:
            files[path] = text if isinstance(text, bytes) else text.encode()
    return validate_files(files)


def edited(workshop: WorkshopFiles, step: str, old: str, new: str) -> WorkshopFiles:
    path = f"steps/{step}/content.md"
    text = workshop.text(path)
    assert text is not None
    assert old in text
    return validate_files(workshop.files | {path: text.replace(old, new).encode()})


def manifest(workshop: WorkshopFiles, **values: object) -> WorkshopFiles:
    data = yaml.safe_load(workshop.files["workshop.yaml"]) | values
    return validate_files(workshop.files | {"workshop.yaml": yaml.safe_dump(data, sort_keys=False).encode()})


def renamed(workshop: WorkshopFiles, old: str, new: str) -> WorkshopFiles:
    files = {path.replace(f"steps/{old}/", f"steps/{new}/"): data for path, data in workshop.files.items()}
    for path, data in files.items():
        if path.endswith(".md"):
            files[path] = data.replace(f"../{old}/content.md".encode(), f"../{new}/content.md".encode())
    data = yaml.safe_load(files["workshop.yaml"])
    for row in [data, *data.get("chapters", [])]:
        row["steps"] = [new if step == old else step for step in row["steps"]]
    return validate_files(files | {"workshop.yaml": yaml.safe_dump(data, sort_keys=False).encode()})


def without(workshop: WorkshopFiles, step: str) -> WorkshopFiles:
    files = {path: data for path, data in workshop.files.items() if not path.startswith(f"steps/{step}/")}
    data = yaml.safe_load(files["workshop.yaml"])
    data["steps"].remove(step)
    return validate_files(files | {"workshop.yaml": yaml.safe_dump(data, sort_keys=False).encode()})


def added(workshop: WorkshopFiles, step: str, after: str, text: str = "# New\n") -> WorkshopFiles:
    data = yaml.safe_load(workshop.files["workshop.yaml"])
    data["steps"].insert(data["steps"].index(after) + 1, step)
    files = {f"steps/{step}/content.md": text.encode(), f"steps/{step}/step.yaml": b"title: New\n"}
    return validate_files(workshop.files | files | {"workshop.yaml": yaml.safe_dump(data, sort_keys=False).encode()})


BASE = make_workshop(steps=STEPS)


def test_changes_of_both_sides_in_one_step_are_both_taken():
    mine = edited(BASE, "build", "First build.", "First build, said by me.")
    theirs = edited(BASE, "build", "Last build.", "Last build, said anew.")
    merged = merge_workshops(BASE, mine, theirs)
    text = merged.workshop.text("steps/build/content.md")
    assert text == LONG.format("build").replace("First build.", "First build, said by me.").replace(
        "Last build.", "Last build, said anew."
    )
    assert merged.conflicts == []


def test_a_conflict_leaves_the_authors_lines_until_it_is_decided():
    mine = edited(BASE, "build", "run build", "run build --mine")
    theirs = edited(BASE, "build", "run build", "run build --theirs")
    merged = merge_workshops(BASE, mine, theirs)
    (conflict,) = merged.undecided
    assert (conflict.kind, conflict.path, conflict.step, conflict.line) == (
        ConflictKind.LINES, "steps/build/content.md", "build", 6,
    )  # fmt: skip
    assert (conflict.base, conflict.mine, conflict.theirs) == ("run build\n", "run build --mine\n", "run build --theirs\n")
    assert merged.workshop.files["steps/build/content.md"] == mine.files["steps/build/content.md"]
    for decision, lines in (
        (Decision(take=Take.MINE), "run build --mine\n"),
        (Decision(take=Take.THEIRS), "run build --theirs\n"),
        (Decision(take=Take.BOTH), "run build --mine\nrun build --theirs\n"),
        (Decision(text="run both"), "run both\n"),
    ):
        again = merge_workshops(BASE, mine, theirs, {conflict.id: decision})
        assert again.undecided == []
        assert again.conflicts[0].decided == decision
        assert f"exec\n{lines}```\n" in (again.workshop.text("steps/build/content.md") or "")


def test_a_decision_that_does_not_fit_decides_nothing():
    mine, theirs = manifest(BASE, title="Mine"), manifest(BASE, title="Theirs")
    (conflict,) = merge_workshops(BASE, mine, theirs).conflicts
    assert conflict.field == "title"
    for decision in (Decision(take=Take.BOTH), Decision(text="x")):
        merged = merge_workshops(BASE, mine, theirs, {conflict.id: decision})
        assert merged.undecided == merged.conflicts
        assert merged.workshop.manifest.title == "Mine"
    assert merge_workshops(BASE, mine, theirs, {conflict.id: Decision(take=Take.THEIRS)}).workshop.manifest.title == "Theirs"


def test_fields_of_the_manifest_are_merged_one_by_one():
    base = manifest(BASE, tags=["a", "b"], authors=["Ada"], duration=30)
    mine = manifest(base, title="My title", tags=["a", "b", "mine"], context={"tags": ["java"]}, difficulty="beginner")
    theirs = manifest(base, duration=45, tags=["b", "new"], authors=["Ada", "Bob"])
    merged = merge_workshops(base, mine, theirs)
    assert merged.conflicts == []
    made = merged.workshop.manifest
    assert (made.title, made.duration, made.difficulty) == ("My title", 45, "beginner")
    assert made.tags == ["b", "mine", "new"] or made.tags == ["b", "new", "mine"]
    assert made.authors == ["Ada", "Bob"]
    assert made.context.tags == ["java"]


def test_comments_of_the_authors_manifest_stay():
    text = (
        "# our lab\napiVersion: workshop-assistant/v1\nslug: tiny\ntitle: Mine # short\nsteps:\n- get\n# the fun one\n- build\n"
        "- deploy # slow\n- tidy\n# for the shop\ndifficulty: beginner\n"
    )
    mine = changed(BASE, **{"workshop.yaml": text})
    theirs = manifest(added(BASE, "check", "build"), duration=20)
    merged = merge_workshops(BASE, mine, theirs)
    written = merged.workshop.text("workshop.yaml") or ""
    for comment in ("# our lab", "# short", "# the fun one", "# slow", "# for the shop"):
        assert comment in written
    assert merged.workshop.manifest.steps == ["get", "build", "check", "deploy", "tidy"]
    assert (merged.workshop.manifest.duration, merged.workshop.manifest.difficulty) == (20, "beginner")


def test_steps_that_a_side_added_removed_or_moved():
    mine = added(without(BASE, "tidy"), "mine", "get")
    theirs = manifest(added(BASE, "theirs", "deploy"), steps=["build", "get", "deploy", "theirs", "tidy"])
    merged = merge_workshops(BASE, mine, theirs)
    assert merged.conflicts == []
    assert merged.workshop.manifest.steps == ["build", "get", "mine", "deploy", "theirs"]


def test_two_orders_are_a_question():
    mine = manifest(BASE, steps=["build", "get", "deploy", "tidy"])
    theirs = manifest(BASE, steps=["get", "build", "tidy", "deploy"])
    (conflict,) = merge_workshops(BASE, mine, theirs).conflicts
    assert conflict.kind is ConflictKind.ORDER
    assert merge_workshops(BASE, mine, theirs).workshop.manifest.steps == mine.manifest.steps
    decided = merge_workshops(BASE, mine, theirs, {conflict.id: Decision(take=Take.THEIRS)})
    assert decided.workshop.manifest.steps == theirs.manifest.steps


def test_a_step_that_the_source_removed_and_the_author_changed_stays_until_the_author_says_otherwise():
    mine, theirs = edited(BASE, "tidy", "Last tidy.", "Mine."), without(BASE, "tidy")
    merged = merge_workshops(BASE, mine, theirs)
    (conflict,) = merged.conflicts
    assert (conflict.kind, conflict.step, conflict.theirs) == (ConflictKind.STEP, "tidy", None)
    assert "Mine." in (merged.workshop.text("steps/tidy/content.md") or "")
    gone = merge_workshops(BASE, mine, theirs, {conflict.id: Decision(take=Take.THEIRS)}).workshop
    assert gone.manifest.steps == ["get", "build", "deploy"]
    assert not any(path.startswith("steps/tidy/") for path in gone.files)
    assert "tidy" not in merge_workshops(BASE, BASE, theirs).workshop.steps


def test_a_step_that_the_author_removed_and_the_source_changed_can_be_had_back():
    mine, theirs = without(BASE, "build"), edited(BASE, "build", "run build", "run build --new")
    merged = merge_workshops(BASE, mine, theirs)
    (conflict,) = merged.conflicts
    assert "build" not in merged.workshop.steps
    back = merge_workshops(BASE, mine, theirs, {conflict.id: Decision(take=Take.THEIRS)}).workshop
    assert back.manifest.steps == ["get", "build", "deploy", "tidy"]
    assert back.files["steps/build/content.md"] == theirs.files["steps/build/content.md"]


def test_a_step_that_the_source_renamed_keeps_what_the_author_changed_in_it():
    base = edited(BASE, "get", "Last get.", "Next: [build](../build/content.md#run).")
    mine = edited(edited(base, "build", "First build.", "First, by me."), "get", "First get.", "See [it](../build/content.md).")
    theirs = edited(renamed(base, "build", "compile"), "compile", "Last build.", "Last, by them.")
    merged = merge_workshops(base, mine, theirs)
    assert merged.conflicts == []
    assert merged.workshop.manifest.steps == ["get", "compile", "deploy", "tidy"]
    text = merged.workshop.text("steps/compile/content.md") or ""
    assert "First, by me." in text
    assert "Last, by them." in text
    linked = merged.workshop.text("steps/get/content.md") or ""
    assert linked.count("../compile/content.md") == 2
    assert "../build/" not in linked
    # And the other way round: the author renamed it.
    other = merge_workshops(base, theirs, mine)
    assert other.workshop.files == merged.workshop.files


def test_a_step_that_both_renamed_is_a_question():
    mine, theirs = renamed(BASE, "build", "make"), renamed(BASE, "build", "compile")
    merged = merge_workshops(BASE, mine, theirs)
    (conflict,) = merged.conflicts
    assert conflict.kind is ConflictKind.NAME
    assert "make" in merged.workshop.steps
    decided = merge_workshops(BASE, mine, theirs, {conflict.id: Decision(take=Take.THEIRS)})
    assert "compile" in decided.workshop.steps
    assert "make" not in decided.workshop.steps


def test_a_new_id_that_the_author_gave_to_another_step_is_given_twice_to_nobody():
    mine = added(BASE, "compile", "get", "# Quite another thing\n\nNothing in common.\n")
    theirs = renamed(BASE, "build", "compile")
    merged = merge_workshops(BASE, mine, theirs).workshop
    assert merged.manifest.steps == ["get", "compile", "compile-2", "deploy", "tidy"]
    assert merged.text("steps/compile/content.md") == "# Quite another thing\n\nNothing in common.\n"
    assert merged.files["steps/compile-2/content.md"] == BASE.files["steps/build/content.md"]


def test_chapters_follow_their_steps():
    base = manifest(BASE, chapters=[{"title": "A", "steps": ["get", "build"]}, {"title": "B", "steps": ["deploy", "tidy"]}])
    mine = manifest(base, chapters=[{"title": "A", "steps": ["get", "build"]}, {"title": "The end", "steps": ["deploy", "tidy"]}])
    theirs = manifest(
        renamed(base, "build", "compile"),
        chapters=[{"title": "A", "steps": ["get", "compile"]}, {"title": "B", "steps": ["deploy", "tidy"]}],
    )
    merged = merge_workshops(base, mine, theirs)
    assert [(row.title, row.steps) for row in merged.workshop.manifest.chapters] == [
        ("A", ["get", "compile"]),
        ("The end", ["deploy", "tidy"]),
    ]


def test_files_that_are_no_text():
    base = changed(BASE, **{"assets__a.png": b"\x00base", "assets__gone.png": b"\x00gone", "assets__used.png": b"\x00used"})
    mine = edited(changed(base, **{"assets__a.png": b"\x00mine"}), "get", "Last get.", "![](../../assets/used.png)")
    theirs = changed(
        base, **{"assets__a.png": b"\x00theirs", "assets__gone.png": None, "assets__used.png": None, "assets__b.png": b"\x00new"}
    )
    merged = merge_workshops(base, mine, theirs)
    (conflict,) = merged.conflicts
    assert (conflict.kind, conflict.path, conflict.mine, conflict.theirs) == (ConflictKind.FILE, "assets/a.png", None, None)
    assert merged.workshop.files["assets/a.png"] == b"\x00mine"
    assert merged.workshop.files["assets/b.png"] == b"\x00new"
    assert "assets/gone.png" not in merged.workshop.files
    assert merged.workshop.files["assets/used.png"] == b"\x00used"  # the author's text shows it
    decided = merge_workshops(base, mine, theirs, {conflict.id: Decision(take=Take.THEIRS)})
    assert decided.workshop.files["assets/a.png"] == b"\x00theirs"


def test_a_file_that_one_removed_and_the_other_changed():
    base = changed(BASE, **{"steps__get__hints.md": "Look.\n"})
    mine, theirs = changed(base, **{"steps__get__hints.md": "Look closely.\n"}), changed(base, **{"steps__get__hints.md": None})
    for one, other, stands in ((mine, theirs, True), (theirs, mine, False)):
        merged = merge_workshops(base, one, other)
        assert [row.kind for row in merged.conflicts] == [ConflictKind.FILE]
        assert ("steps/get/hints.md" in merged.workshop.files) is stands


def test_the_source_map_leads_to_the_newer_commits_lines():
    def mapped(workshop: WorkshopFiles, runs: list[tuple[int, str, int]]) -> WorkshopFiles:
        source_map = SourceMap(file="build.adoc", runs=runs).model_dump_json().encode() + b"\n"
        return changed(workshop, **{"steps__build__source-map.json": source_map})

    base = mapped(BASE, [(1, "build.adoc", 11)])
    mine = edited(base, "build", "First build.\n", "First build.\nBy me.\n")
    theirs = mapped(edited(BASE, "build", "# build\n", "# build\n\nNew above.\n"), [(1, "build.adoc", 0), (3, "build.adoc", 23)])
    merged = merge_workshops(base, mine, theirs).workshop
    lines = (merged.text("steps/build/content.md") or "").split("\n")
    found = SourceMap.model_validate(json.loads(merged.files["steps/build/source-map.json"]))
    place = {line: found.locate(number).line for number, line in enumerate(lines, 1)}
    assert place["New above."] == 23
    assert place["First build."] == 25
    assert place["Last build."] == 25 + 8
    assert (lines.index("By me.") + 1, "build.adoc", 0) in found.runs


def test_the_result_has_the_authors_name_and_the_sources_origin():
    base = with_origin(BASE, "other", WorkshopSource(commit="1" * 40))
    theirs = with_origin(BASE, "another", WorkshopSource(commit="2" * 40, ref="main"))
    mine = with_origin(BASE, "tiny", WorkshopSource(commit="1" * 40, ref="v1"))
    merged = merge_workshops(base, mine, theirs)
    assert merged.conflicts == []
    assert merged.workshop.manifest.slug == "tiny"
    assert merged.workshop.manifest.source == WorkshopSource(commit="2" * 40, ref="main")


NAMES = st.lists(st.sampled_from(["get", "build", "deploy", "tidy", "extra"]), min_size=1, max_size=4, unique=True)
TEXTS = st.lists(st.sampled_from(["# A", "one", "two", "three", "", "```bash", "```"]), max_size=8).map(
    lambda rows: "\n".join(rows) + "\n"
)
WORKSHOPS = st.builds(
    lambda names, texts, title, extra: validate_files(
        make_files(steps=dict(zip(names, texts, strict=False)), title=title) | extra
    ),
    NAMES,
    st.lists(TEXTS, min_size=4, max_size=4),
    st.sampled_from(["A", "B", "C"]),
    st.dictionaries(st.sampled_from(["assets/a.txt", "assets/b.bin"]), st.sampled_from([b"x\n", b"y\n", b"\x00z"]), max_size=2),
)


def said(workshop: WorkshopFiles) -> WorkshopFiles:
    """The workshop with its manifests' values instead of their bytes."""
    files = {path: b"" if path.endswith(".yaml") else data for path, data in workshop.files.items()}
    return replace(workshop, files=files)


@settings(deadline=None)
@given(WORKSHOPS, WORKSHOPS)
def test_what_one_side_left_alone_becomes_what_the_other_made(one: WorkshopFiles, other: WorkshopFiles):
    for merged in (merge_workshops(one, one, other), merge_workshops(one, other, one), merge_workshops(one, other, other)):
        assert merged.conflicts == []
        assert said(merged.workshop) == said(other)


@settings(deadline=None)
@given(WORKSHOPS, WORKSHOPS, WORKSHOPS)
def test_nothing_that_the_author_wrote_is_lost(base: WorkshopFiles, mine: WorkshopFiles, theirs: WorkshopFiles):
    def lines(workshop: WorkshopFiles) -> Counter[bytes]:
        return Counter(
            line for path, data in workshop.files.items() if not path.endswith(".yaml") for line in data.split(b"\n") if line
        )

    merged = merge_workshops(base, mine, theirs)
    assert lines(mine) - lines(base) - lines(merged.workshop) == Counter()
    assert b"<<<<<<<" not in b"".join(merged.workshop.files.values())
    # Some decisions ask for others, such as what a step that is had back is to hold; none asks for ever.
    decisions: dict[str, Decision] = {}
    for _ in range(4):
        decisions |= {row.id: Decision(take=Take.THEIRS) for row in merge_workshops(base, mine, theirs, decisions).undecided}
    assert merge_workshops(base, mine, theirs, decisions).undecided == []
