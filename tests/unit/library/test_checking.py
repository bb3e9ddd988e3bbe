"""Each thing that is wrong with a workshop is found, with its file and its line; what is right is left in peace."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_services.contracts.checking import Severity
from shared_services.contracts.workshop import SourceMap
from shared_services.library.checking import check_workshop
from shared_services.library.form import InvalidWorkshopError, validate_files
from tests.workshops import make_files

GOOD = make_files(
    steps={
        "first": "# First\n\nRun `{{host}}`, see [second](../second/content.md#the-end), ![p](../../assets/p.png) and [here](#first).\n\n"
        "```bash exec=T1 copy\necho {{ item }}\n```\n\nSee [the web](https://example.org/x) and [the console](%7B%7Bhost%7D%7D/console).\n",
        "second": "# Second\n\n## The end\n\nDone.\n",
    }
) | {"assets/p.png": b"\x89PNG"}
GOOD["workshop.yaml"] += b"variables:\n- name: host\n"
CONTENT = GOOD["steps/first/content.md"].decode()


def findings(files: dict[str, bytes]) -> list[tuple[str, str, int]]:
    return [(row.kind, row.file, row.line) for row in check_workshop(files).findings]


def with_text(text: str, name: str = "content.md") -> dict[str, bytes]:
    return GOOD | {f"steps/first/{name}": text.encode()}


def test_what_is_right_is_left_in_peace():
    report = check_workshop(GOOD)
    assert (report.findings, report.steps, report.title) == ([], 2, "A tiny workshop")


@pytest.mark.parametrize(
    ("manifest", "line", "words"),
    [
        ("apiVersion: workshop-assistant/v1\nslug: tiny\ntitle: [\n", 4, "is not YAML"),
        ("apiVersion: workshop-assistant/v1\nslug: Tiny\ntitle: T\nsteps: [first, second]\n", 2, "`slug`"),
        ("slug: tiny\ntitle: T\n# what is this\ntitel: T\nsteps: [first, second]\n", 4, "`titel` is no field"),
        ("slug: tiny\nsteps: [first, second]\n", 1, "`title` is missing"),
        ("slug: tiny\ntitle: T\nsteps:\n- first\n- second\n- first\n", 3, "listed twice: first"),
        ("slug: tiny\ntitle: T\nsteps: [first]\nchapters:\n- title: A\n  steps: [gone]\n", 4, "gone"),
        ("slug: tiny\ntitle: T\nsteps:\n- first\ntags:\n- ok\n- Not ok\n", 7, "`tags.2`"),
        ("- a list\n", 1, "mapping"),
    ],
)
def test_a_manifest_says_where_it_is_wrong(manifest: str, line: int, words: str):
    report = check_workshop(GOOD | {"workshop.yaml": manifest.encode()})
    found = [row for row in report.findings if row.file == "workshop.yaml"]
    assert [(row.severity, row.line) for row in found] == [(Severity.ERROR, line)]
    assert words in found[0].detail


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"steps/first/content.md": None}, ("no-content", "steps/first/content.md", 0)),
        ({"steps/first/step.yaml": None}, ("no-manifest", "steps/first/step.yaml", 0)),
        ({"steps/first/step.yaml": b"title: F\ncheck:\n  script: gone.sh\n"}, ("no-check", "steps/first/step.yaml", 3)),
        ({"steps/first/check.sh": b"true\n"}, ("unused-check", "steps/first/check.sh", 0)),
        ({"steps/first/source-map.json": b"{}"}, ("bad-source-map", "steps/first/source-map.json", 0)),
        ({"steps/first/quiz.yaml": b"a:\n  - b\n c: d\n"}, ("bad-yaml", "steps/first/quiz.yaml", 3)),
        ({"steps/first/hints.md": b"fine\nnot \xff\n"}, ("not-utf-8", "steps/first/hints.md", 2)),
        ({"steps/other/content.md": b"# Other\n"}, ("unlisted-step", "steps/other", 0)),
        ({"assets/old.png": b"x"}, ("unused-asset", "assets/old.png", 0)),
        ({"../out.md": b"x"}, ("bad-path", "../out.md", 0)),
        ({"workshop.yaml": None}, ("no-manifest", "workshop.yaml", 0)),
    ],
)
def test_files_that_are_missing_or_wrong(files: dict[str, bytes | None], expected: tuple[str, str, int]):
    made = {path: data for path, data in (GOOD | files).items() if data is not None}
    assert expected in findings(made)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("<<<<<<< mine\na\n=======\nb\n>>>>>>> theirs\n", "conflict-mark", 1),
        ("# F\n\n```bash\nls\n", "open-block", 3),
        ("# F\n\n```bash execute\nls\n```\n", "unknown-flag", 3),
        ("# F\n\nFirst\nthen [x](../gone/content.md).\n", "broken-link", 4),
        ("# F\n\n[x](../second/content.md#no)\n", "broken-link", 3),
        ("# F\n\n[x](#no)\n", "broken-link", 3),
        ("# F\n\n![x](../../assets/gone.png)\n", "missing-image", 3),
        ("# F\n\n[x](javascript:alert(1))\n", "refused-link", 3),
        ("# F\n\nUse {{ port }}.\n", "unknown-variable", 3),
        (" \n", "empty-text", 1),
    ],
)
def test_texts(text: str, kind: str, line: int):
    assert (kind, "steps/first/content.md", line) in findings(with_text(text))


def test_a_finding_leads_to_the_authors_own_file():
    source_map = SourceMap(file="lab.adoc", runs=[(1, "lab.adoc", 0), (3, "parts/a.adoc", 41)]).model_dump_json()
    report = check_workshop(with_text("# F\n\nText\n\n[x](gone.md)\n") | {"steps/first/source-map.json": source_map.encode()})
    (found,) = [row for row in report.findings if row.kind == "broken-link"]
    assert found.source is not None
    assert (found.line, found.source.file, found.source.line) == (5, "parts/a.adoc", 43)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["workshop.yaml", "steps/first/step.yaml", "steps/first/content.md", "steps/first/source-map.json", "x/y"]
        ),
        st.one_of(st.binary(max_size=60), st.text(max_size=80).map(str.encode)),
        max_size=4,
    )
)
def test_whatever_a_file_holds_it_is_judged_and_what_publishing_refuses_is_an_error(changes: dict[str, bytes]):
    files = GOOD | changes
    report = check_workshop(files)
    try:
        validate_files(files)
    except InvalidWorkshopError:
        assert report.count(Severity.ERROR) > 0
