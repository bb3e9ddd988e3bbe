"""Tokens from a mounted file, renewed under our feet."""

import json
import os
from pathlib import Path

import pytest

from shared_services.kit.errors import UnavailableError
from workshop_chat.credentials import FileTokens


def test_a_renewed_file_is_read_again(tmp_path: Path):
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"rag": "old"}))
    tokens = FileTokens(path)
    assert tokens("rag") == "old"
    path.write_text(json.dumps({"rag": "new"}))
    os.utime(path, ns=(1, 2))
    assert tokens("rag") == "new"


@pytest.mark.parametrize("content", [None, "not json", "[]", '{"library": "l"}'])
def test_what_cannot_be_used_is_said(tmp_path: Path, content: str | None):
    path = tmp_path / "tokens.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UnavailableError, match=r"tokens\.json"):
        FileTokens(path)("rag")
