"""Which addresses are taken, and which are refused before git sees them."""

from pathlib import Path

import pytest

from agents.template_converter.errors import BadAddressError, HostileSourceError
from agents.template_converter.refs import checked_ref
from agents.template_converter.sources import NOT_LOCAL, SourceKind, parse_source, redact


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://github.com/owner/the-lab.git", "the-lab"),
        ("https://user:secret@git.example/a/b", "b"),
        ("ssh://git@git.example:2222/a/b.git", "b"),
        ("git@github.com:owner/lab.git", "lab"),
    ],
)
def test_remote_addresses(text, name):
    source = parse_source(text)
    assert (source.kind, source.name, source.address) == (SourceKind.REMOTE, name, text)


@pytest.mark.parametrize(
    "text",
    ["--upload-pack=touch x", "-oProxyCommand=x", "ext::sh -c touch% x", "fd::17", "https://a/b\n", "git@-x:a/b", "host:-x"],
)
def test_addresses_that_git_could_take_for_something_else(text):
    text = text + "c" if text.endswith("\n") else text
    with pytest.raises((HostileSourceError, BadAddressError)):
        parse_source(text)


@pytest.mark.parametrize("text", ["ext::sh -c x", "--upload-pack=x"])
def test_commands_and_options_are_hostile(text):
    with pytest.raises(HostileSourceError):
        parse_source(text)


@pytest.mark.parametrize(
    "text",
    [
        "ftp://a/b",
        "gopher://x/y",
        "https:///nothing",
        "https://host/",
        "nowhere/at/all",
        "file:///no/such/place",
        "http://[::1",
        "x" * 1900,
        "~nobody-here/x",
    ],
)
def test_bad_addresses(text):
    with pytest.raises(BadAddressError):
        parse_source(text)


def test_local_sources_can_be_turned_off(tmp_path):
    assert parse_source(str(tmp_path)).kind is SourceKind.FOLDER
    for text in (str(tmp_path), tmp_path.as_uri()):
        with pytest.raises(BadAddressError, match="not taken here"):
            parse_source(text, allow_local=False)


def test_a_file_that_is_no_archive(tmp_path):
    (tmp_path / "a.pdf").write_text("x")
    with pytest.raises(BadAddressError, match="not an archive"):
        parse_source(str(tmp_path / "a.pdf"))


def test_credentials_are_not_shown():
    assert redact("https://user:secret@git.example/a") == "https://git.example/a"
    assert parse_source("https://user:secret@git.example/a/b").repository == "https://git.example/a/b"


@pytest.mark.parametrize("ref", ["-x", "a..b", "a b", "HEAD^", "x~1", "a:b", "@{u}", "a\nb", "", "x*"])
def test_refs_that_are_expressions_or_options(ref):
    with pytest.raises(HostileSourceError):
        checked_ref(ref)


@pytest.mark.parametrize(
    "text", ["{there}", "{none}", "file://{there}", "file://{none}", "FILE://{there}", "none/lab", ".", "~", "~nobody-here/lab"]
)
def test_where_local_sources_are_not_taken_the_answer_does_not_tell_what_is_there(tmp_path: Path, text: str):
    given = text.format(there=tmp_path, none=tmp_path / "none")
    with pytest.raises(BadAddressError) as caught:
        parse_source(given, allow_local=False)
    assert caught.value.detail == NOT_LOCAL


@pytest.mark.parametrize("text", ["https://example.org/ada/lab.git", "git@example.org:ada/lab.git", "ssh://git@example.org/lab"])
def test_where_local_sources_are_not_taken_other_machines_are(text: str):
    assert parse_source(text, allow_local=False).kind is SourceKind.REMOTE


def test_the_home_of_nobody_is_no_folder():
    with pytest.raises(BadAddressError, match="neither a file or folder"):
        parse_source("~nobody-here-of-this-name/lab")
