"""Sites: what the navigation says is what the workshop holds."""

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.showroom import ShowroomImporter
from agents.template_converter.model import ImportedWorkshop
from shared_services.contracts.conversion import FormCandidate
from tests.unit.template_converter.showroom.antora_site import DESCRIPTOR, PAGES, PLAYBOOK, site, step, workshop

NAV = "content/modules/ROOT/nav.adoc"


def kinds(found: ImportedWorkshop) -> list[str]:
    return [loss.kind for loss in found.losses]


def test_order_titles_and_chapters_come_from_the_navigation() -> None:
    found = workshop(
        {
            NAV: (
                "* xref:index.adoc[Welcome to *bread*]\n\n* Part One\n** xref:dough.adoc[1. Dough]\n*** xref:dough.adoc#knead[Kneading]\n"
                "** xref:rest.adoc[]\n\n.Extras\n* xref:oven.adoc[]\n* xref:dough.adoc[Dough again]\n"
            ),
            f"{PAGES}/index.adoc": "= Hello\n",
            f"{PAGES}/dough.adoc": "= Making dough\n\n[#knead]\n== Knead it\n",
            f"{PAGES}/rest.adoc": "= Let it rest\n",
            f"{PAGES}/oven.adoc": "= The oven page\n:navtitle: Oven\n",
        }
    )
    assert [(entry.id, entry.title) for entry in found.steps] == [
        ("index", "Welcome to bread"),
        ("dough", "1. Dough"),
        ("rest", "Let it rest"),
        ("oven", "Oven"),
    ]
    assert [(chapter.title, chapter.steps) for chapter in found.chapters] == [
        ("Part One", ["dough", "rest"]),
        ("Extras", ["oven"]),
    ]
    assert found.title == "Bread Lab"
    assert found.losses == []
    assert found.broken == []


def test_several_navigation_files_and_modules() -> None:
    found = workshop(
        {
            "antora.yml": "name: lab\ntitle: Two\nversion: ~\nnav:\n- modules/ROOT/nav.adoc\n- modules/bake/nav.adoc\n",
            "modules/ROOT/nav.adoc": "* xref:index.adoc[]\n",
            "modules/ROOT/pages/index.adoc": "= Start\n\nGo to xref:bake:index.adoc#hot[the heat] or xref:lab:bake:index.adoc[].\n",
            "modules/bake/nav.adoc": "* xref:index.adoc[]\n** xref:crust.adoc[]\n",
            "modules/bake/pages/index.adoc": "= Baking\n\n[[hot]]\n== Hot & crisp\n\nBack to xref:ROOT:index.adoc[].\n",
            "modules/bake/pages/crust.adoc": "= Crust\n\nimage::ROOT:loaf.png[A loaf]\n",
            "modules/ROOT/images/loaf.png": b"png",
        }
    )
    assert [entry.id for entry in found.steps] == ["index", "bake-index", "bake-crust"]
    assert "[the heat](../bake-index/content.md#hot--crisp)" in found.steps[0].content
    assert "[Baking](../bake-index/content.md)" in found.steps[0].content
    assert "[Start](../index/content.md)" in found.steps[1].content
    assert found.assets == {"modules/ROOT/images/loaf.png": "modules/ROOT/images/loaf.png"}
    assert [(chapter.title, chapter.steps) for chapter in found.chapters] == [("Baking", ["bake-index", "bake-crust"])]


def test_conditions_in_the_navigation_ask_the_sites_own_playbook() -> None:
    found = workshop(
        {
            "site.yml": f"{PLAYBOOK}asciidoc:\n  attributes:\n    with_rye: 'true'\n",
            "default-site.yml": f"{PLAYBOOK}asciidoc:\n  attributes:\n    with_rye: 'false'\n    with_spelt: 'true'\n",
            NAV: (
                '* xref:index.adoc[]\nifeval::["{with_rye}" == "true"]\n* xref:rye.adoc[]\nendif::[]\n'
                "ifdef::with_spelt[]\n* xref:spelt.adoc[]\nendif::[]\n"
            ),
            f"{PAGES}/index.adoc": "= Start\n",
            f"{PAGES}/rye.adoc": "= Rye\n",
            f"{PAGES}/spelt.adoc": "= Spelt\n",
        }
    )
    assert [entry.id for entry in found.steps] == ["index", "rye"]
    assert any(loss.kind == "page" and "spelt.adoc" in loss.detail and loss.line == 6 for loss in found.losses)
    assert any(loss.source == "default-site.yml" and "`site.yml` was taken" in loss.detail for loss in found.losses)


