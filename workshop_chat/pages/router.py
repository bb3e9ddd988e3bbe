"""The participant's pages over HTTP. Everything is readable as it leaves the server; scripts only add to it."""

from collections import OrderedDict
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from shared_services.contracts.chat import SessionView
from shared_services.contracts.library import WorkshopVersion
from shared_services.contracts.workshop import WorkshopManifest
from shared_services.kit.errors import NotFoundError
from shared_services.pages.addresses import WorkshopLinks
from shared_services.pages.markdown import RenderedStep, render_step
from shared_services.pages.static_files import StaticBundle
from shared_services.pages.templating import Templates, page_route, root_path
from shared_services.pages.workshop_files import file_response
from workshop_chat.content import WorkshopContent
from workshop_chat.errors import ConversationNotFoundError, FileNotInWorkshopError, WorkshopFullError
from workshop_chat.join import after_joining
from workshop_chat.live import LiveChannel
from workshop_chat.pages import views
from workshop_chat.pages.wording import MODES, WORDS, WORDS_AS_JSON
from workshop_chat.participants import Participant, Participants, display_name
from workshop_chat.progress import ProgressRepository
from workshop_chat.repository import ConversationRepository
from workshop_chat.sessions import RETRY_SECONDS, Sessions

ROOM = Path(__file__).parent.parent
LAST_STEP_COOKIE = "workshop_step"
CONVERSATION_COOKIE = "workshop_conversation"
LAYOUT_COOKIE = "workshop_layout"
NOTES_COOKIE = "workshop_notes"
COOKIE_SECONDS = 90 * 24 * 3600
RENDERED_KEPT = 64

JOIN_PROBLEMS = {
    "wrong-join-code": "This code does not open the workshop. Check it for typing errors, or ask whoever runs the workshop.",
    "rate-limited": "Too many codes were tried from here. Wait a minute, then try again.",
    "bad-input": "The name or the code is too long.",
}


@lru_cache(maxsize=1)
def look() -> tuple[StaticBundle, Templates]:
    """The static files and templates, once for all workshops that one process serves."""
    bundle = StaticBundle([ROOM / "static"])
    return bundle, Templates(bundle, [ROOM / "templates"])


class StepRenderer:
    """Renders steps and keeps the last ones; a version's content never changes, so a kept one is never stale."""

    def __init__(self, content: WorkshopContent) -> None:
        self._content = content
        self._kept: OrderedDict[tuple[str, str, str], RenderedStep] = OrderedDict()

    async def render(self, root: str, version: WorkshopVersion, path: str) -> RenderedStep | None:
        """A Markdown file of a version as HTML; None where there is no such file."""
        key = (root, version.version, path)
        kept = self._kept.get(key)
        if kept is None:
            if all(file.path != path for file in version.files):
                return None
            text = (await self._content.file(path, version.version)).decode("utf-8")
            links = WorkshopLinks(
                folder=path.rpartition("/")[0],
                steps=frozenset(version.manifest.steps),
                files=frozenset(file.path for file in version.files if views.is_public(file.path)),
                step_address=lambda step: f"{root}/steps/{step}",
                file_address=lambda file: f"{root}/files/{version.version}/{quote(file)}",
            )
            names = frozenset(variable.name for variable in version.manifest.variables)
            # Seconds at worst, so not on the event loop.
            prefix, lower = ("", 0) if path.endswith("/content.md") else ("aside-", 2)
            rendering = partial(render_step, text, link=links, variables=names, prefix=prefix, lower=lower)
            kept = await to_thread.run_sync(rendering)
            self._kept[key] = kept
            while len(self._kept) > RENDERED_KEPT:
                self._kept.popitem(last=False)
        return kept


