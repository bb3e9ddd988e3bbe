"""The template converter's A2A card: who it is and what it can do."""

from typing import Any

from shared_services.kit.a2a import JSON, TEXT, Skill, agent_card

_SOURCE = "`source` is a git address; `ref` names a branch, tag or commit, `path` a subfolder."

SKILLS = (
    Skill(
        id="convert",
        name="Convert a repository into a workshop",
        description=(
            "Reads a workshop in any form that is known, and keeps it as a draft with a report of what was kept, lost, and "
            "broken before. Send the address as text, or a data part "
            f'{{source, skill?: "convert", ref?, path?, as_form?, slug?, every?}}. {_SOURCE} The answer is a task with its '
            "progress: a durable job, whose id is in every status. Where several readings are equally likely it asks: the task "
            "is input-required, with a data part {job, candidates}; answer on the same task with {as_form, path?}, "
            "{choice: NUMBER}, or {every: true} for each of them. Its artifact is a data part {workshop, version, report}, or "
            "{workshops, unread}. A cancelled task keeps nothing."
        ),
        tags=("convert", "import", "workshop"),
        examples=(
            "https://github.com/rhpds/showroom_template_default",
            '{"source": "https://example.org/labs.git", "ref": "v2"}',
        ),
        input_modes=(TEXT, JSON),
    ),
    Skill(
        id="classify",
        name="Say what a repository is",
        description=(
            "Every reading of a source with its score and its evidence, the likeliest first; nothing is kept. Send a data part "
            f'{{skill: "classify", source, ref?, path?}}. {_SOURCE} The artifact of the task is a data part {{candidates}}.'
        ),
        tags=("classify", "recognise", "repository"),
        examples=('{"skill": "classify", "source": "https://example.org/labs.git"}',),
    ),
    Skill(
        id="inspect",
        name="Inspect an application",
        description=(
            "Languages, build files, frameworks, entry points, HTTP endpoints, images and manifests, each with file and line; "
            f'nothing is run. Send a data part {{skill: "inspect", source, ref?, path?, skeleton?}}. {_SOURCE} The artifact of '
            "the task is a data part {inventory, skeleton}; with `skeleton: true` that is the draft of a workshop made of it."
        ),
        tags=("inspect", "inventory", "application"),
        examples=('{"skill": "inspect", "source": "https://example.org/shop.git", "skeleton": true}',),
    ),
    Skill(
        id="export",
        name="Export a workshop to another form",
        description=(
            'Writes a workshop of the library as an Antora site, for Educates, or for MkDocs. Send a data part {skill: "export", '
            'workshop, form: "showroom"|"educates"|"mkdocs", version?}. The answer is a task with its progress: a durable job, '
            "as for a conversion. Its artifact is a data part {workshop, version, form, files, losses}, and a zip, which the "
            "library keeps too."
        ),
        tags=("export", "showroom", "educates", "mkdocs"),
        examples=('{"skill": "export", "workshop": "kubernetes-basics", "form": "mkdocs"}',),
    ),
    Skill(
        id="check",
        name="Check a workshop",
        description=(
            "Says what is wrong with a workshop in the neutral form, each finding with file and line. Send a data part "
            '{skill: "check", workshop, version?} for one of the library, or {skill: "check", source, ref?, path?}. '
            f"{_SOURCE} Where the source holds several, it asks which. The artifact of the task is a data part "
            "{title, steps, findings}."
        ),
        tags=("check", "lint", "workshop"),
        examples=('{"skill": "check", "workshop": "kubernetes-basics"}',),
    ),
    Skill(
        id="diff",
        name="Compare two states of a workshop",
        description=(
            'What differs, step by step. Send a data part {skill: "diff", workshop, old, new?} for two versions in the library '
            '(new: the current one), or {skill: "diff", source, ref?, to, path?, as_form?} for two states of a source. '
            f"{_SOURCE} The artifact of the task is a data part {{old_commit, commit, fields, steps, files}}."
        ),
        tags=("diff", "compare", "workshop"),
        examples=('{"skill": "diff", "source": "https://example.org/labs.git", "ref": "v1", "to": "v2"}',),
    ),
    Skill(
        id="update",
        name="Merge a newer commit of the source into a workshop",
        description=(
            "Converts what a workshop was made from and a newer commit of it, and merges both with what its author changed, as a "
            'draft. Send a data part {skill: "update", workshop, version?, ref?, source?, base?, as_form?, path?}. It is a '
            "task with its progress: a durable job, as for a conversion, which asks likewise where several readings are equally "
            "likely. Its artifact is a data part {workshop, mine, base, theirs, version, conflicts, commit}; conflicts are "
            "decided over HTTP, under /api/v1/library/NAME/merges."
        ),
        tags=("update", "merge", "reimport"),
        examples=('{"skill": "update", "workshop": "kubernetes-basics", "ref": "v2"}',),
    ),
)


def converter_card(base: str) -> dict[str, Any]:
    """The card, given the address of the agent's root."""
    return agent_card(
        name="Template converter",
        description=(
            "Says what a repository is, turns workshops of many forms into the platform's own with an honest report, inspects "
            "applications, and writes workshops in other forms. For authors; nothing that it reads is ever run."
        ),
        base=base,
        audience="template-converter",
        skills=SKILLS,
    )