def test_a_start_page_outside_the_navigation_comes_first() -> None:
    found = workshop(
        {"site.yml": PLAYBOOK, NAV: "* xref:one.adoc[One]\n", f"{PAGES}/index.adoc": "= Front\n", f"{PAGES}/one.adoc": "= One\n"}
    )
    assert [entry.id for entry in found.steps] == ["index", "one"]


def test_a_navigation_among_the_pages_is_no_page_that_is_missing() -> None:
    found = workshop(
        {
            "content/antora.yml": "name: lab\nnav:\n- modules/ROOT/pages/nav.adoc\n",
            f"{PAGES}/nav.adoc": "* xref:one.adoc[One]\n",
            f"{PAGES}/one.adoc": "= One\n",
        }
    )
    assert [entry.id for entry in found.steps] == ["one"]
    assert found.losses == []


def test_pages_outside_the_navigation_are_losses_and_links_to_them_become_text() -> None:
    found = workshop(
        {
            NAV: "* xref:index.adoc[]\n* https://example.org/forum[Forum]\n* xref:gone.adoc[Gone]\n",
            f"{PAGES}/index.adoc": "= Start\n\nSee xref:draft.adoc[the draft], xref:nowhere.adoc[nothing] and <<missing>>.\n",
            f"{PAGES}/draft.adoc": "= Draft\n",
            f"{PAGES}/other.adoc": "= Other\n",
        }
    )
    assert "See the draft, nothing and missing." in found.steps[0].content
    assert sorted(loss.source for loss in found.losses if loss.kind == "page") == [f"{PAGES}/index.adoc", f"{PAGES}/other.adoc"]
    assert any(loss.kind == "link" and "https://example.org/forum" in loss.detail for loss in found.losses)
    assert sorted((broken.kind, broken.target) for broken in found.broken) == [
        ("anchor", "missing"),
        ("xref", "gone.adoc"),
        ("xref", "nowhere.adoc"),
    ]


def test_attributes_have_their_order_of_precedence() -> None:
    found = workshop(
        {
            "site.yml": f"{PLAYBOOK}asciidoc:\n  attributes:\n    hard: playbook\n    soft: playbook@\n",
            "content/antora.yml": f"{DESCRIPTOR}asciidoc:\n  attributes:\n    hard: component\n    soft: component@\n    own: component\n    gone: ~\n",
            NAV: "* xref:index.adoc[]\n",
            f"{PAGES}/index.adoc": "= Start\n:hard: page\n:soft: page\n:own: page\n:late: {soft}!\n\n{hard} {soft} {own} {late}\n\n:soft: later\n\nNow {soft}.\n",
        }
    )
    assert "playbook page component page!" in found.steps[0].content
    assert "Now later." in found.steps[0].content


def test_run_time_attributes_become_variables_and_braces_in_code_stay() -> None:
    found = workshop(
        {
            NAV: "* xref:index.adoc[]\n",
            f"{PAGES}/index.adoc": (
                "= Start\n\nHello {user}, open {console_url}[the console^] at `{route}/x` but not \\{this} or {pathParam}.\n\n"
                "[source,bash,role=execute,subs=attributes]\n----\nlogin {user} ${HOME} -w '%{http_code}' {{tpl}} awk '{print}'\n"
                "print(f'{user}')\n----\n\n[source,bash]\n----\nas is {user}\n----\n"
            ),
        }
    )
    text = found.steps[0].content
    assert "Hello {{user}}, open [the console]({{console_url}}) at `{{route}}/x` but not {this} or {pathParam}." in text
    assert "login {{user}} ${HOME} -w '%{http_code}' {{tpl}} awk '{print}'\nprint(f'{user}')\n" in text
    assert "as is {user}\n" in text
    assert [variable.name for variable in found.variables] == ["user", "console_url", "route"]


