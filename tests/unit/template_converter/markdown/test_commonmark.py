"""What the rewriting engine keeps, rewrites and reports, on pages of a numbered tutorial."""

import pytest
from markdown_it import MarkdownIt

from agents.template_converter.forms.hugo import HugoImporter
from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.model import ImportedWorkshop
from tests.unit.template_converter.trees import make_tree, places, read

MARKDOWN = MarkdownIt("commonmark").enable("table")


def convert(tmp_path, page: str, **files) -> ImportedWorkshop:
    tree = make_tree(
        tmp_path, {"01-start.md": page, "02-next.md": "# Next\n\n## Deep `part`\n\ntext\n", **files.pop("files", {})}, **files
    )
    return read(MarkdownImporter(), tree)


def first(tmp_path, page: str, **files) -> str:
    return convert(tmp_path, page, **files).steps[0].content


@pytest.mark.parametrize(
    ("info", "body", "expected"),
    [
        ("bash", "ls", "bash exec"),
        ("sh", "ls", "sh exec"),
        ("console", "ls", "console exec"),
        ("PowerShell", "Get-Item .", "powershell exec"),
        ("console", "$ ls\nfile", "console"),
        ("bash", "user@host:~$ ls", "bash"),
        ("bash", "# a comment\nls", "bash exec"),
        ("bash", ".\n├── app\n└── README.md", "bash"),
        ("bash", "https://example.org/console", "bash"),
        ("bash", "curl https://example.org/", "bash exec"),
        ("bash", "cat > tree.txt <<EOF\n└── app\nEOF", "bash exec"),
        ("", "ls", ""),
        ("python", "print(1)", "python"),
        ("yaml", "a: 1", "yaml"),
        ('python linenums="1" hl_lines="2 3"', "x", "python"),
        ("{.bash .copy}", "ls", "bash exec"),
        ("bash,norun", "ls", "bash"),
        ("output", "done", "text output"),
        ("exec", "ls", ""),
        ("bash", "", "bash"),
    ],
)
def test_info_strings_keep_the_language_and_mark_what_can_be_run(tmp_path, info, body, expected):
    content = first(tmp_path, f"# A\n\n```{info}\n{body}\n```\n")
    assert content == f"# A\n\n```{expected}\n{body}\n```\n"


def test_code_is_kept_byte_for_byte_wherever_it_stands(tmp_path):
    page = (
        "# A\n\n1. one\n\n   ```bash\n   echo '[x](y.md)'  \n\n   \ttabbed\n   ```\n\n   - two\n\n     ~~~yaml\n     a: ![i](j.png)\n     ~~~\n\n"
        "> ```sh\n> ls <b>\n> ```\n\n    indented [a](b.md)\n    <img src='x'>\n\n````md\n```bash\nnested\n```\n````\n"
    )
    content = first(tmp_path, page)
    before, after = ([t.content for t in MARKDOWN.parse(text) if t.type in ("fence", "code_block")] for text in (page, content))
    assert len(before) == 5
    assert after == before
    assert content == page.replace("```bash\n   echo", "```bash exec\n   echo").replace("> ```sh", "> ```sh exec")


def test_an_unclosed_fence_does_not_swallow_its_language(tmp_path):
    assert first(tmp_path, "# A\n\n```bash\nls\n[x](nowhere.md)\n") == "# A\n\n```bash exec\nls\n[x](nowhere.md)\n"


def test_links_between_pages_become_links_between_steps(tmp_path):
    page = (
        "# A\n\n## Here\n\n[n](02-next.md) [d](./02-next.md#deep-part) [h](#here) [r][ref] <https://a.example> [w](https://b.example/x?y#z)\n\n"
        '[t](02-next.md "A title")\n\n[ref]: 02-next.md#deep-part\n'
    )
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == (
        "# A\n\n## Here\n\n[n](../next/content.md) [d](../next/content.md#deep-part) [h](../a/content.md#here) "
        "[r](../next/content.md#deep-part) <https://a.example> [w](https://b.example/x?y#z)\n\n"
        '[t](../next/content.md "A title")\n'
    )
    assert not workshop.losses
    assert not workshop.broken


