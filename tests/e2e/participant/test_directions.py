"""Text that is written from right to left, beside code that never is."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from shared_services.library.form import validate_files
from tests.browser import axe_violations, sideways, watched
from tests.e2e.participant.garden import garden_app

pytestmark = pytest.mark.browser

TITLE = "\u0627\u0641\u062a\u062d \u0627\u0644\u0635\u0645\u0627\u0645"
STEP = f"""# {TITLE}

{TITLE} `garden valve`.

English comes too.

- {TITLE}

```bash
garden valve open
```
"""


def sides(text: Locator) -> tuple[float, float]:
    """How far a block's text is from the block's left and right edge."""
    left, right = text.evaluate(
        """block => {
            const range = document.createRange();
            range.selectNodeContents(block);
            const own = block.getBoundingClientRect();
            const rows = [...range.getClientRects()].filter(row => row.width > 1);
            const words = [Math.min(...rows.map(row => row.left)), Math.max(...rows.map(row => row.right))];
            return [words[0] - own.left, own.right - words[1]];
        }"""
    )
    return left, right


@pytest.mark.parametrize("width", [1280, 360])
def test_each_block_stands_on_the_side_it_is_read_from(chromium: Browser, tmp_path: Path, width: int):
    files = {
        "workshop.yaml": f'apiVersion: workshop-assistant/v1\nslug: garden\ntitle: "{TITLE}"\nsteps: [open]\n',
        "steps/open/step.yaml": f'title: "{TITLE}"\n',
        "steps/open/content.md": STEP,
    }
    workshop = validate_files({path: text.encode() for path, text in files.items()})
    with garden_app(tmp_path, workshop=workshop) as address, watched(chromium, address, width=width, height=740) as seen:
        page = seen.open("/steps/open")
        text = page.locator("[data-text=content]")
        for block in (text.locator("h1"), text.locator("p").nth(0), text.locator("li")):
            left, right = sides(block)
            assert left > right, block
        left, right = sides(text.locator("p").nth(1))
        assert left < right
        left, right = sides(text.locator("pre"))
        assert left < right
        # The list's signs stand before its words, on the right.
        assert text.locator("ul").evaluate("list => getComputedStyle(list).paddingRight") == "28px"
        if width < 760:
            page.locator("[data-show=assistant]").click()
        page.get_by_label("Your question").fill(f"{TITLE}\u061f")
        page.keyboard.press("Enter")
        expect(page.locator(".turn[data-state=done]")).to_have_count(1)
        assert page.locator(".question").evaluate("one => getComputedStyle(one).unicodeBidi") == "plaintext"
        assert axe_violations(page) == []
        assert sideways(page) == 0
        assert seen.troubles() == []