def test_a_run_time_attribute_within_another_one_is_a_variable_in_code_too() -> None:
    found = workshop(
        {
            NAV: "* xref:index.adoc[]\n",
            f"{PAGES}/index.adoc": (
                "= Start\n:api_url: https://{cluster_host}:6443\n:login: oc login {api_url} -o '{print}'\n:late: {soon}\n:soon: x\n\n"
                "Open {api_url}.\n\n[source,bash,role=execute,subs=attributes]\n----\n{login} {late}\n----\n"
            ),
        }
    )
    text = found.steps[0].content
    assert "Open <https://{{cluster_host}}:6443>." in text
    assert "oc login https://{{cluster_host}}:6443 -o '{print}' {soon}\n" in text
    assert [variable.name for variable in found.variables] == ["cluster_host"]


def test_hints_and_solutions_find_their_place() -> None:
    found = workshop(
        {
            NAV: "* xref:index.adoc[]\n",
            f"{PAGES}/index.adoc": "= Start\n\n.Hint\n[%collapsible]\n====\nLook closer.\n====\n\n.Details\n[%collapsible]\n====\nSeen.\n====\n",
        }
    )
    assert found.steps[0].hints == "Look closer.\n"
    assert "closer" not in found.steps[0].content
    assert "Seen." in found.steps[0].content


def test_images_are_copied_missing_ones_are_broken_and_remote_ones_stay() -> None:
    found = workshop(
        {
            NAV: "* xref:index.adoc[]\n",
            f"{PAGES}/index.adoc": (
                "= Start\n\nimage::pics/loaf one.png[A loaf,300,link=self]\n\n.Old place\nimage::crumb.svg[]\n\nimage::https://example.org/a.png[Away]\n\n"
                "image::gone.png[Gone]\n\nAn image:pics/loaf one.png[icon] inline.\n"
            ),
            "content/modules/ROOT/images/pics/loaf one.png": b"1",
            "content/modules/ROOT/assets/images/crumb.svg": b"<svg/>",
        }
    )
    text = found.steps[0].content
    assert "![A loaf](../../assets/content/modules/ROOT/images/pics/loaf-one.png)" in text
    assert "![crumb](../../assets/content/modules/ROOT/assets/images/crumb.svg)\n\n*Old place*" in text
    assert "![Away](https://example.org/a.png)" in text
    assert [(broken.kind, broken.target, broken.line) for broken in found.broken] == [("image", "gone.png", 10)]
    assert len(found.assets) == 2


def test_recognition_gives_evidence_and_passes_over_decoys() -> None:
    tree = site(
        {
            "content/antora.yml": DESCRIPTOR,
            "site.yml": PLAYBOOK,
            "ui-config.yml": "type: showroom\n",
            NAV: "* xref:index.adoc[]\n",
            f"{PAGES}/index.adoc": "= Start\n\n[source,bash,role=execute]\n----\nls\n----\n",
            "examples/antora.yml": DESCRIPTOR,
            "examples/modules/ROOT/pages/index.adoc": "= Example\n",
            ".tool/antora.yml": DESCRIPTOR,
            ".tool/modules/ROOT/pages/index.adoc": "= Tool\n",
        }
    )
    candidates = ShowroomImporter().recognise(tree)
    assert [(candidate.score, candidate.path) for candidate in candidates] == [(0.95, "")]
    assert candidates[0].evidence[:2] == ["`content/antora.yml` with a nav of 1 page", "playbook `site.yml`"]
    assert ShowroomImporter().recognise(site({"content/antora.yml": DESCRIPTOR, "README.md": "x"})) == []


def test_two_labs_in_one_repository_are_two_readings() -> None:
    files: dict[str, str | bytes] = {}
    for name in ("bread", "cake"):
        files[f"{name}/site.yml"] = PLAYBOOK
        files[f"{name}/content/antora.yml"] = DESCRIPTOR
        files[f"{name}/{NAV}"] = "* xref:index.adoc[]\n"
        files[f"{name}/{PAGES}/index.adoc"] = f"= The {name}\n"
    tree = site(files)
    importer = ShowroomImporter()
    candidates = importer.recognise(tree)
    assert [candidate.path for candidate in candidates] == ["bread", "cake"]
    assert importer.read(tree, candidates[1]).steps[0].title == "The cake"
    with pytest.raises(UnreadableSourceError):
        importer.read(tree, FormCandidate(form=importer.form, score=1, path="pie"))


