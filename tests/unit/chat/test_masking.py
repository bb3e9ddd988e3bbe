import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop_chat.masking import mask_secrets

SECRETS = [
    ("key AKIAIOSFODNN7EXAMPLE in use", "AKIAIOSFODNN7EXAMPLE"),
    ("export GH=ghp_" + "a1B2" * 9, "ghp_" + "a1B2" * 9),
    ("glpat-" + "x9_-" * 5, "glpat-" + "x9_-" * 5),
    ("oc login --token=sha256~" + "Ab1" * 14 + "c --server=https://api:6443", "Ab1" * 14),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "c2lnbmF0dXJl"),
    ("curl -H 'Authorization: Bearer abcdef123456'", "abcdef123456"),
    ("Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy"),
    ("postgresql://app:hunter2@db:5432/x", "hunter2"),
    ("DB_PASSWORD=hunter22", "hunter22"),
    ('{"client_secret": "q1w2e3r4"}', "q1w2e3r4"),
    ("mysql --password hunter22 -u root", "hunter22"),
    ("spring.datasource.password: hunter22", "hunter22"),
    ("sk-proj-" + "Zz9" * 10, "Zz9" * 10),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\nxyz\n-----END RSA PRIVATE KEY-----", "MIIEabc"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEcut", "MIIEcut"),
]
KEPT = [
    "export TOKEN=$(kubectl create token admin)",
    "password: <your-password>",
    "password={{ password }}",
    "--token=$TOKEN",
    "kubectl get secret db-credentials -o yaml",
    "the secret is stored in Vault",
    "token: ${GITHUB_TOKEN}",
    "image sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "git commit 53aa51172d142c89d9012cce15ae4d6cc0ca6895",
    "http://127.0.0.1:8080/path@x",
    "kubectl create secret generic db --from-literal=user=app",
]


@pytest.mark.parametrize(("text", "secret"), SECRETS)
def test_a_secret_is_masked(text: str, secret: str) -> None:
    masked = mask_secrets(text)
    assert secret in text
    assert secret not in masked.text
    assert masked.found


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_is_kept(text: str) -> None:
    assert mask_secrets(text).text == text


@pytest.mark.parametrize("text", [text for text, _ in SECRETS])
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask_secrets(text).text
    assert mask_secrets(once).text == once


def test_the_rest_of_the_line_is_kept() -> None:
    assert mask_secrets("PGPASSWORD=hunter22 psql -h db").text == "PGPASSWORD=[masked secret] psql -h db"


@given(st.text(max_size=300))
def test_any_text_comes_back(text: str) -> None:
    assert isinstance(mask_secrets(text).text, str)
