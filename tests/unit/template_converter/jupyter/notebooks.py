"""Notebooks, cell by cell, and their conversion."""

import json

from agents.template_converter.forms.jupyter import JupyterImporter
from tests.unit.template_converter.trees import make_tree, read

IMPORTER = JupyterImporter()


def cell(kind, source, **more):
    return {"cell_type": kind, "metadata": {}, "source": source.splitlines(keepends=True), **more}


def book(*cells, **metadata):
    value = {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(value, indent=1)


def text(source):
    return cell("markdown", source)


def code(source, outputs=0):
    return cell("code", source, outputs=[{"output_type": "stream", "text": ["x"]}] * outputs, execution_count=1)


def convert(tmp_path, files, **more):
    return read(IMPORTER, make_tree(tmp_path, files, **more))
