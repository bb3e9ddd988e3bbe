"""What the script applies before the core's own services is what these need."""

import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_what_the_core_needs_goes_before_it():
    script = "for part in terminal cluster core; do . scripts/lib/$part.sh; done; kubectl kustomize overlays/shared-infrastructure | infrastructure"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {each["metadata"]["name"] for each in yaml.safe_load_all(done.stdout) if each}
    assert found == {"postgres", "milvus", "ogx"}
