"""The words of the neutral form mean what FORMATS says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared_services.contracts.base import RelativePath, Slug
from shared_services.contracts.workshop import FenceInfo, WorkshopManifest, parse_fence_info


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ("", FenceInfo()),
        ("bash", FenceInfo(language="bash")),
        ("Bash exec", FenceInfo(language="bash", executable=True)),
        ("sh exec=web copy", FenceInfo(language="sh", executable=True, target="web", copyable=True)),
        ("text output", FenceInfo(language="text", output=True)),
        ("exec", FenceInfo(executable=True)),
        ("python {.line-numbers} title=x", FenceInfo(language="python")),
        ("executable", FenceInfo(language="executable")),
    ],
)
def test_info_strings(info: str, expected: FenceInfo):
    assert parse_fence_info(info) == expected


@given(st.builds(FenceInfo, language=st.sampled_from(["bash", "python", "yaml"]), executable=st.booleans(),
                 copyable=st.booleans(), output=st.booleans()))  # fmt: skip
def test_what_is_written_is_read_back(info: FenceInfo):
    assert parse_fence_info(str(info)) == info


@pytest.mark.parametrize("path", ["../x", "/x", "a/../b", "a//b", "./a", "a\\b", "a\x00", ""])
def test_paths_that_could_leave(path: str):
    with pytest.raises(ValidationError):
        TypeAdapter(RelativePath).validate_python(path)


@pytest.mark.parametrize("slug", ["", "-a", "a-", "A", "a" * 64, "a_b", 'a" or 1==1', "ａ", "a\n", "a.b"])
def test_ids_that_are_no_labels(slug: str):
    with pytest.raises(ValidationError):
        TypeAdapter(Slug).validate_python(slug)


@pytest.mark.parametrize(("given_", "minutes"), [("45m", 45), ("1h", 60), ("1h 5m", 65), ("0:45:00", 45), (30, 30), (None, None)])
def test_durations(given_: object, minutes: int | None):
    assert WorkshopManifest.model_validate({"slug": "a", "title": "A", "steps": ["x"], "duration": given_}).duration == minutes


def test_a_step_is_listed_once_and_chapters_know_their_steps():
    with pytest.raises(ValidationError, match="twice: x"):
        WorkshopManifest(slug="a", title="A", steps=["x", "x"])
    with pytest.raises(ValidationError, match="does not have: y"):
        WorkshopManifest.model_validate({"slug": "a", "title": "A", "steps": ["x"], "chapters": [{"title": "C", "steps": ["y"]}]})
