"""Pictures that notebooks carry with them."""

import base64

import pytest

from tests.unit.template_converter.jupyter.notebooks import book, convert, text


def attached(source, **pictures):
    data = {f"{name}.png": {"image/png": base64.b64encode(data).decode()} for name, data in pictures.items()}
    return {**text(source), "attachments": data}


def test_pictures_of_one_name_in_two_cells_are_two_files(tmp_path):
    cells = [attached("# T\n\n![a](attachment:image.png)", image=b"1"), attached("![b](attachment:image.png)", image=b"2")]
    step = convert(tmp_path, {"lab.ipynb": book(*cells, attached("![c](attachment:image.png)", image=b"1"))}).steps[0]
    assert step.files == {"files/image.png": b"1", "files/image-2.png": b"2"}
    assert "![a](files/image.png)\n\n![b](files/image-2.png)\n\n![c](files/image.png)" in step.content


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('<img src="attachment:p.png" alt="x" width="20">', "![x](files/p.png)"),
        ("<img src=attachment:p.png>", "](files/p.png)"),
        ('<table><tr><td><img src="attachment:p.png"></td></tr></table>', 'src="files/p.png"'),
        ('![x](attachment:p.png "Words")', '![x](files/p.png "Words")'),
        ("![x](<attachment:p.png>)", "![x](files/p.png)"),
    ],
)
def test_every_way_to_show_an_attachment(tmp_path, written, shown):
    workshop = convert(tmp_path, {"lab.ipynb": book(attached(f"# T\n\n{written}\n", p=b"p"))})
    assert shown in workshop.steps[0].content
    assert (workshop.steps[0].files, workshop.broken) == ({"files/p.png": b"p"}, [])


@pytest.mark.parametrize("title", ["Hint", "Solution"])
def test_a_picture_in_a_hint_or_solution_is_a_file_of_its_step(tmp_path, title):
    page = f"# T\n\nWords.\n\n## {title}\n\n![a](attachment:p.png)\n"
    step = convert(tmp_path, {"lab.ipynb": book(attached(page, p=b"p"))}).steps[0]
    assert "files/p.png" in (step.hints or step.solve or "")
    assert step.files == {"files/p.png": b"p"}


def test_an_attachment_that_is_not_there_is_broken(tmp_path):
    workshop = convert(tmp_path, {"lab.ipynb": book(text("# T\n\n![a](attachment:no.png)"))})
    assert [(row.kind, row.target) for row in workshop.broken] == [("image", "no.png")]
