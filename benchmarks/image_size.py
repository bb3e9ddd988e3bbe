"""How large the images are, and what of: `python -m benchmarks.image_size [--json] [IMAGE...]`, after `make image`.

Sizes are of the files as they lie on a node's disk; what a node pulls is compressed. Needs podman or docker.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass

IMAGES = ("localhost/workshop-assistant:dev", "localhost/workshop-assistant-rag:dev")
PARTS = {
    "libraries": "/opt/venv",
    "RAG agent's libraries": "/opt/rag",
    "embedding model": "/app/models",
    "code and examples": "/app",
}
"""Name -> folder; a file belongs to the first that holds it."""
REST = "Python, Debian and git"
BIGGEST = 6
_MB = 1_000_000

_WALK = """
import json, os, sys
found = {}
for folder in sys.argv[1:]:
    for at, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(at, name)
            if not os.path.islink(path):
                found[path] = os.path.getsize(path)
print(json.dumps(found))
"""


class ImageSizeError(Exception):
    """The sizes cannot be found; the message says what to do."""


@dataclass(frozen=True)
class ImageSize:
    """An image's size.

    Attributes:
        image: Its name.
        megabytes: Of all its layers.
        parts: Megabytes by part, which make up the whole.
        biggest: Megabytes of its largest libraries, the largest first.
    """

    image: str
    megabytes: float
    parts: dict[str, float]
    biggest: dict[str, float]


def summed(image: str, whole: int, files: dict[str, int]) -> ImageSize:
    """An image's size from the bytes of its layers and those of its files by path."""
    parts = dict.fromkeys(PARTS, 0)
    libraries: dict[str, int] = {}
    for path, size in files.items():
        part = next(name for name, folder in PARTS.items() if path.startswith(f"{folder}/"))
        parts[part] += size
        library = _library(path)
        if library:
            libraries[library] = libraries.get(library, 0) + size
    named = {name: size for name, size in parts.items() if size}
    named[REST] = whole - sum(named.values())
    biggest = sorted(libraries.items(), key=lambda each: -each[1])[:BIGGEST]
    return ImageSize(
        image,
        round(whole / _MB, 1),
        {name: round(size / _MB, 1) for name, size in named.items()},
        {name: round(size / _MB, 1) for name, size in biggest},
    )


def _library(path: str) -> str:
    """The library that a file belongs to, with the compiled parts that lie beside it in `NAME.libs`; empty for none."""
    for folder in ("/opt/venv/lib/python3.12/site-packages/", "/opt/rag/"):
        name, _, rest = path.removeprefix(folder).partition("/")
        if path.startswith(folder) and rest and not name.endswith(".dist-info"):
            return name.removesuffix(".libs")
    return ""


def measure(program: str, image: str) -> ImageSize:
    """The size of an image that is on this machine.

    Raises:
        ImageSizeError: It is not there or does not run.
    """
    whole = int(_said(program, "image", "inspect", "--format", "{{.Size}}", image))
    walk = ("run", "--rm", "--network=none", "--entrypoint", "python", image, "-c", _WALK, "/opt/venv", "/opt/rag", "/app")
    return summed(image, whole, json.loads(_said(program, *walk)))


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ImageSizeError(f"`{' '.join(command[:3])}` failed: {done.stderr.strip()[-500:]}. Run `make image` first.")
    return done.stdout


def table(sizes: list[ImageSize]) -> str:
    """The sizes in lines for people."""
    lines: list[str] = []
    for size in sizes:
        lines.append(f"{size.image:44}{size.megabytes:8.0f} MB")
        lines += [f"  {name:42}{megabytes:8.0f}" for name, megabytes in size.parts.items()]
        lines.append("  the largest: " + ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in size.biggest.items()))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the sizes."""
    parser = argparse.ArgumentParser(prog="benchmarks.image_size", description=__doc__)
    parser.add_argument("images", nargs="*", default=list(IMAGES), metavar="IMAGE")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    program = next((name for name in ("podman", "docker") if shutil.which(name)), None)
    if program is None:
        sys.stderr.write("image_size: neither podman nor docker is installed; one of them runs the image to look into it.\n")
        return 1
    try:
        sizes = [measure(program, image) for image in given.images]
    except ImageSizeError as error:
        sys.stderr.write(f"image_size: {error}\n")
        return 1
    print(json.dumps([asdict(size) for size in sizes], indent=2) if given.json else table(sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
