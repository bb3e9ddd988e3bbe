"""Hugo: the menu's order, languages, shortcodes, addresses; and which sites are workshops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.hugo import HugoImporter
from agents.template_converter.forms.lines import lines_of, text_of
from agents.template_converter.forms.shortcodes import Surroundings, convert_shortcodes
from tests.unit.template_converter.trees import make_tree, places, read

IMPORTER = HugoImporter()
CONFIG = (
    'title = "A Workshop"\nbaseURL = "/"\ntheme = "learn"\n[params]\ndescription = "About it"\nauthor = "Ann"\nversion = "1.2"\n'
)


def page(title, body="Text.\n", **front):
    rows = "".join(f"{key}: {value}\n" for key, value in front.items())
    return f"---\ntitle: {title}\n{rows}---\n{body}"


def site(tmp_path, files, config=CONFIG, name="config.toml"):
    return make_tree(tmp_path, {name: config, **{f"content/{path}": text for path, text in files.items()}})


def content(tmp_path, body, **files):
    tree = make_tree(tmp_path, {"hugo.toml": CONFIG, "content/_index.md": page("Home", body), **files})
    return read(IMPORTER, tree).steps[0].content


def test_weights_order_pages_and_sections_and_sections_are_chapters(tmp_path):
    files = {
        "_index.md": page("Home", weight=9),
        "zeta.md": page("Zeta"),
        "alpha.md": page("Alpha"),
        "20_two/_index.md": page("Two", weight=20),
        "20_two/b.md": page("B", weight=1),
        "20_two/a.md": page("A", weight=2),
        "10_one/_index.md": page("One", body="", weight=30),
        "10_one/deep/x.md": page("X"),
        "bundle/index.md": page("Bundle", weight=5),
        "bundle/part.md": "of the bundle\n",
    }
    workshop = read(IMPORTER, site(tmp_path, files))
    assert [step.title for step in workshop.steps] == ["Home", "Bundle", "Two", "B", "A", "X", "Alpha", "Zeta"]
    assert [(row.title, len(row.steps)) for row in workshop.chapters] == [("Two", 3), ("One / Deep", 1)]
    assert (workshop.title, workshop.summary, workshop.authors) == ("A Workshop", "About it", ["Ann"])
    assert [row.source for row in workshop.losses] == ["content/10_one/_index.md"]


def test_drafts_and_hidden_pages_are_told_and_are_no_steps(tmp_path):
    files = {
        "_index.md": page("Home"),
        "a.md": page("A", draft="true"),
        "b.md": page("B", hidden="true"),
        "s/_index.md": page("S", hidden="true"),
        "s/c.md": page("C"),
        "d.md": "+++\ntitle = 'D'\ndraft = true\n+++\nText.\n",
    }
    workshop = read(IMPORTER, site(tmp_path, files))
    assert [step.title for step in workshop.steps] == ["Home"]
    assert sorted(row.source for row in workshop.losses) == [f"content/{name}.md" for name in ("a", "b", "d", "s/_index", "s/c")]


LANGUAGES = CONFIG + '[languages.en]\ntitle = "English"\n[languages.de]\ntitle = "Deutsch"\n'


def test_the_default_language_is_read_and_the_others_are_told(tmp_path):
    files = {"_index.md": page("Home"), "_index.de.md": page("Heim"), "a.en.md": page("A"), "a.de.md": page("Ah")}
    workshop = read(IMPORTER, site(tmp_path, files, LANGUAGES))
    assert [step.title for step in workshop.steps] == ["Home", "A"]
    assert workshop.title == "English"
    assert ["2 pages in the language `de`" in row.detail for row in workshop.losses] == [True]


def test_an_empty_default_language_gives_way_to_a_full_one(tmp_path):
    files = {"en/_index.md": page("Home", ""), "de/_index.md": page("Heim", "Text " * 50), "de/a.md": page("Ah", "Text " * 50)}
    workshop = read(IMPORTER, site(tmp_path, files, LANGUAGES))
    assert [step.title for step in workshop.steps] == ["Heim", "Ah"]
    assert any("`de` is read in its place" in row.detail for row in workshop.losses)


def test_notices_and_folds_become_quotes_hints_and_solutions(tmp_path):
    body = (
        "# T\n\n{{% notice warning %}}\nMind it.\n\n```bash\nls\n```\n{{% /notice %}}\nafter\n\n"
        '{{%expand "Show the code" %}}\ncode\n{{%/expand%}}\n\n{{% expand "Solution" %}}the answer{{% /expand %}}\n\n'
        '{{% alert title="Look" color="primary" %}}one line{{% /alert %}}\n'
    )
    tree = site(tmp_path, {"_index.md": page("Home", body)})
    step = read(IMPORTER, tree).steps[0]
    assert step.content == (
        "# T\n\n> **Warning**\n>\n> Mind it.\n>\n> ```bash exec\n> ls\n> ```\n\nafter\n\n> **Show the code**\n>\n> code\n\n\n> **Look**\n>\n> one line\n"
    )
    assert "the answer" in step.solve
    assert ("> Mind it.", "content/_index.md", 7) in [
        (step.content.split("\n")[line - 1], file, number)
        for line, file, number in ((row, f, n) for row, (_, f, n) in enumerate(places(step), 1))
    ]


def test_tabs_become_headed_sections_and_draw_hidden_pages_in(tmp_path):
    body = (
        '## Choose\n\n{{< tabs name="t" >}}\n{{< tab name="One" include="tabs/one.md" />}}\n'
        '{{< tab name="Two" codelang="go" >}}fmt.Println("x"){{< /tab >}}\n{{< tab name="Gone" include="gone.md" />}}\n{{< /tabs >}}\n'
    )
    tree = site(tmp_path, {"a/_index.md": page("A", body), "a/tabs/one.md": page("I", "```sh\nls\n```\n", hidden="true")})
    workshop = read(IMPORTER, tree)
    lines = [line for line in workshop.steps[0].content.split("\n") if line]
    assert lines == ["## Choose", "### One", "```sh exec", "ls", "```", "### Two", "```go", 'fmt.Println("x")', "```", "### Gone"]
    assert [row.target for row in workshop.broken] == ["gone.md"]


def test_code_output_and_diagrams_become_fences(tmp_path):
    body = (
        '{{< highlight bash "linenos=true" >}}\nls -l\n{{< /highlight >}}\n\n{{< output >}}\ntotal 0\n{{< /output >}}\n\n'
        "{{<mermaid>}}\ngraph LR\n{{< /mermaid >}}\n"
    )
    assert content(tmp_path, body) == "```bash exec\nls -l\n```\n\n```text output\ntotal 0\n```\n\n```mermaid\ngraph LR\n```\n"


def test_links_images_children_parameters_and_references(tmp_path):
    body = (
        'See [b]({{< ref "Sub/B.md#part" >}}), [b](/sub/b/), [c]({{% relref "c" %}}), [gone]({{< ref "gone" >}}).\n\n'
        '{{< figure src="/images/a.png" alt="An image" >}} ![x](/images/a.png)\n\nVersion {{< param version >}}, `{{< param version >}}`.\n\n'
        '{{% children %}}\n\n{{< youtube abc_DEF-1 >}}\n\n{{% button href="https://e.example/" %}}Open{{% /button %}}\n'
    )
    tree = make_tree(
        tmp_path,
        {
            "hugo.toml": CONFIG,
            "content/_index.md": page("Home", body),
            "content/Sub/_index.md": page("Sub"),
            "content/Sub/B.md": page("B", "## Part\n"),
            "content/Sub/c.md": page("C"),
            "static/images/a.png": b"png",
        },
    )
    workshop = read(IMPORTER, tree)
    text = workshop.steps[0].content
    assert "See [b](../b/content.md#part), [b](../b/content.md), [c](../c/content.md), gone." in text
    assert text.count("](../../assets/static/images/a.png") == 2
    assert "Version 1.2, `1.2`." in text
    assert "- [Sub](../sub/content.md)" in text
    assert "[Video: https://www.youtube.com/watch?v=abc_DEF-1](https://www.youtube.com/watch?v=abc_DEF-1)" in text
    assert "[Open](https://e.example/)" in text
    assert [row.kind for row in workshop.broken] == ["link", "page"]


def test_comments_escapes_fences_and_unknown_shortcodes_stay(tmp_path):
    body = (
        "# T\n\n<!--\n{{< output >}}\nx\n{{< /output >}}\n-->\n\nWrite {{</* notice */>}}.\n\n"
        "```yaml\nname: {{% notice %}}\n```\n\n{{< mystery a=1 >}} and {{< mystery >}}\n\n{{% notice %}} never closed\n"
    )
    workshop = read(IMPORTER, site(tmp_path, {"_index.md": page("Home", body)}))
    text = workshop.steps[0].content
    assert "Write {{< notice >}}." in text
    assert "name: {{% notice %}}" in text
    assert "{{< mystery a=1 >}} and {{< mystery >}}" in text
    assert "```text" not in text
    assert [row.detail for row in workshop.losses if row.kind == "macro" and "mystery" in row.detail] == [
        "`{{< mystery …` is not known and is shown as text (2 times)."
    ]


def test_a_shortcode_that_is_never_closed_stays_in_its_line(tmp_path):
    made = content(tmp_path, "## {{% task %}} Set it up\n\nText with {{< note >}} in it.\n\n{{% nextprevlinks %}}\n")
    assert made == "## Task: Set it up\n\nText with {{< note >}} in it.\n"


def test_parameters_are_filled_in_in_code_too(tmp_path):
    body = 'Run `{{% param version %}}`:\n\n```bash\npip install x=={{< param version >}}\n# {{< ref "a" >}} {{< param gone >}}\n```\n'
    assert content(tmp_path, body) == (
        'Run `1.2`:\n\n```bash exec\npip install x==1.2\n# {{< ref "a" >}} {{< param gone >}}\n```\n'
    )


def test_parts_for_other_modules_are_left_out_and_told(tmp_path):
    body = (
        "{{% onlyWhen base aks %}}\nFor base.\n{{% /onlyWhen %}}\n{{% onlyWhenNot base %}}\n```bash\nother\n```\n{{% /onlyWhenNot %}}\n\n"
        "See {{% onlyWhen aks %}}[this](https://a.example){{% /onlyWhen %}}{{% onlyWhenNot aks %}}[that](https://b.example){{% /onlyWhenNot %}}.\n\n"
        "```yaml\na: 1\n{{< onlyWhen aks >}}\nb: 2\n{{< /onlyWhen >}}\n```\n"
    )
    config = CONFIG + 'enabledModule = "base extra"\n'
    tree = make_tree(tmp_path, {"hugo.toml": config, "content/_index.md": page("Home", body)})
    workshop = read(IMPORTER, tree)
    assert workshop.steps[0].content == "For base.\n\nSee [that](https://b.example).\n\n```yaml\na: 1\n```\n"
    assert [(row.kind, row.source, row.detail[:7]) for row in workshop.losses] == [("condition", "content/_index.md", "3 parts")]


def test_pages_for_other_modules_are_no_steps(tmp_path):
    files = {
        "_index.md": page("Home"),
        "a.md": page("A", onlyWhen="base"),
        "b.md": page("B", onlyWhen="aks"),
        "c/_index.md": page("C", onlyWhenNot="base"),
        "c/d.md": page("D"),
        "e.md": page("E", onlyWhenNot="aks"),
    }
    workshop = read(IMPORTER, site(tmp_path, files, CONFIG + 'enabledModule = "base"\n'))
    assert [step.title for step in workshop.steps] == ["Home", "A", "E"]
    assert [row.source for row in workshop.losses] == ["content/b.md", "content/c/_index.md", "content/c/d.md"]


def test_modules_that_no_configuration_names_leave_everything(tmp_path):
    body = "{{% onlyWhen aks %}}\nFor aks.\n{{% /onlyWhen %}}\n"
    assert content(tmp_path, body) == body


def test_images_are_found_where_the_site_serves_them(tmp_path):
    files = {
        "hugo.toml": CONFIG,
        "content/_index.md": page("Home"),
        "content/a/_index.md": page("A", "![S](../images/s.png) ![T](../../images/s.png)\n"),
        "static/images/s.png": b"png",
    }
    workshop = read(IMPORTER, make_tree(tmp_path, files))
    assert workshop.steps[1].content.count("](../../assets/static/images/s.png)") == 2
    assert workshop.broken == []


def test_a_sections_page_may_stand_beside_its_section(tmp_path):
    files = {
        "_index.md": page("Home"),
        "10_a/_index.md": page("A", "Go [on](10_a/b.html).\n"),
        "10_a/b.md": page("B"),
    }
    workshop = read(IMPORTER, site(tmp_path, files, CONFIG.replace("[params]", "uglyurls = true\n[params]")))
    assert workshop.steps[1].content == "Go [on](../b/content.md).\n"
    assert workshop.broken == []


def test_addresses_have_hyphens_for_blanks_and_underscores(tmp_path):
    body = (
        "[a](first-lights.html) [b](/en/my-part/the-end) [c](../my_part/the_end) [d](/no-part/the-end)\n\n"
        "![e](first-lights/on_off.png) ![f](/my-part/First-Lights/on-off.png)\n"
    )
    files = {
        "My part/_index.en.md": page("Part"),
        "My part/Second one/_index.en.md": page("Second", body),
        "My part/First lights/_index.en.md": page("First"),
        "My part/First lights/on_off.png": b"png",
        "my_part/the_end/_index.en.md": page("End"),
    }
    workshop = read(IMPORTER, site(tmp_path, files, 'title = "T"\ntheme = "x"\ndefaultContentLanguage = "en"\n'))
    said = next(step.content for step in workshop.steps if step.title == "Second")
    assert "[a](../first/content.md) [b](../end/content.md) [c](../end/content.md) d" in said
    assert "![e](../../assets/content/My-part/First-lights/on_off.png)" in said
    assert [row.target for row in workshop.broken] == ["/no-part/the-end", "/my-part/First-Lights/on-off.png"]


def test_included_files_keep_their_own_lines(tmp_path):
    body = '# T\n\n{{< readfile file="/parts/p.md" >}}\n{{< include "gone.md" >}}\n{{< readfile file="static/x.sh" code="true" lang="bash" >}}\n'
    tree = make_tree(
        tmp_path,
        {
            "hugo.toml": CONFIG,
            "content/_index.md": page("Home", body),
            "content/parts/p.md": "---\nheadless: true\n---\npart\n",
            "static/x.sh": "ls\n",
        },
    )
    workshop = read(IMPORTER, tree)
    assert ("content/parts/p.md", 4) in [(file, number) for _, file, number in places(workshop.steps[0])]
    assert "```bash exec\nls\n```" in workshop.steps[0].content
    assert [row.target for row in workshop.broken] == ["gone.md"]


@pytest.mark.parametrize(
    ("home", "body", "least", "most"),
    [
        ("Kubernetes workshop", "```bash\nkubectl get pods\n```\n", 0.7, 1),
        ("Our product", "```bash\nkubectl get pods\n```\n", 0, 0.4),
        ("Kubernetes workshop", "Words alone.\n", 0, 0.3),
    ],
)
def test_what_speaks_for_a_workshop(tmp_path, home, body, least, most):
    files = {"_index.md": page("Home", home), **{f"{name}.md": page(name, body) for name in ("get", "use", "see")}}
    config = CONFIG.replace("A Workshop", "Site").replace("About it", "")
    found = IMPORTER.recognise(site(tmp_path, files, config))
    assert len(found) == 1
    assert least <= found[0].score <= most
    assert "3" in found[0].evidence[0] or "4" in found[0].evidence[0]


def test_decoys_and_foreign_configurations_are_no_sites(tmp_path):
    files = {
        "themes/x/exampleSite/config.toml": CONFIG,
        "themes/x/exampleSite/content/_index.md": page("Decoy"),
        "app/config.yaml": "server: {port: 1}\n",
        "app/content/a.md": "# A\n",
    }
    assert IMPORTER.recognise(make_tree(tmp_path, files)) == []


def test_unreadable_configurations_say_so(tmp_path):
    tree = site(tmp_path, {"_index.md": page("Home")}, "title = \n", "hugo.toml")
    assert IMPORTER.recognise(tree)[0].score == 0.3
    with pytest.raises(UnreadableSourceError, match=r"hugo\.toml"):
        read(IMPORTER, tree)
    with pytest.raises(UnreadableSourceError, match="no Hugo configuration"):
        read(IMPORTER, make_tree(tmp_path / "b", {"a.md": "x"}))


PIECES = st.lists(
    st.sampled_from(
        ["{{% notice info %}}", "{{% /notice %}}", "{{< tabs >}}", '{{< tab "a" >}}', "{{< /tab >}}", "{{< /tabs >}}", "```", "~~~", "{{<",
         '{{%expand "x" %}}', "{{% /expand %}}", "{{< highlight go >}}", "{{< /highlight >}}", "<!--", "-->", "\n", "  ", "text", "> q", "- i", "{{< ref \"a\" >}}",
         "{{% children %}}", "{{< output >}}", "{{< /output >}}", "`", '"', "# H", "{{</* x */>}}"]
    ),
    max_size=40,
)  # fmt: skip


@given(PIECES)
def test_any_shortcodes_end_and_lose_no_word(pieces):
    text = "".join(pieces)
    made = text_of(convert_shortcodes(lines_of(text, "f"), Surroundings()))
    assert made.count("text") >= text.count("text")


def test_a_tab_draws_in_a_page_beside_it_by_its_name_and_that_page_is_told_no_more(tmp_path):
    files = {
        "_index.md": page("Home"),
        "setup/_index.md": page("Setup", '{{< tabs name="R" >}}\n{{< tab name="Near" include="here" />}}\n{{< /tabs >}}\n'),
        "setup/here.md": page("Here", "Press **Go**.\n", hidden="true"),
        "setup/there.md": page("There", hidden="true"),
    }
    workshop = read(IMPORTER, site(tmp_path, files))
    assert "Press **Go**." in workshop.steps[1].content
    assert [row.source for row in workshop.losses] == ["content/setup/there.md"]
    assert workshop.broken == []


@pytest.mark.parametrize(
    ("name", "address"),
    [("Tools & More.md", "tools-more"), ("A  B.md", "a-b"), ("C++ (new).md", "c++-new"), ("What's up?.md", "whats-up")],
)
def test_pages_are_found_by_the_address_that_hugo_makes_of_their_name(tmp_path, name, address):
    files = {
        "_index.md": page("Home", f"[go](/lab-1/{address}.html)\n"),
        "Lab 1/_index.md": page("Lab"),
        f"Lab 1/{name}": page("Found"),
    }
    workshop = read(IMPORTER, site(tmp_path, files))
    assert workshop.steps[0].content == "[go](../found/content.md)\n"


def test_a_site_whose_posts_are_named_by_dates_is_no_workshop(tmp_path):
    files = {f"en/20{year}-05-{year}-note.md": page("Note", "```bash\nls\n```\n") for year in range(10, 20)}
    files["_index.md"] = page("Ann")
    assert [row.score < 0.5 for row in IMPORTER.recognise(site(tmp_path, files, 'title = "Ann"\nbaseURL = "/"\n'))] == [True]


def test_attachments_are_a_list_of_the_files_beside_the_page(tmp_path):
    files = {
        "_index.md": page("Home", '{{%attachments title="Take these" style="orange" /%}}\n\nGo on.\n'),
        "_index.files/a b.txt": "x",
        "_index.files/data/c.csv": "1,2",
        "one.md": page("One", "1. Do\n\n   {{% attachments %}}{{% /attachments %}}\n"),
        "one.files/d.txt": "y",
        "two.md": page("Two", "{{% attachments %}}\n"),
    }
    workshop = read(IMPORTER, site(tmp_path, files))
    contents = {step.title: step.content for step in workshop.steps}
    assert contents["Home"] == (
        "**Take these**\n\n- [a b.txt](../../assets/content/_index.files/a-b.txt)\n"
        "- [data/c.csv](../../assets/content/_index.files/data/c.csv)\n\n\nGo on.\n"
    )
    assert "   - [d.txt](../../assets/content/one.files/d.txt)" in contents["One"]
    assert [(row.kind, row.source, row.detail) for row in workshop.losses] == [
        ("macro", "content/two.md", "Nothing lies beside the page for its list of attachments.")
    ]


def test_a_site_whose_configuration_is_added_when_it_is_built(tmp_path):
    files = {
        "content/_index.md": page("A workshop", weight=1),
        "content/02b/_index.md": page("Second", "```bash\nls\n```\n", weight=2),
        "content/01z/_index.md": page("Third", "```bash\nls\n```\n", weight=3),
        "content/01z/task.md": page("Task", "1. Do\n2. it\n3. now\n", weight=1),
        "README.md": "# A repository\n",
    }
    tree = make_tree(tmp_path, files)
    rows = IMPORTER.recognise(tree)
    assert [(row.path, row.score >= 0.5) for row in rows] == [("", True)]
    assert rows[0].evidence[0] == "`content/_index.md` begins a Hugo site without its configuration, whose menu shows 4 pages."
    workshop = read(IMPORTER, tree)
    assert (workshop.title, [step.title for step in workshop.steps]) == ("A workshop", ["A workshop", "Second", "Third", "Task"])


@pytest.mark.parametrize(
    "files",
    [
        {"content/_index.md": page("A"), "content/b/_index.md": page("B"), "content/c/_index.md": page("C")},
        {"content/_index.md": page("A", weight=1), "content/b/_index.md": page("B", weight=2)},
        {
            "content/a/_index.md": page("A", weight=1),
            "content/b/_index.md": page("B", weight=2),
            "content/c/_index.md": page("C", weight=3),
        },
    ],
)
def test_content_that_nothing_says_is_of_hugo(tmp_path, files):
    assert IMPORTER.recognise(make_tree(tmp_path, files)) == []


def test_a_part_that_is_closed_by_the_other_ones_name_ends_there(tmp_path):
    config = CONFIG + 'enabledModule = "base"\n'
    body = "{{% onlyWhenNot base %}}\nFor others.\n{{% /onlyWhen %}}\n\nFor all.\n\n{{% onlyWhen base %}}\nFor base.\n{{% /onlyWhenNot %}}\n\nThe end.\n"
    tree = make_tree(tmp_path, {"hugo.toml": config, "content/_index.md": page("Home", body)})
    text = read(IMPORTER, tree).steps[0].content
    assert [word in text for word in ("For others.", "For all.", "For base.", "The end.")] == [False, True, True, True]


def test_parameters_in_tables_are_found_by_their_dots(tmp_path):
    config = CONFIG + '[params.hosts]\nProm = "LOCALHOST:9090"\n'
    tree = make_tree(
        tmp_path,
        {"hugo.toml": config, "content/_index.md": page("Home", "At {{% param hosts.prom %}}, {{% param hosts.no %}}.\n")},
    )
    assert "At LOCALHOST:9090, {{% param hosts.no %}}." in read(IMPORTER, tree).steps[0].content