def test_dead_links_are_words_and_are_reported_with_their_line(tmp_path):
    workshop = convert(tmp_path, "# A\n\nSee [the page](gone.md) and\n[there](02-next.md#nope), [out](../../etc/passwd).\n")
    assert (
        workshop.steps[0].content
        == "# A\n\nSee the page (`gone.md`) and\n[there](../next/content.md), out (`../../etc/passwd`).\n"
    )
    assert [(row.kind, row.source, row.line, row.target) for row in workshop.broken] == [
        ("link", "01-start.md", 3, "gone.md"),
        ("link", "01-start.md", 4, "02-next.md#nope"),
        ("link", "01-start.md", 4, "../../etc/passwd"),
    ]


def test_linked_files_are_carried_along_up_to_a_size_and_folders_are_named(tmp_path):
    files = {"app/main.py": "x = 1\n", "big.csv": b"1" * (1024 * 1024 + 1), "run.jar": b"PK"}
    workshop = convert(tmp_path, "# A\n\n[c](app/main.py) [f](app) [b](big.csv) [j](run.jar)\n", files=files)
    assert workshop.steps[0].content == "# A\n\n[c](../../assets/app/main.py) f (`app`) b (`big.csv`) j (`run.jar`)\n"
    assert workshop.assets == {"app/main.py": "app/main.py"}
    assert [row.kind for row in workshop.losses] == ["link", "link", "link"]


def test_images_are_copied_or_linked_or_reported(tmp_path):
    files = {"img/a b.png": b"1", "img/ä.png": b"2"}
    page = "# A\n\n![one](img/a%20b.png)\n![two](<img/ä.png>)\n![gone](img/no.png)\n![far](https://x.example/y.png)\n[![badge](https://x.example/b.svg)](https://x.example)\n"
    workshop = convert(tmp_path, page, files=files)
    assert workshop.steps[0].content == (
        "# A\n\n![one](../../assets/img/a-b.png)\n![two](../../assets/img/a.png)\n*gone*\n"
        "[far](https://x.example/y.png)\n[badge](https://x.example)\n"
    )
    assert workshop.assets == {"img/a-b.png": "img/a b.png", "img/a.png": "img/ä.png"}
    assert [(row.line, row.target) for row in workshop.broken] == [(5, "img/no.png")]
    assert [(row.kind, row.line) for row in workshop.losses] == [("image", 6), ("image", 7)]


def test_an_image_that_the_checkout_lacks_is_a_loss_with_the_reason(tmp_path):
    workshop = convert(tmp_path, "# A\n\n![x](big.png)\n", absent={"big.png": "it is a Git LFS pointer"})
    assert [row.kind for row in workshop.losses] == ["image"]
    assert "Git LFS pointer" in workshop.losses[0].detail


def test_an_image_that_lies_beside_a_folder_above_is_shown_and_reported(tmp_path):
    page = "# A\n\n![x](./assets/x.png)\n"
    tree = make_tree(tmp_path, {"docs/parts/01-a.md": page, "docs/parts/02-b.md": "# B\n", "docs/assets/x.png": b"1"})
    workshop = read(MarkdownImporter(), tree, "docs/parts")
    assert workshop.steps[0].content == "# A\n\n![x](../../assets/docs/assets/x.png)\n"
    assert [(row.kind, row.line, row.target) for row in workshop.broken] == [("image", 3, "./assets/x.png")]


def test_images_and_links_in_table_cells_with_escaped_pipes(tmp_path):
    page = "# A\n\n| a | b |\n| - | - |\n| x \\| ![i](i.png) | [n](02-next.md) |\n| ![i](i.png) | ![i](i.png) |\n"
    content = first(tmp_path, page, files={"i.png": b"1"})
    assert content.split("\n")[4:6] == [
        "| x \\| ![i](../../assets/i.png) | [n](../next/content.md) |",
        "| ![i](../../assets/i.png) | ![i](../../assets/i.png) |",
    ]


