"""One repository has one name, however its address is written; a choice applies where a request says nothing itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared_services.contracts.choices import Choice
from shared_services.contracts.conversion import ConvertRequest, Form
from shared_services.library.choices import address_key, choice_in, sentence, takes_choice, with_choice
from workshop_cli.choices import MOST_CHOICES, FileChoices

AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/you/your-lab",
        "https://GitHub.com/you/your-lab.git",
        "https://you:secret@github.com/you/your-lab.git/",
        "https://github.com:443/you/your-lab?token=secret#part",
        "http://github.com/you/your-lab",
        "ssh://git@github.com/you/your-lab.git",
        "ssh://git@github.com:22/you/your-lab",
        "git@github.com:you/your-lab.git",
        "  github.com:/you/your-lab ",
    ],
)
def test_one_repository_has_one_name(address: str):
    assert address_key(address) == "github.com/you/your-lab"


def test_others_have_others():
    assert address_key("https://github.com:8443/you/your-lab") == "github.com:8443/you/your-lab"
    assert address_key("https://github.com/You/your-lab") == "github.com/You/your-lab"
    assert address_key("https://[::1/x") == "https://[::1/x"


def test_a_folder_is_known_by_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    key = str((tmp_path / "my lab").resolve())
    spellings = (str(tmp_path / "my lab"), "my lab", "./my lab/", f"file://{tmp_path}/my%20lab", f"{tmp_path}/x/../my lab")
    assert {address_key(address) for address in spellings} == {key}


def test_when_a_choice_applies_and_is_made():
    plain, chosen = ConvertRequest(source="x"), ConvertRequest(source="x", path="b/", as_form=Form.MARKDOWN)
    assert takes_choice(plain)
    assert choice_in(plain) is None
    assert not takes_choice(chosen)
    made = choice_in(chosen, "ada")
    assert made is not None
    assert (made.form, made.path, made.by) == (Form.MARKDOWN, "b", "ada")
    assert with_choice(plain, made) == ConvertRequest(source="x", path="b", as_form=Form.MARKDOWN)
    every = ConvertRequest(source="x", as_form=Form.MARKDOWN, every=True)
    assert choice_in(every) is None
    assert not takes_choice(every)
    assert sentence(Choice(form=Form.MKDOCS, path="docs", by="ada", at=AT)) == (
        "Remembered: to be read as mkdocs in `docs`, chosen by ada on 2026-11-21."
    )


def test_a_file_keeps_choices(tmp_path: Path):
    choices = FileChoices(tmp_path / "state" / "choices.json")
    assert choices.get("a") is None
    choices.remember("a", Choice(form=Form.MKDOCS, at=AT))
    choices.remember("b", Choice(path="docs", at=AT))
    choices.remember("a", Choice(form=Form.HUGO, at=AT))
    again = FileChoices(tmp_path / "state" / "choices.json")
    assert again.get("a") == Choice(form=Form.HUGO, at=AT)
    assert again.forget("a")
    assert not again.forget("a")
    assert (again.get("a"), again.get("b")) == (None, Choice(path="docs", at=AT))


def test_a_file_does_not_grow_for_ever(tmp_path: Path):
    choices = FileChoices(tmp_path / "choices.json")
    many = {f"r{number}": Choice(path="p", at=AT.replace(year=2000 + number % 20)) for number in range(MOST_CHOICES)}
    (tmp_path / "choices.json").write_text(
        "{" + ",".join(f'"{name}":{choice.model_dump_json()}' for name, choice in many.items()) + "}"
    )
    choices.remember("new", Choice(path="p", at=AT))
    assert choices.get("new") is not None
    assert choices.get("r0") is None
    assert choices.get("r19") is not None


def test_a_damaged_file_and_one_that_cannot_be_written_keep_nobody_from_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "choices.json").write_text("{")
    choices = FileChoices(tmp_path / "choices.json")
    assert choices.get("a") is None
    assert "it is damaged" in capsys.readouterr().err
    choices.remember("a", Choice(path="p", at=AT))
    assert choices.get("a") == Choice(path="p", at=AT)
    (tmp_path / "file").write_text("")
    FileChoices(tmp_path / "file" / "choices.json").remember("a", Choice(path="p", at=AT))
    assert "is not remembered" in capsys.readouterr().err