@pytest.mark.parametrize("text", ["name: [unclosed\n", "a: &a [*a]\n", f"{DESCRIPTOR}asciidoc: {{attributes: [1]}}\nnav: 3\n"])
def test_a_descriptor_that_makes_no_sense_is_an_error_with_the_files_name(text: str) -> None:
    tree = site({"content/antora.yml": text, f"{PAGES}/a.adoc": "= A\n"})
    importer = ShowroomImporter()
    candidate = importer.recognise(tree)[0]
    if text.startswith("name: lab"):
        assert [entry.id for entry in importer.read(tree, candidate).steps] == ["a"]
        return
    with pytest.raises(UnreadableSourceError, match=r"content/antora\.yml"):
        importer.read(tree, candidate)


def test_attachments_and_relative_links() -> None:
    found = workshop(
        {
            NAV: "* xref:index.adoc[]\n* xref:two.adoc[]\n",
            f"{PAGES}/index.adoc": (
                "= Start\n\nlink:{attachmentsdir}/recipe.txt[Recipe], xref:attachment$recipe.txt[again], link:two.html#end[two], link:tab-1[tab], "
                "link:nothing.html[dead].\n"
            ),
            f"{PAGES}/two.adoc": "= Two\n\n== The end\n\nxref:index.adoc[back]\n",
            "content/modules/ROOT/attachments/recipe.txt": "flour\n",
        }
    )
    text = found.steps[0].content
    recipe = "../../assets/content/modules/ROOT/attachments/recipe.txt"
    assert f"[Recipe]({recipe}), [again]({recipe}), [two](../two/content.md), tab, dead." in text
    assert [(broken.kind, broken.target) for broken in found.broken] == [("anchor", "two.adoc#end"), ("link", "nothing.html")]
    assert kinds(found) == ["link"]
    assert "[back](../index/content.md)" in step(found, "two").content


def test_a_page_that_the_checkout_lacks_is_named() -> None:
    tree = site({NAV: "* xref:index.adoc[]\n* xref:two.adoc[]\n", f"{PAGES}/index.adoc": "= Start\n\nimage::big.png[]\n"})
    tree.absent[f"{PAGES}/two.adoc"] = "its object is missing"
    tree.absent["content/modules/ROOT/images/big.png"] = "it is a pointer to large file storage"
    importer = ShowroomImporter()
    found = importer.read(tree, importer.recognise(tree)[0])
    assert [entry.id for entry in found.steps] == ["index"]
    assert [(loss.kind, loss.detail.partition(" is not in the checkout")[0]) for loss in found.losses] == [
        ("page", f"`{PAGES}/two.adoc`"),
        ("image", "`content/modules/ROOT/images/big.png`"),
    ]
    assert found.broken == []


def test_documentation_is_not_a_workshop_because_antora_builds_it() -> None:
    files: dict[str, str | bytes] = {
        "content/antora.yml": "name: api\ntitle: Reference\nversion: ~\nnav: [modules/ROOT/nav.adoc]\n",
        NAV: "* xref:index.adoc[]\n",
        f"{PAGES}/index.adoc": "= Reference\n\nWhat the server knows. It is used in many a collaboration.\n",
    }
    assert ShowroomImporter().recognise(site(files))[0].score < 0.5
    files[f"{PAGES}/index.adoc"] = "= Reference\n\nIn this lab you meet the server.\n"
    assert ShowroomImporter().recognise(site(files))[0].score > 0.5


def test_a_course_outweighs_what_lies_beside_it() -> None:
    steps = "= Page\n\n. Mix\n. Rest\n. Bake\n"
    files: dict[str, str | bytes] = {
        "content/antora.yml": "name: oven\ntitle: Ovens\nversion: ~\nnav: [modules/ROOT/nav.adoc]\n",
        NAV: "".join(f"* xref:{name}.adoc[]\n" for name in "abc"),
        **{f"{PAGES}/{name}.adoc": steps for name in "abc"},
    }
    assert ShowroomImporter().recognise(site(files))[0].score == 0.6
    files[f"{PAGES}/b.adoc"] = "= Page\n\nWords.\n"
    files[f"{PAGES}/c.adoc"] = "= Page\n\nWords.\n"
    assert ShowroomImporter().recognise(site(files))[0].score == 0.4
    candidate = ShowroomImporter().recognise(site({**files, "README.md": "# Ovens\n\nA learning path.\n"}))[0]
    assert (candidate.score, candidate.evidence[-1]) == (0.6, "its README speaks of a learning path")
    course = {**files, f"{PAGES}/a.adoc": f"{steps}\nThis course has parts.\n" + ". More\n" * 4}
    assert ShowroomImporter().recognise(site(course))[0].score == 0.92