def test_a_script_address_stays_text(tmp_path):
    assert "javascript:" in first(tmp_path, "# A\n\n[x](javascript:alert(1))\n")
    rendered = MARKDOWN.render(first(tmp_path, "# A\n\n[x](javascript:alert(1))\n"))
    assert "<a" not in rendered


def test_html_images_and_wrappers_become_markdown_and_keep_their_lines(tmp_path):
    page = (
        '# A\n\n<p align="center">\n  <img src="i.png"\n       alt="Pic [1]" width="10">\n</p>\n\n'
        'Text <a href="02-next.md">go</a> <b>now</b> <kbd>Ctrl</kbd><br>\n\nPut <your-name> here.\n'
    )
    workshop = convert(tmp_path, page, files={"i.png": b"1"})
    assert workshop.steps[0].content == (
        "# A\n\n\n![Pic 1](../../assets/i.png)\n\n\n\nText [go](../next/content.md) **now** <kbd>Ctrl</kbd><br>\n\nPut \\<your-name> here.\n"
    )
    assert [(row.kind, row.line) for row in workshop.losses] == [("macro", 10)]
    assert ("![Pic 1](../../assets/i.png)", "01-start.md", 4) in places(workshop.steps[0])


def test_a_rule_of_html_is_one_by_itself_and_no_word_of_a_heading(tmp_path):
    page = "# Start\n\n<h2 style='color:cyan'>One</h2><hr style='color:cyan'>\n\nDo.\n\n<div><hr/></div>\n\n<hr>Two\n"
    assert first(tmp_path, page) == "# Start\n\n## One\n\nDo.\n\n***\n\nTwo\n"


def test_scripts_frames_and_videos_are_losses(tmp_path):
    page = '# A\n\n<script>\nalert(1)\n</script>\n\n<iframe src="https://v.example/1"></iframe>\n\nSee <video src="clip.mp4"></video>\n'
    workshop = convert(tmp_path, page, files={"clip.mp4": b"1"})
    content = workshop.steps[0].content
    assert "<script" not in content
    assert "alert" not in content
    assert "[iframe](https://v.example/1)" in content
    assert "[video](../../assets/clip.mp4)" in content
    assert [(row.kind, row.line) for row in workshop.losses] == [("html", 3), ("html", 7), ("html", 9)]


def test_html_tables_stay_with_their_images_and_links_rewritten(tmp_path):
    page = '# A\n\n<table><tr><td><img src="i.png"></td><td><a href="02-next.md">n</a></td></tr></table>\n'
    content = first(tmp_path, page, files={"i.png": b"1"})
    assert '<img src="../../assets/i.png" alt="">' in content
    assert '<a href="../next/content.md">n</a>' in content


def test_details_become_labelled_quotes_and_their_code_stays(tmp_path):
    page = "# A\n\n<details>\n<summary>More <b>here</b></summary>\n\n```bash\nls\n\npwd\n```\n\n</details>\nafter\n"
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == "# A\n\n> **More here**\n>\n> ```bash exec\n> ls\n>\n> pwd\n> ```\n\nafter\n"
    assert places(workshop.steps[0])[2] == ("> **More here**", "01-start.md", 4)


def test_hints_and_solutions_find_their_place(tmp_path):
    page = (
        "# A\n\n## Task one\n\nDo it.\n\n<details><summary>Hint</summary>\n\nTry `ls`.\n\n</details>\n\n## Task two\n\nDo more.\n\n"
        "<details>\n<summary>💡 Show solution</summary>\n\n```sh\nls ![i](i.png)\n```\n\n![i](i.png)\n</details>\n\n## Solution\n\nAll of it.\n"
    )
    step = convert(tmp_path, page, files={"i.png": b"1"}).steps[0]
    assert step.content == "# A\n\n## Task one\n\nDo it.\n\n\n## Task two\n\nDo more.\n"
    assert step.hints == "Try `ls`.\n"
    assert (
        step.solve == "## Task two\n\n```sh exec\nls ![i](i.png)\n```\n\n![i](../../assets/i.png)\n\n## Task two\n\nAll of it.\n"
    )


