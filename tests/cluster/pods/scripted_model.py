"""The scripted model's server in a pod: port 8000, and `PUT /script` with what it says from now on.

It runs in the product's own image, with `upstream.py` beside it.
"""

import json
import threading
from typing import Any

from upstream import Fail, Say, ScriptedUpstream, model_row


class ControlledUpstream(ScriptedUpstream):
    """Takes its script over HTTP; GET gives what it was asked so far."""

    async def _app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] != "/script":
            await super()._app(scope, receive, send)
            return
        if scope["method"] == "PUT":
            body = json.loads((await receive()).get("body") or b"{}")
            self.script(Fail(**body["fail"]) if "fail" in body else Say(**body))
        asked = {"asked": len(self.requests), "finished": sum(request.finished for request in self.requests)}
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(asked).encode()})


with ControlledUpstream(models=[model_row("scripted-model")], listen=("0.0.0.0", 8000)) as upstream:
    upstream.script(Say("The workshop says how it is done. [1]"))
    threading.Event().wait()
