"""A folder that a person names: the site that it is, that it belongs to, or that lies in it, and no other."""

from pathlib import Path

import pytest

from agents.template_converter.errors import UnreadableSourceError
from agents.template_converter.forms.showroom import ShowroomImporter
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import ConvertRequest, Form, FormCandidate
from tests.unit.template_converter.showroom.antora_site import PLAYBOOK, site


def lab(folder: str, title: str) -> dict[str, str | bytes]:
    return {
        f"{folder}/site.yml": PLAYBOOK,
        f"{folder}/content/antora.yml": f"name: lab\ntitle: {title}\nversion: ~\nnav:\n- modules/ROOT/nav.adoc\n",
        f"{folder}/content/modules/ROOT/nav.adoc": "* xref:index.adoc[Start]\n",
        f"{folder}/content/modules/ROOT/pages/index.adoc": f"= {title}\n\n. Do it\n\n[source,bash,role=execute]\n----\nls\n----\n",
    }


BREAD, CAKE, DECOY = lab("bread", "The Bread"), lab("labs/cake", "The Cake"), lab("examples/cake", "The Decoy")


def read(tmp_path: Path, files: dict[str, str | bytes], path: str) -> tuple[str, str]:
    site(files, tmp_path)
    request = ConvertRequest(source=str(tmp_path), path=path, as_form=Form.SHOWROOM)
    found = ConverterService(ConverterSettings()).read(request).workshop.manifest
    return found.title, found.source.path if found.source else "?"


@pytest.mark.parametrize(
    ("files", "path", "title"),
    [
        (BREAD | DECOY, "examples/cake", "The Decoy"),
        (BREAD | DECOY, "examples", "The Decoy"),
        (BREAD | DECOY, "bread", "The Bread"),
        (BREAD | DECOY, "", "The Bread"),
        (BREAD | CAKE, "bread/content", "The Bread"),
        (BREAD | CAKE, "labs", "The Cake"),
        (BREAD | CAKE, "labs/cake", "The Cake"),
        (BREAD, "bread/content", "The Bread"),
    ],
)
def test_the_site_of_the_folder_is_read(tmp_path: Path, files: dict[str, str | bytes], path: str, title: str) -> None:
    assert read(tmp_path, files, path)[0] == title


@pytest.mark.parametrize(("path", "said"), [("cellar", "There is no Antora site"), ("labs", "There are 2 Antora sites")])
def test_a_folder_with_no_site_or_several_is_refused(path: str, said: str) -> None:
    tree = site(BREAD | CAKE | lab("labs/pie", "The Pie") | {"cellar/notes.txt": "x"})
    with pytest.raises(UnreadableSourceError, match=said):
        ShowroomImporter().read(tree, FormCandidate(form=Form.SHOWROOM, score=1, path=path))