def test_a_link_to_what_went_to_the_solution_is_a_loss_not_broken(tmp_path):
    workshop = convert(tmp_path, "# A\n\nSee [it](#solution).\n\n## Solution\n\nx\n")
    assert workshop.steps[0].content == "# A\n\nSee [it](../a/content.md).\n"
    assert [row.kind for row in workshop.losses] == ["link"]
    assert not workshop.broken


def test_anchors_of_html_and_attributes_lead_to_their_heading(tmp_path):
    page = '# A\n\n## One {#first}\n\n<a name="spot"></a>\n\n## Two\n\n[1](#first) [2](#spot) [3](#two)\n'
    content = first(tmp_path, page)
    assert "## One\n" in content
    assert "[1](../a/content.md#one) [2](../a/content.md#one) [3](../a/content.md#two)" in content


def test_shortcodes_are_text_and_listed_once_per_kind(tmp_path):
    page = "# A\n\n{{< note >}} x {{< note >}} and {{ user.name }} in `{{ code }}`\n\n```yaml\na: {{ b }}\n```\n"
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == page
    assert sorted(row.detail for row in workshop.losses) == [
        "`{{ user.name …` is not known and is shown as text (1 times).",
        "`{{< note …` is not known and is shown as text (2 times).",
    ]


def test_front_matter_is_read_and_taken_out(tmp_path):
    page = "---\ntitle: The Title\nduration: 20m\n---\n# Other\n\ntext\n"
    step = convert(tmp_path, page).steps[0]
    assert (step.title, step.duration, step.content) == ("The Title", 20, "# Other\n\ntext\n")
    assert places(step)[0] == ("# Other", "01-start.md", 5)


def test_a_rule_at_the_top_is_no_front_matter(tmp_path):
    assert first(tmp_path, "---\n# A\n\nx\n\n---\nmore: [\n").startswith("---\n# A")


@pytest.mark.parametrize(
    "raw",
    [
        "# Ä\r\n\r\ntext\r\n".encode(),
        b"\xef\xbb\xbf" + "# Ä\n\ntext\n".encode(),
        "# Ä\n\ntext\n".encode("latin-1"),
        "# Ä\rtext".encode(),
    ],
)
def test_line_ends_and_encodings(tmp_path, raw):
    tree = make_tree(tmp_path, {"01-a.md": raw, "02-b.md": "# B\n"})
    step = read(MarkdownImporter(), tree).steps[0]
    assert step.title == "Ä"
    assert step.id == "a"
    assert "\r" not in step.content


def test_alerts_become_labels(tmp_path):
    assert first(tmp_path, "# A\n\n> [!WARNING]\n> Hot.\n") == "# A\n\n> **Warning**\n>\n> Hot.\n"


def test_a_fence_right_below_a_tag_is_code(tmp_path):
    page = "# T\n\n<div>\n```java\n    List<Book> all = find();\n        // *deep*\n```\n</div>\n\n<details>\n<summary>More</summary>\n```xml\n<a>\n  <b/>\n```\n</details>\n"
    content = first(tmp_path, page)
    assert "```java\n    List<Book> all = find();\n        // *deep*\n```\n" in content
    assert "```xml\n> <a>\n>   <b/>\n> ```\n" in content


def test_the_end_tag_of_an_image_is_no_image(tmp_path):
    workshop = convert(tmp_path, '# T\n\n<img src="a.png" width="9"></img>\n', files={"a.png": b"png"})
    assert workshop.steps[0].content == "# T\n\n![](../../assets/a.png)\n"
    assert workshop.broken == []


