"""The forms that a workshop can be written in: one table, one line for each."""

from agents.template_converter.exports.antora import AntoraExporter
from agents.template_converter.exports.educates import EducatesExporter
from agents.template_converter.exports.mkdocs import MkDocsExporter
from agents.template_converter.exports.model import Exporter
from shared_services.contracts.conversion import Form

EXPORTERS: dict[Form, Exporter] = {
    exporter.form: exporter for exporter in (AntoraExporter(), EducatesExporter(), MkDocsExporter())
}
