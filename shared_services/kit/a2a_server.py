"""What speaks A2A for an agent: callers, their tasks, and how a task ends. Imports the protocol's library, so import it late.

A task belongs to who sent its first message: the token's subject together with its workshop. For everybody else there is no
such task. Tasks are kept in memory, the newest thousand; what an agent did outlives them in the agent's own store. Where the
work is a durable job, `shared_services.jobs.a2a_tasks` keeps the tasks too.
"""

import json
import uuid
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import anyio
from a2a.auth.user import User
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.context import ServerCallContext
from a2a.server.events import Event, EventQueue
from a2a.server.request_handlers.default_request_handler_v2 import DefaultRequestHandlerV2
from a2a.server.routes import create_jsonrpc_routes, create_rest_routes
from a2a.server.routes.common import ServerCallContextBuilder
from a2a.server.tasks import InMemoryTaskStore, TaskStore, TaskUpdater
from a2a.types import AgentCard, Message, Part, Role, SendMessageRequest, Task, TaskState, TaskStatus
from a2a.utils.constants import VERSION_HEADER
from google.protobuf import json_format, struct_pb2
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp
from structlog import get_logger

from shared_services.kit.a2a import CLAIMS, JSON, JSONRPC_PATH, REST_PATH, TEXT
from shared_services.kit.errors import PlatformError
from shared_services.kit.logging import request_id
from shared_services.kit.tokens import Claims

log = get_logger()

MOST_TASKS = 1_000
WAITING_SECONDS = 60.0
"""How long a task that waits for its caller is held ready; afterwards a further message takes it up again from the store."""

Run = Callable[[], Awaitable[None]]


class Caller(User):
    """Who calls, by a token that was verified at the door."""

    def __init__(self, claims: Claims) -> None:
        self.claims = claims

    @property
    def is_authenticated(self) -> bool:
        """Always true: nobody else gets through the door."""
        return True

    @property
    def user_name(self) -> str:
        """Owner of tasks: subject and workshop. One service acts for many workshops, and each has tasks of its own."""
        return json.dumps([self.claims.subject, self.claims.workshop])


class _Calls(ServerCallContextBuilder):
    """Takes the claims from where the door put them; nothing of the message says who calls."""

    def build(self, request: Request) -> ServerCallContext:
        version = request.headers.get(VERSION_HEADER)
        headers = {} if version is None else {VERSION_HEADER: version}
        return ServerCallContext(user=Caller(request.scope[CLAIMS]), state={"headers": headers})


def claims_of(context: RequestContext) -> Claims:
    """The claims of the token that the message came with."""
    user = context.call_context.user
    if not isinstance(user, Caller):
        raise TypeError("a call that did not come through the door")
    return user.claims


def context_of(context: RequestContext) -> str:
    """The context that a message belongs to: of the task that it names, else its own."""
    # A message that names a task alone comes with a context that the library made up for it.
    return (context.current_task or context).context_id or ""


class NewestTasks(InMemoryTaskStore):
    """Keeps the newest tasks of all owners together.

    Args:
        most: How many.
    """

    def __init__(self, most: int = MOST_TASKS) -> None:
        super().__init__()
        self._most = most
        self._owners: OrderedDict[str, ServerCallContext] = OrderedDict()

    async def save(self, task: Task, context: ServerCallContext) -> None:
        """Keep a task, and let the one go that was changed longest ago."""
        await super().save(task, context)
        self._owners[task.id] = context
        self._owners.move_to_end(task.id)
        while len(self._owners) > self._most:
            oldest, owner = self._owners.popitem(last=False)
            await super().delete(oldest, owner)

    async def delete(self, task_id: str, context: ServerCallContext) -> None:
        """Let a task go."""
        await super().delete(task_id, context)
        self._owners.pop(task_id, None)


def text_part(text: str) -> Part:
    """A part for people."""
    return Part(text=text, media_type=TEXT)


def data_part(model: BaseModel) -> Part:
    """A part for programs."""
    return Part(data=json_format.ParseDict(model.model_dump(mode="json"), struct_pb2.Value()), media_type=JSON)


