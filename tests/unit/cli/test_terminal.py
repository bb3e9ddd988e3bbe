"""Text from elsewhere cannot steer the terminal."""

import pytest

from workshop_cli.terminal import err, plain, printable, progress_bar


@pytest.mark.parametrize("hostile", ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "a\rb", "\u202eabc", "\x00", "\x7f", "\ud800"])
def test_control_characters_are_replaced(hostile: str) -> None:
    shown = printable(f"before {hostile} after")
    assert "\ufffd" in shown
    assert not set("\x1b\x07\x9b\r\u202e\x00\x7f\ud800") & set(shown)


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Grüße, 世界 👩‍🔬\n\ttabs and [brackets]"
    assert printable(text) == text


def test_markup_is_shown_and_not_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    err.print(plain("[bold]not bold[/] :smile: [link=x]y[/link]"))
    assert capsys.readouterr().err == "[bold]not bold[/] :smile: [link=x]y[/link]\n"


def test_without_a_terminal_progress_is_a_line_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as bar:
        for done in range(3):
            bar.update(f"Indexing x: {done} of 3", done, 3)
        bar.update("publish x: show")
    assert capsys.readouterr() == ("", "Indexing x: 0 of 3\npublish x: show\n")


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(quiet=True) as bar:
        bar.update("Indexing", 1, 2)
    assert capsys.readouterr() == ("", "")
