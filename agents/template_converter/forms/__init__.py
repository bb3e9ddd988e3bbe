"""The forms that can be imported: one table, one line for each."""

from agents.template_converter.forms.codelab import CodelabImporter
from agents.template_converter.forms.docusaurus import DocusaurusImporter
from agents.template_converter.forms.educates import EducatesImporter
from agents.template_converter.forms.hugo import HugoImporter
from agents.template_converter.forms.instruqt import InstruqtImporter
from agents.template_converter.forms.jupyter import JupyterImporter
from agents.template_converter.forms.killercoda import KillercodaImporter
from agents.template_converter.forms.markdown import MarkdownImporter
from agents.template_converter.forms.mkdocs import MkDocsImporter
from agents.template_converter.forms.rst import RstImporter
from agents.template_converter.forms.showroom import ShowroomImporter
from agents.template_converter.forms.workshop import WorkshopImporter
from agents.template_converter.forms.workshop_builder import WorkshopBuilderImporter
from agents.template_converter.model import Importer

IMPORTERS: tuple[Importer, ...] = (
    WorkshopImporter(),
    WorkshopBuilderImporter(),
    ShowroomImporter(),
    EducatesImporter(),
    KillercodaImporter(),
    CodelabImporter(),
    InstruqtImporter(),
    JupyterImporter(),
    MkDocsImporter(),
    DocusaurusImporter(),
    HugoImporter(),
    RstImporter(),
    MarkdownImporter(),
)
