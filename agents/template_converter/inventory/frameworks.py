"""Frameworks by what build files name and sources import, and where programs begin."""

import re
from collections.abc import Mapping

from agents.template_converter.inventory.syntax import MAX_SOURCE_BYTES
from shared_services.contracts.inventory import BuildFile, EntryPoint, Framework, Place

_NAMED: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern)
    for name, pattern in {
        "Spring Boot": r"(?:^|[:.])spring-boot|^org\.springframework\.boot",
        "Quarkus": r"^io\.quarkus(?:\.platform)?[:.]|^quarkus",
        "Micronaut": r"^io\.micronaut",
        "Hibernate": r"hibernate-(?:core|orm)|data-jpa",
        "Thymeleaf": r"thymeleaf",
        "JUnit": r"junit",
        "Express": r"^express$",
        "NestJS": r"^@nestjs/core$",
        "Next.js": r"^next$",
        "React": r"^react$",
        "Vue": r"^vue$",
        "Angular": r"^@angular/core$",
        "Svelte": r"^svelte$",
        "Fastify": r"^fastify$",
        "Koa": r"^koa$",
        "hapi": r"^(?:@hapi/hapi|hapi)$",
        "Hono": r"^hono$",
        "Ktor": r"^io\.ktor",
        "Javalin": r"^io\.javalin",
        "Spark": r"^com\.sparkjava",
        "Prisma": r"^(?:@prisma/client|prisma)$",
        "Jest": r"^jest$",
        "FastAPI": r"^fastapi$",
        "Flask": r"^[Ff]lask$",
        "Django": r"^[Dd]jango$",
        "Starlette": r"^starlette$",
        "Litestar": r"^litestar$",
        "aiohttp": r"^aiohttp$",
        "Django REST framework": r"^djangorestframework$",
        "SQLAlchemy": r"^[Ss][Qq][Ll][Aa]lchemy$",
        "Alembic": r"^alembic$",
        "pytest": r"^pytest$",
        "Gin": r"^github\.com/gin-gonic/gin$",
        "Echo": r"^github\.com/labstack/echo",
        "Chi": r"^github\.com/go-chi/chi",
        "Fiber": r"^github\.com/gofiber/fiber",
        "Rails": r"^rails$",
        "Laravel": r"^laravel/framework$",
        "Actix Web": r"^actix-web$",
        "Axum": r"^axum$",
        "ASP.NET Core": r"^Microsoft\.AspNetCore",
    }.items()
}
_WEB_APPLICATION = re.compile(
    rb"^\w+(?:\s*:\s*\w+)?\s*=\s*(?:FastAPI|Flask|get_application|create_app|get_asgi_application|get_wsgi_application)\s*\(",
    re.MULTILINE,
)
_MAIN: tuple[tuple[str, str, re.Pattern[bytes]], ...] = (
    ("java", "main method", re.compile(rb"\bstatic\s+void\s+main\s*\(")),
    ("java", "Quarkus application", re.compile(rb"@QuarkusMain\b")),
    ("kt", "main function", re.compile(rb"^fun\s+main\s*\(", re.MULTILINE)),
    ("go", "main package", re.compile(rb"^func\s+main\s*\(\s*\)", re.MULTILINE)),
    ("rs", "main function", re.compile(rb"^(?:async\s+)?fn\s+main\s*\(", re.MULTILINE)),
    ("py", "main module", re.compile(rb"^if\s+__name__\s*==\s*[\"']__main__[\"']", re.MULTILINE)),
    ("py", "web application", _WEB_APPLICATION),
    ("js", "listening server", re.compile(rb"\b(?:app|server|fastify)\.listen\s*\(")),
    ("ts", "listening server", re.compile(rb"\b(?:app|server|fastify)\.listen\s*\(")),
)  # fmt: skip
_MOST = 5


_IMPORTED: tuple[tuple[str, tuple[str, ...], re.Pattern[bytes]], ...] = tuple(
    (name, endings, re.compile(pattern, re.MULTILINE))
    for name, endings, pattern in (
        ("FastAPI", ("py",), rb"^(?:from|import) fastapi\b"),
        ("Flask", ("py",), rb"^(?:from|import) flask\b"),
        ("Django", ("py",), rb"^(?:from|import) django\b"),
        ("Starlette", ("py",), rb"^(?:from|import) starlette\b"),
        ("Litestar", ("py",), rb"^(?:from|import) litestar\b"),
        ("aiohttp", ("py",), rb"^(?:from|import) aiohttp\b"),
        ("Ktor", ("kt",), rb"^import io\.ktor\.server\."),
        ("Javalin", ("java", "kt"), rb"^import io\.javalin\."),
        ("Spark", ("java", "kt"), rb"^import (?:static )?spark\."),
        ("hapi", ("js", "ts"), rb"(?:require\(|from )[\"'](?:@hapi/)?hapi[\"']"),
        ("Hono", ("js", "ts", "tsx", "mjs"), rb"(?:require\(|from )[\"']hono[\"']"),
        ("Spring Boot", ("java", "kt"), rb"^import org\.springframework\.boot\."),
        ("Micronaut", ("java", "kt"), rb"^import io\.micronaut\."),
        ("Jakarta REST", ("java", "kt"), rb"^import (?:jakarta|javax)\.ws\.rs\b"),
        ("Express", ("js", "ts", "mjs", "cjs"), rb"require\([\"']express[\"']\)|^import .*from [\"']express[\"']"),
        ("net/http", ("go",), rb"http\.(?:ListenAndServe|HandleFunc|NewServeMux|Server\{)"),
        ("Gorilla Mux", ("go",), rb"\"github\.com/gorilla/mux\""),
    )
)


def frameworks(build_files: list[BuildFile], sources: Mapping[str, bytes]) -> list[Framework]:
    """Frameworks that build files depend on or sources import, each with the places that say so."""
    found: dict[str, dict[str, Place]] = {}
    for build in build_files:
        for dependency in build.dependencies:
            for name, pattern in _NAMED.items():
                if pattern.search(dependency.name):
                    found.setdefault(name, {}).setdefault(build.path, Place(path=build.path))
    for path, source in sources.items():
        for name, endings, imported in _IMPORTED:
            match = imported.search(source[:MAX_SOURCE_BYTES]) if path.rpartition(".")[2] in endings else None
            if match and len(found.get(name, ())) < _MOST:
                line = source.count(b"\n", 0, match.start()) + 1
                found.setdefault(name, {}).setdefault(path, Place(path=path, line=line))
    return [Framework(name=name, evidence=list(places.values())[:_MOST]) for name, places in found.items()]


def entry_points(build_files: list[BuildFile], sources: Mapping[str, bytes]) -> list[EntryPoint]:
    """Where the program begins: main methods and modules, servers that listen, and what build files start."""
    found = []
    for path, source in sources.items():
        ending = path.rpartition(".")[2]
        ending = {"mjs": "js", "cjs": "js", "mts": "ts"}.get(ending, ending)
        for suffix, kind, pattern in _MAIN:
            match = pattern.search(source[:MAX_SOURCE_BYTES]) if suffix == ending else None
            if match:
                line = source.count(b"\n", 0, match.start()) + 1
                found.append(EntryPoint(kind=kind, place=Place(path=path, line=line)))
                break
    for build in build_files:
        name = build.path.rpartition("/")[2]
        if name == "package.json" and "start" in build.scripts:
            found.append(EntryPoint(kind="start script", place=Place(path=build.path)))
        elif name in ("pyproject.toml", "setup.cfg", "setup.py"):
            found += [EntryPoint(kind=f"command `{script}`", place=Place(path=build.path)) for script in build.scripts]
    return found