def test_several_fences_with_blank_lines_below_tags_are_code(tmp_path):
    page = "# T\n\n" + "".join(f"<div>\n```java\nList<A{n}> all;\n\n    // *deep*\n```\n</div>\n\n" for n in range(4))
    made = first(tmp_path, page)
    assert all(f"```java\nList<A{n}> all;\n\n    // *deep*\n```\n" in made for n in range(4))


def test_code_in_indented_details_that_begins_too_far_left_keeps_what_commonmark_keeps(tmp_path):
    page = "# T\n\n1. Do:\n\n    <details>\n    <summary>More</summary>\n\n    ```yaml\n   a: 1\n    b:\n        c: 2\n    ```\n    </details>\n"
    assert "    > ```yaml\n    > a: 1\n    > b:\n    >     c: 2\n    > ```" in first(tmp_path, page)


def test_a_link_to_a_large_picture_leads_to_the_copy_that_the_page_shows(tmp_path):
    files = {"README.md": "# A workshop\n\n1. [A](a.md)\n2. [B](b.md)\n", "b.md": "# B\n", "x.png": b"x" * 1_200_000}
    workshop = read(MarkdownImporter(), make_tree(tmp_path, {**files, "a.md": "# A\n\n[![shot](x.png)](x.png)\n"}))
    assert workshop.steps[0].content == "# A\n\n[![shot](../../assets/x.png)](../../assets/x.png)\n"
    assert [row.kind for row in workshop.losses] == ["page"]


def test_a_picture_whose_name_differs_in_case_is_named(tmp_path):
    files = {"hugo.toml": 'title = "W"\n', "content/_index.md": "# A\n\n![x](/images/K8s.png)\n", "static/images/k8s.png": b"x"}
    workshop = read(HugoImporter(), make_tree(tmp_path, files))
    assert [row.detail.partition(". ")[2] for row in workshop.broken] == [
        "There is `static/images/k8s.png`, written differently."
    ]


def test_attribute_lists_of_jekyll_are_left_out_and_other_braces_stay(tmp_path):
    page = (
        "# A\n\nSee [n](02-next.md){:target=\"_blank\"} and [m](https://x.example){: .btn #go rel='x' }.\n{: .note}\n\n"
        '> Quote.\n> {:.tip}\n\n[v](https://x.example){:name} {:x} `{:target="_blank"}`\n\n```\n{: .code}\n```\n'
    )
    assert first(tmp_path, page) == (
        "# A\n\nSee [n](../next/content.md) and [m](https://x.example).\n\n"
        '> Quote.\n\n[v](https://x.example){:name} {:x} `{:target="_blank"}`\n\n```\n{: .code}\n```\n'
    )


def test_code_that_jekyll_highlights_is_a_fence_and_raw_parts_are_as_they_stand(tmp_path):
    page = (
        "# A\n\n{% highlight yaml linenos %}\n{% raw %}\na: {{ b }}\n```\nx\n```\n{% if c %}\n{% endraw %}\n{% endhighlight %}\n\n"
        "{% highlight bash %}\nls\n{% endhighlight %}\n\n{% raw %}\nTake {{ it }}.\n{% endraw %}\n\n{% highlight open %}\n"
    )
    workshop = convert(tmp_path, page)
    assert workshop.steps[0].content == (
        "# A\n\n````yaml\na: {{ b }}\n```\nx\n```\n{% if c %}\n````\n\n```bash exec\nls\n```\n\nTake {{ it }}.\n\n{% highlight open %}\n"
    )
    assert [(line, number) for line, _, number in places(workshop.steps[0])][2:4] == [("````yaml", 3), ("a: {{ b }}", 5)]


def test_headings_of_html_on_one_line_are_headings_of_their_own(tmp_path):
    page = "# Start\n\n<h2>One</h2><h3>See <a href='https://x.example'>it</a></h3><hr><p>Words.</p>\n\n| <h2>A</h2><p>b</p> |\n"
    assert first(tmp_path, page).startswith("# Start\n\n## One\n### See [it](https://x.example)\nWords.\n")
