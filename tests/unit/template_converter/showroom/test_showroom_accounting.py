"""Nothing is dropped in silence: words, code and images of a rich page against what the workshop holds."""

import re
from collections import Counter

from agents.template_converter.model import ImportedWorkshop
from shared_services.contracts.workshop import SourceMap
from shared_services.pages.markdown import render_step
from tests.unit.template_converter.showroom.antora_site import PAGES, fences, one_page

RICH = """= Baking with the cluster
Ada Lovelace <ada@example.org>
:flour: spelt
:url-mill: https://mill.example.org/grain

Welcome to *baking*.
This lab uses {flour} and {mill_console_url}[the mill console^].

.What you need
[cols="1,3",options="header"]
|===
|Thing |Why

|`oven` |It is _hot_
|bowl | holds the dough
|===

== Prepare

. Log in:
+
[source,bash,role=execute,subs="attributes"]
----
oc login -u {user} -p {password}

oc project bakery
----
+
You see:
+
[source,text]
----
Now using project "bakery" on server.
----

. Weigh the {flour}:

.. Take the scale.
.. Read its display.
+
image::scale.png[The scale,400]
+
NOTE: The display blinks twice.

. Mix, see <<knead>> and link:{url-mill}[the mill].
+
[tabs]
====
By hand::
+
--
Use both hands.
--
By machine::
+
--
[source,yaml]
----
speed: 3 # <1>
time: 10m # <2>
----
<1> slow
<2> long
--
====

[#knead]
== Knead

****
A sidebar about gluten.
****

[quote,Ada]
Bread is patience.

Gluten:: a protein
Crumb::
the inside
+
....
literal   crumb
....

* [x] kneaded
* [ ] rested
** covered
+
with a cloth

include::partial$closing.adoc[]
"""
CLOSING = "[TIP]\n====\nClean the table.\n\n```bash\nwipe --table\n```\n====\n\n|===\n|a\n|===\n"
_SOURCE_ONLY = re.compile(
    r"(?m)^:[\w-]+:.*$|^\[[^\n]*\]$|^(?:[-.=*_|+]{2,}\S*|```\w*|--)$|^\+$|^include::.*$|^Ada Lovelace.*$|^(?:\*+|\.+|<\d>|=+) |<\d>$|^\.(?=\w)"
)


def _words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z0-9]{2,}", text))


def _rich() -> ImportedWorkshop:
    return one_page(
        RICH,
        **{"content__modules__ROOT__partials__closing.adoc": CLOSING, "content__modules__ROOT__images__scale.png": b"png"},
    )


def test_every_word_of_the_page_is_in_the_step() -> None:
    found = _rich()
    source = _SOURCE_ONLY.sub("", RICH + CLOSING)
    source = re.sub(r"\{url-mill\}|\[x\]|,400|image::|\^|link:|<<knead>>|NOTE:|::", " ", source).replace("{flour}", "spelt")
    missing = _words(source) - _words(found.steps[0].content)
    assert missing == Counter()


def test_every_word_stands_once() -> None:
    content = _rich().steps[0].content
    for word in ("Welcome", "blinks", "gluten", "patience", "cloth", "wipe", "protein", "hands"):
        assert len(re.findall(rf"\b{word}\b", content)) == 1, word


def test_every_code_block_is_there_with_its_bytes() -> None:
    assert fences(_rich().steps[0].content) == [
        ("bash exec", "oc login -u {{user}} -p {{password}}\n\noc project bakery\n"),
        ("text", 'Now using project "bakery" on server.\n'),
        ("yaml", "speed: 3\ntime: 10m\n"),
        ("", "literal   crumb\n"),
        ("bash", "wipe --table\n"),
    ]


def test_nothing_is_lost_or_broken_and_the_variables_are_listed() -> None:
    found = _rich()
    assert found.losses == []
    assert found.broken == []
    assert [variable.name for variable in found.variables] == ["mill_console_url", "user", "password"]
    assert found.assets == {"content/modules/ROOT/images/scale.png": "content/modules/ROOT/images/scale.png"}
    assert found.authors == ["Ada Lovelace"]


def test_numbers_go_on_and_links_lead_to_headings() -> None:
    content = _rich().steps[0].content
    assert re.findall(r"(?m)^(\d+)\. ", content) == ["1", "2", "3"]
    assert "[Knead](#knead)" in content
    rendered = render_step(content, link=lambda address: address)
    assert [entry.anchor for entry in rendered.toc] == ["baking-with-the-cluster", "prepare", "knead"]
    assert rendered.html.count("<ol") == 3


def test_every_code_line_maps_to_its_own_line() -> None:
    entry = _rich().steps[0]
    source_map = SourceMap(file=entry.source, runs=entry.runs)
    sources = {f"{PAGES}/index.adoc": RICH.split("\n"), "content/modules/ROOT/partials/closing.adoc": CLOSING.split("\n")}
    checked = 0
    for number, text in enumerate(entry.content.split("\n"), 1):
        bare = text.strip(" >").replace("{{user}}", "{user}").replace("{{password}}", "{password}")
        if re.match(r"oc |Now using|speed|time|literal|wipe|A sidebar|with a cloth|You see", bare):
            place = source_map.locate(number)
            assert sources[place.file][place.line - 1].startswith(bare), (number, text, place)
            checked += 1
    assert checked == 10
    assert [run[0] for run in entry.runs] == sorted({run[0] for run in entry.runs})
    assert all(1 <= line <= len(sources[file]) for _, file, line in entry.runs)
