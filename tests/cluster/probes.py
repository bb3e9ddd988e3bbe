"""Programs that run inside pods and say what they reach; each prints one line of JSON."""

import json
import subprocess

CONNECT = """
import json, socket, sys
found = {}
for place in sys.argv[1:]:
    host, port = place.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
        found[place] = "open"
    except OSError as error:
        found[place] = type(error).__name__
print(json.dumps(found))
"""
"""Arguments are HOST:PORT; what came of each is `open` or the error's name."""

QUERY = """
import asyncio, json, os, sys
import asyncpg

async def main():
    found = {}
    for argument in sys.argv[1:]:
        database, _, statement = argument.partition("|")
        url = os.environ["DATABASE_URL"]
        if database:
            url = url.rpartition("/")[0] + "/" + database
        try:
            connection = await asyncpg.connect(url, timeout=10)
            try:
                rows = await connection.fetch(statement)
                found[argument] = f"{len(rows)} rows"
            finally:
                await connection.close()
        except (OSError, asyncpg.PostgresError) as error:
            found[argument] = type(error).__name__
    print(json.dumps(found))

asyncio.run(main())
"""
"""Arguments are DATABASE|STATEMENT, with the chat agent's own url; what came of each is `N rows` or the error's name."""

ASK_HTTP = """
import json, os, sys
import urllib.error, urllib.request

def call(url, body=None, token=None):
    request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode(), headers={"content-type": "application/json"})
    request.add_header("authorization", "Bearer " + token)
    try:
        with urllib.request.urlopen(request, timeout=15) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None

core = os.environ["CORE_ENDPOINT"]
credential = open(os.environ["WORKSHOP_CREDENTIAL_FILE"]).read().strip()
status, given = call(core + "/api/v1/tokens", {"audience": "library"}, credential)
found = {"exchange": status}
for path in sys.argv[1:]:
    found[path] = call(core + path, None, given["token"])[0]
print(json.dumps(found))
"""
"""Arguments are paths of the library's API, asked for with the chat agent's own credential; gives each status."""


def outcome(done: "subprocess.CompletedProcess[str]") -> dict[str, str]:
    """What a program found.

    Raises:
        AssertionError: It did not run.
    """
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found
