"""Insights over HTTP, for whoever runs the workshop: as JSON, as CSV and as a page."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from shared_services.contracts.insights import DEFAULT_DAYS, MAX_DAYS, Insights
from shared_services.pages.templating import page_route, root_path
from workshop_chat.access import teacher
from workshop_chat.content import WorkshopContent
from workshop_chat.insights.export import csv_text
from workshop_chat.insights.service import InsightsService
from workshop_chat.insights.views import PERIODS, insights_view
from workshop_chat.pages.router import look
from workshop_chat.participants import Participant

Days = Annotated[int, Query(ge=1, le=MAX_DAYS, description="How many days back, today among them; 1 for the last 24 hours.")]


def insights_api(insights: InsightsService, identify: Callable[[Request], Participant]) -> APIRouter:
    """`GET /api/v1/insights` and `GET /api/v1/insights.csv`."""
    router = APIRouter(prefix="/api/v1", tags=["insights"], dependencies=[Depends(teacher(identify))])

    @router.get("/insights")
    async def read_insights(days: Days = DEFAULT_DAYS) -> Insights:
        """Counts, groups of questions that want an answer, and steps that take long. It names no participant."""
        return await insights.look(days)

    @router.get("/insights.csv", response_class=Response)
    async def export_insights(days: Days = DEFAULT_DAYS) -> Response:
        """The questions of the groups, a row each."""
        text = csv_text(await insights.groups(days))
        headers = {"content-disposition": f'attachment; filename="questions-{days}-days.csv"', "cache-control": "no-store"}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    return router


def insights_pages(insights: InsightsService, content: WorkshopContent, identify: Callable[[Request], Participant]) -> APIRouter:
    """The page `/insights`."""
    _, templates = look()
    router = APIRouter(include_in_schema=False, route_class=page_route(templates), dependencies=[Depends(teacher(identify))])

    @router.get("/insights")
    async def insights_page(request: Request, days: str = "") -> Response:
        """Any number of days is shown; what is none shows the usual period."""
        chosen = int(days) if days.isdecimal() and len(days) < 5 and 1 <= int(days) <= MAX_DAYS else DEFAULT_DAYS
        found = await insights.look(chosen)
        root = root_path(request)
        version = await content.current()
        return templates.page(
            request,
            "insights.html",
            workshop=version.manifest,
            days=chosen,
            periods=PERIODS,
            insights=found,
            view=insights_view(found, version, lambda step: f"{root}/steps/{step}"),
        )

    return router