def file_part(data: bytes, name: str, media_type: str) -> Part:
    """A part that is a file."""
    return Part(raw=data, filename=name, media_type=media_type)


def texts_of(message: Message) -> list[str]:
    """The text parts of a message."""
    return [part.text for part in message.parts if part.WhichOneof("content") == "text"]


def data_of(message: Message) -> list[Any]:
    """The data parts of a message; a number is a float where it could be an integer, which is all the protocol has."""
    return [json_format.MessageToDict(part.data) for part in message.parts if part.WhichOneof("content") == "data"]


def answer(context: RequestContext, parts: Iterable[Part]) -> Message:
    """A message back, for what needs no task."""
    return Message(role=Role.ROLE_AGENT, message_id=uuid.uuid4().hex, context_id=context.context_id or "", parts=list(parts))


def submitted(
    context: RequestContext,
    state: TaskState = TaskState.TASK_STATE_SUBMITTED,
    parts: Iterable[Part] = (),
    marks: Mapping[str, str] | None = None,
) -> Task:
    """A new task for the message that a call came with; `marks` are its metadata."""
    status = TaskStatus(state=state)
    status.timestamp.FromDatetime(datetime.now(UTC))
    shown = list(parts)
    if shown:
        status.message.CopyFrom(
            Message(
                role=Role.ROLE_AGENT,
                message_id=uuid.uuid4().hex,
                task_id=context.task_id or "",
                context_id=context.context_id or "",
                parts=shown,
            )
        )
    history = [context.message] if context.message is not None else []
    return Task(
        id=context.task_id or "",
        context_id=context.context_id or "",
        status=status,
        history=history,
        metadata=dict(marks) if marks else None,
    )


def problem_parts(error: Exception) -> tuple[TaskState, list[Part]]:
    """How a task ends with an error: its state, a sentence and the problem document.

    A request that cannot be met is rejected; what went wrong on this side is a failure. Of an error that is not meant for
    callers they see no more than that the log has it.
    """
    if not isinstance(error, PlatformError):
        log.error("a2a_task_crashed", error=type(error).__name__, exc_info=error)
        error = PlatformError("The log has the details.")
    refused = error.status < 500
    sentence = f"{error.title}. {error.detail}".strip()
    state = TaskState.TASK_STATE_REJECTED if refused else TaskState.TASK_STATE_FAILED
    return state, [text_part(sentence), data_part(error.problem(request_id.get()))]


class SkillExecutor(AgentExecutor):
    """Runs one message of one caller: `answer` for what is done at once, `work` for what takes a task.

    A subclass overrides `begin`. Errors become the end of a task, never a traceback; a further message to a task that waits
    for one, where it is refused, leaves the task waiting.

    Attributes:
        cancelled: What a caller is told who ends a task.
    """

    cancelled = "It was cancelled; nothing was changed."

    def __init__(self) -> None:
        self._under_way: dict[str, tuple[anyio.CancelScope, anyio.Event]] = {}

    @abstractmethod
    async def begin(self, context: RequestContext) -> "Message | Work":
        """Do what a message asks at once and answer it, or say what is to be done as a task.

        Raises:
            PlatformError: The request is refused, or cannot be met now.
        """

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Serve one message."""
        task = TaskUpdater(event_queue, context.task_id or "", context_of(context))
        known = context.current_task is not None
        try:
            begun = await self.begin(context)
        except Exception as error:
            state, parts = problem_parts(error)
            if context.current_task is not None:
                # A refused message changes nothing: what waits goes on waiting, what is done goes on being done.
                refused = state == TaskState.TASK_STATE_REJECTED
                state = context.current_task.status.state if refused else state
                await task.update_status(state, task.new_agent_message(parts))
            else:
                await event_queue.enqueue_event(submitted(context, state, parts))
            return
        if isinstance(begun, Message):
            await event_queue.enqueue_event(begun)
            return
        if not known:
            marks = begun.marks if isinstance(begun, Marked) else None
            await event_queue.enqueue_event(submitted(context, marks=marks))
        await self._run(begun, task)

    async def ended(self, task_id: str) -> None:
        """Wait until nothing is done for a task any more."""
        under_way = self._under_way.get(task_id)
        if under_way is not None:
            await under_way[1].wait()

    async def _run(self, work: "Work", task: TaskUpdater) -> None:
        ended = anyio.Event()
        try:
            with anyio.CancelScope() as scope:
                self._under_way[task.task_id] = (scope, ended)
                try:
                    await work(task)
                except Exception as error:
                    state, parts = problem_parts(error)
                    await task.update_status(state, task.new_agent_message(parts))
            if scope.cancelled_caught:
                message = task.new_agent_message([text_part(self.cancelled)])
                await task.cancel(message)
        finally:
            self._under_way.pop(task.task_id, None)
            ended.set()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """End a task's work, and wait until it has cleaned up after itself."""
        under_way = self._under_way.get(context.task_id or "")
        if under_way is not None:
            scope, ended = under_way
            scope.cancel()
            await ended.wait()