def page_router(
    content: WorkshopContent,
    participants: Participants,
    repository: ConversationRepository,
    sessions: Sessions,
    channel: LiveChannel,
    progress: ProgressRepository,
    longest: int = 0,
) -> APIRouter:
    """The pages of one workshop, its files and its static files.

    Args:
        content: The workshop.
        participants: Who sends a request.
        repository: Where conversations are kept.
        sessions: Who has a place; others are shown a page to wait on.
        channel: Knows what was said to all.
        progress: Is told which step those opened who have no session, and teach.
        longest: How many characters a message may have, so that the page says so before it is sent; 0 for no limit.
    """
    bundle, templates = look()
    renderer = StepRenderer(content)
    router = APIRouter(include_in_schema=False, route_class=page_route(templates))

    async def turns(request: Request, participant: Participant, version: WorkshopVersion) -> tuple[list[views.Turn], int]:
        """The last turns of the caller's conversation, and how many came before them."""
        conversation = request.cookies.get(CONVERSATION_COOKIE, "")
        if not conversation:
            return [], 0
        root = root_path(request)
        try:
            stored = await repository.turns(conversation, participant.id)
        except ConversationNotFoundError:
            return [], 0
        shown = [views.turn_view(turn, version, lambda step: f"{root}/steps/{step}") for turn in stored[-views.TURNS_SHOWN :]]
        return shown, len(stored) - len(shown)

    @router.get("/")
    async def index(request: Request) -> Response:
        participants.identify(request)
        steps = (await content.current()).manifest.steps
        last = request.cookies.get(LAST_STEP_COOKIE, "")
        return RedirectResponse(f"{root_path(request)}/steps/{last if last in steps else steps[0]}", status_code=302)

    @router.get("/steps/{step}")
    async def step_page(request: Request, step: str) -> Response:
        participant = participants.identify(request)
        root = root_path(request)
        shown = await content.step(step)
        if await sessions.enter(participant, step=step) != "live":
            manifest = (await content.current()).manifest
            return _full_page(templates, request, manifest, await sessions.view(participant), step)
        if participant.teaches:
            await progress.seen(participant.id, step)
        version = await content.version(shown.version)
        rendered = await renderer.render(root, version, f"steps/{step}/content.md")
        assert rendered is not None
        talk, earlier = await turns(request, participant, version)
        title, body = views.split_title(rendered.html)
        response = templates.page(
            request,
            "step.html",
            workshop=version.manifest,
            layout=views.read_layout(request.cookies.get(LAYOUT_COOKIE, "")),
            step=shown,
            rail=views.rail(version, step),
            previous=version.steps[shown.previous].title if shown.previous else "",
            next=version.steps[shown.next].title if shown.next else "",
            title=title,
            body=body,
            outline=views.outline(rendered.toc),
            hints=await renderer.render(root, version, f"steps/{step}/hints.md"),
            questions=views.questions(shown.title, rendered.toc),
            turns=talk,
            earlier=earlier,
            me=participant,
            notes=views.unread(await channel.standing(), request.cookies.get(NOTES_COOKIE, "")),
            idle=views.duration((await sessions.rules()).timeout),
            empty_turn=views.empty_turn(),
            words=WORDS,
            words_as_json=WORDS_AS_JSON,
            modes=MODES,
            longest=longest,
        )
        response.set_cookie(
            LAST_STEP_COOKIE,
            step,
            max_age=COOKIE_SECONDS,
            path=root or "/",
            httponly=True,
            samesite="lax",
            secure=_secure(request),
        )
        return response

    @router.get("/files/{version}/{path:path}")
    async def file(request: Request, version: str, path: str) -> Response:
        participants.identify(request)
        if not views.is_public(path):
            raise FileNotInWorkshopError("The workshop hands out no such file.")
        return file_response(path, await content.file(path, version))

    @router.get("/join")
    async def join_page(request: Request) -> Response:
        manifest = (await content.current()).manifest
        problem = request.query_params.get("problem", "")
        return templates.page(
            request,
            "join.html",
            workshop=manifest,
            code=request.query_params.get("code", "")[:200],
            typed=display_name(request.query_params.get("name", "")),
            code_needed=participants.access == "code",
            wrong_code=problem == "wrong-join-code",
            me=participants.known(request),
            target=after_joining(request.query_params.get("next", "")),
            problem=JOIN_PROBLEMS.get(problem, "Joining did not work. Try again in a moment.") if problem else "",
        )

    router.include_router(bundle.router())

    @router.get("/{path:path}")
    async def nothing(path: str) -> Response:
        raise NotFoundError("There is nothing at this address. The steps are listed on the workshop's first page.")

    return router


def _full_page(templates: Templates, request: Request, manifest: WorkshopManifest, place: SessionView, step: str) -> Response:
    """Where somebody waits for a place; the page lets them in."""
    response = templates.page(
        request, "full.html", status=WorkshopFullError.status, workshop=manifest, place=place, step=step, retry=RETRY_SECONDS
    )
    response.headers["retry-after"] = str(RETRY_SECONDS)
    return response


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
