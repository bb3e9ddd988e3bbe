"""What a site shows beside its documents, and JavaScript that stays in a line: told by group or kind, with a count."""

import pytest

from tests.unit.template_converter.docusaurus.test_docusaurus import SIDEBARS, convert

CONFIG = """
module.exports = {
  title: 'W',
  presets: [['classic', {docs: {sidebarPath: './sidebars.js'}, blog: {path: 'news'}}]],
  plugins: [['@docusaurus/plugin-content-docs', {id: 'api', path: 'api', routeBasePath: 'api'}]],
};
"""


def test_pages_beside_the_documents_are_told_by_group(tmp_path):
    more = {
        "site/api/a.md": "x", "site/api/b.mdx": "x", "site/api/_part.md": "x",
        "site/news/1.md": "x", "site/news/2.md": "x", "site/news/authors.yml": "x",
        "site/src/pages/index.js": "x", "site/src/pages/about.md": "x", "site/src/pages/index.module.css": "x",
        "site/versioned_docs/version-1/a.md": "x", "site/api_versioned_docs/version-1/a.md": "x",
        "site/i18n/fr/docs/a.md": "x", "site/other/unknown.md": "x",
    }  # fmt: skip
    workshop = convert(tmp_path, {"a.md": "# A\n"}, SIDEBARS, CONFIG, **more)
    assert [step.title for step in workshop.steps] == ["A"]
    assert {row.kind for row in workshop.losses} == {"page"}
    said = " left out: only the documents that the sidebars list are read."
    assert [(row.source, row.detail.removesuffix(said)) for row in workshop.losses] == [
        ("site/api", "2 pages of `site/api` (further documents) are"),
        ("site/news", "2 pages of `site/news` (blog) are"),
        ("site/src/pages", "2 pages of `site/src/pages` (pages of the site's own) are"),
        ("site/api_versioned_docs/version-1/a.md", "1 page of `site/api_versioned_docs` (earlier versions) is"),
        ("site/versioned_docs/version-1/a.md", "1 page of `site/versioned_docs` (earlier versions) is"),
        ("site/i18n/fr/docs/a.md", "1 page of `site/i18n` (translations) is"),
    ]


def test_html_of_a_sidebar_is_told(tmp_path):
    sidebars = "module.exports = {main: ['a', {type: 'html', value: '<b>Part</b> one<hr/>'}]};\n"
    workshop = convert(tmp_path, {"a.md": "# A\n"}, sidebars)
    assert [(row.kind, row.source, row.detail) for row in workshop.losses] == [
        ("page", "site/sidebars.js", "The sidebar's entry “Part one” is HTML and no page; it is left out.")
    ]


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("Version {version} and {version}.\n", ["expression `{version …}` (2 times)"]),
        ("{[1, 2].map((x) => (\n  <b>{x}</b>\n))}\n", ["expression `{[ …}` (1 times)"]),
        ("`{code}`, \\{escaped}, $\\frac{a}{b}$, $x^{n}$.\n\n$$\n\\frac{a}{b}\n$$\n\n```js\n{x}\n```\n", []),
        ("## Head {#id}\n", []),
    ],
)
def test_javascript_in_a_line_is_told_once_for_each_kind(tmp_path, body, kinds):
    workshop = convert(tmp_path, {"a.mdx": f"# A\n\n{body}"})
    told = [row.detail for row in workshop.losses if row.detail.startswith("expression")]
    assert told == [kind.replace(" (", " is not known and is shown as text (") + "." for kind in kinds]
    assert all(row.kind == "macro" and row.line == 3 for row in workshop.losses)