Work = Callable[[TaskUpdater], Awaitable[None]]
"""What a task does: tells how far it is, adds its artifacts, and completes it."""


@dataclass(frozen=True)
class Marked:
    """Work whose task says from its first moment what it rests on.

    Attributes:
        work: What the task does.
        marks: Metadata of the task.
    """

    work: Work
    marks: Mapping[str, str]

    async def __call__(self, task: TaskUpdater) -> None:
        """Do the work."""
        await self.work(task)


class TaskHandler(DefaultRequestHandlerV2):
    """Serves tasks as the library does; a message that names a task alone belongs to the task's context.

    Args:
        tasks: Where the tasks are.
        card: The agent's.
        executor: Takes messages.
    """

    def __init__(self, tasks: TaskStore, card: AgentCard, executor: AgentExecutor) -> None:
        super().__init__(agent_executor=executor, task_store=tasks, agent_card=card, interrupted_task_timeout=WAITING_SECONDS)
        self.tasks = tasks

    async def on_message_send(self, params: SendMessageRequest, context: ServerCallContext) -> Message | Task:
        """Take a message."""
        return cast("Message | Task", await super().on_message_send(await self._in_context(params, context), context))

    async def on_message_send_stream(self, params: SendMessageRequest, context: ServerCallContext) -> AsyncGenerator[Event, None]:
        """Take a message, and tell what comes of it."""
        async for event in super().on_message_send_stream(await self._in_context(params, context), context):
            yield event

    async def _in_context(self, params: SendMessageRequest, context: ServerCallContext) -> SendMessageRequest:
        # The library makes up a context for it, which is not that of a task taken up again from the store.
        if params.message.task_id and not params.message.context_id:
            task = await self.tasks.get(params.message.task_id, context)
            if task is not None:
                params.message.context_id = task.context_id
        return params


MakeHandler = Callable[[AgentCard, AgentExecutor], TaskHandler]


def in_memory(card: AgentCard, executor: AgentExecutor) -> TaskHandler:
    """What serves tasks that this process alone knows."""
    return TaskHandler(NewestTasks(), card, executor)


@asynccontextmanager
async def open_face(card: dict[str, Any], executor: AgentExecutor, make: MakeHandler = in_memory) -> AsyncIterator[ASGIApp]:
    """An app that speaks JSON-RPC and HTTP+JSON; what is done for tasks when it is left is cancelled.

    Args:
        card: The agent's card in the protocol's JSON.
        executor: Does the work.
        make: Makes what keeps the tasks and serves them.
    """
    handler = make(json_format.ParseDict(card, AgentCard()), executor)
    calls = _Calls()
    routes = [
        *create_jsonrpc_routes(handler, JSONRPC_PATH, context_builder=calls),
        Mount(REST_PATH, routes=create_rest_routes(handler, context_builder=calls)),
    ]
    try:
        yield Starlette(routes=routes)
    finally:
        with anyio.CancelScope(shield=True):
            await handler.aclose()
