"""Endpoints that calls, tables and classes make in Python and JavaScript, with what goes before them."""

from hypothesis import given
from hypothesis import strategies as st

from agents.template_converter.inventory import routes_javascript, routes_python


def told(read, sources):
    found = read({path: text.encode() for path, text in sources.items()})
    return [(row.method, row.path, row.handler, f"{row.place.path}:{row.place.line}") for row in found]


def test_aiohttp_by_methods_tables_and_applications_below_others():
    sources = {
        "routes.py": "from aiohttp import web\ndef setup(app, h):\n    add = app.router.add_route\n    app.router.add_get('/', h.index)\n"
        "    app.router.add_route('*', '/any', h.any)\n    app.add_routes([web.post('/p', h.post), web.view('/v', V)])\n"
        "    app.router.add_static('/static/', path='x')\n    api = web.Application()\n    api.router.add_put('/one', h.one)\n"
        "    app.add_subapp('/api/', api)\nclass V(web.View):\n    async def get(self): ...\n    async def delete(self): ...\n",
    }  # fmt: skip
    assert told(routes_python.all_endpoints, sources) == [
        ("GET", "/", "h.index", "routes.py:4"), ("ANY", "/any", "h.any", "routes.py:5"), ("POST", "/p", "h.post", "routes.py:6"),
        ("GET", "/v", "V", "routes.py:6"), ("DELETE", "/v", "V", "routes.py:6"), ("PUT", "/api/one", "h.one", "routes.py:9"),
    ]  # fmt: skip


def test_starlette_by_routes_and_mounts():
    sources = {
        "app.py": "from starlette.routing import Route, Mount\nusers = [Route('/{id}', endpoint=User), Route('/', make, methods=['POST'])]\n"
        "routes = [Route('/', home), Mount('/users', routes=users), Mount('/x', routes=[Route('/y', y)])]\n"
        "app = Starlette(routes=routes)\n",
        "other.py": "Route('/no', x)\n",
    }  # fmt: skip
    assert told(routes_python.all_endpoints, sources) == [
        ("ANY", "/users/{id}", "User", "app.py:2"), ("POST", "/users/", "make", "app.py:2"), ("GET", "/", "home", "app.py:3"),
        ("GET", "/x/y", "y", "app.py:3"),
    ]  # fmt: skip


def test_litestar_by_controllers_and_routers():
    sources = {
        "users.py": "from litestar import Controller, get, post\nclass Users(Controller):\n    path = '/users'\n"
        "    @get(operation_id='all')\n    async def all(self): ...\n    @post(['/a', '/b'], status_code=200)\n    async def two(self): ...\n",
        "app.py": "from litestar import Litestar, Router, route\nfrom users import Users\n@route(path='/ping', http_method=['GET', 'PUT'])\n"
        "def ping(): ...\napi = Router(path='/api', route_handlers=[Users])\napp = Litestar(route_handlers=[api, ping])\n",
        "no.py": "from other import get\n@get('/no')\ndef no(): ...\n",
    }  # fmt: skip
    assert told(routes_python.all_endpoints, sources) == [
        ("GET", "/api/users", "all", "users.py:4"), ("POST", "/api/users/a", "two", "users.py:6"),
        ("POST", "/api/users/b", "two", "users.py:6"), ("GET", "/ping", "ping", "app.py:3"), ("PUT", "/ping", "ping", "app.py:3"),
    ]  # fmt: skip


def test_flask_by_rules_and_resources():
    sources = {
        "app.py": "app.add_url_rule('/u', view_func=U.as_view('u'))\napp.add_url_rule('/f', 'f', f, methods=['POST'])\n"
        "api.add_resource(U, '/r', '/r/<id>')\nrouter.add_api_route('/a', a)\nclass U(MethodView):\n    def get(self): ...\n    def put(self): ...\n",
    }  # fmt: skip
    assert [row[:3] for row in told(routes_python.all_endpoints, sources)] == [
        ("GET", "/u", "U"), ("PUT", "/u", "U"), ("POST", "/f", "f"), ("GET", "/r", "U"), ("PUT", "/r", "U"), ("GET", "/r/<id>", "U"),
        ("PUT", "/r/<id>", "U"), ("GET", "/a", "a"),
    ]  # fmt: skip


def test_django_by_routers_of_other_files_and_lists_that_are_included():
    sources = {
        "api.py": "api_router = WagtailAPIRouter('x')\napi_router.register_endpoint('pages', Pages)\n",
        "urls.py": "from .api import api_router\ninner = [path('one/', views.one)]\nurlpatterns = [path('in/', include((inner, 'n'))), "
        "path('api/', api_router.urls), path('admin/', admin.site.urls)]\n",
    }
    assert [row[:3] for row in told(routes_python.all_endpoints, sources)] == [
        ("ANY", "/in/one/", "views.one"), ("ANY", "/admin/", "admin.site.urls"), ("ANY", "/api/pages", "Pages"),
    ]  # fmt: skip


def test_hono_by_chains_base_paths_and_mounts():
    sources = {
        "index.ts": "import { Hono } from 'hono'\nimport todos from './todos'\nconst app = new Hono<{ V: X }>().basePath('/api')\n"
        "const book = new Hono()\nbook.get('/:id', (c) => c.text(''))\napp.route('/book', book)\napp.route('/todos', todos)\n"
        "cache.get('/no', x)\nexport default app\n",
        "todos.ts": "import { Hono } from 'hono'\nconst todos = new Hono<X>()\n  .get('/', a)\n  .post('/', b)\nexport default todos\n",
    }  # fmt: skip
    assert told(routes_javascript.all_endpoints, sources) == [
        ("GET", "/api/book/:id", "", "index.ts:5"), ("GET", "/api/todos", "a", "todos.ts:3"), ("POST", "/api/todos", "b", "todos.ts:4"),
    ]  # fmt: skip


def test_koa_and_express_routers_behind_functions_settings_and_names_of_folders():
    sources = {
        "koa/index.js": "const Router = require('koa-router')\nconst router = new Router()\nconst api = new Router()\n"
        "const users = require('./users')\napi.use(users)\nrouter.use('/api', api.routes())\n",
        "koa/users.js": "const Router = require('koa-router')\nconst router = new Router()\nrouter.del('/u', a.b)\nmodule.exports = router.routes()\n",
        "e/src/config.ts": "export default { api: { prefix: '/v1' } }\n",
        "e/src/main.ts": "import express from 'express'\nimport routes from '@/routes'\nconst app = express()\napp.use(config.api.prefix, routes())\n",
        "e/src/routes/index.ts": "import { Router } from 'express'\nimport auth from './auth'\nexport default () => {\n"
        "  const app = Router()\n  auth(app)\n  return app\n}\n",
        "e/src/routes/auth.ts": "import { Router } from 'express'\nconst route = Router()\nexport default (app: Router) => {\n"
        "  app.use('/auth', route)\n  route.post('/in', enter)\n}\n",
    }  # fmt: skip
    assert told(routes_javascript.all_endpoints, sources) == [
        ("DELETE", "/api/u", "a.b", "koa/users.js:3"), ("POST", "/v1/auth/in", "enter", "e/src/routes/auth.ts:5"),
    ]  # fmt: skip


def test_hapi_by_tables_below_plugins_with_prefixes():
    sources = {
        "server.js": "const Glue = require('glue')\nconst m = {registrations: [{plugin: {register: './api'}, options: {routes: {prefix: '/v1'}}}]}\n",
        "lib/api/tags/routes.js": "module.exports = (server) => [\n  {method: ['GET', 'POST'], path: '/tags', handler: h.tags},\n"
        "  {method: '*', path: '/rest', options: {handler: () => 1}},\n  {method: 'GET', path: '/nothing'},\n]\n",
        "lib/other.js": "server.route({method: 'PUT', path: '/o', handler (r) { return 1 }})\n",
    }  # fmt: skip
    assert told(routes_javascript.all_endpoints, sources) == [
        ("GET", "/v1/tags", "h.tags", "lib/api/tags/routes.js:2"), ("POST", "/v1/tags", "h.tags", "lib/api/tags/routes.js:2"),
        ("ANY", "/v1/rest", "", "lib/api/tags/routes.js:3"), ("PUT", "/o", "", "lib/other.js:1"),
    ]  # fmt: skip


def test_versions_of_nest_where_addresses_hold_them():
    controller = (
        "import { Controller, Get } from '@nestjs/common';\n@Controller('a')\nexport class A {\n  @Version('2')\n  @Get('x')\n  x() {}\n"
        "  @Get('y')\n  y() {}\n}\n"
    )
    plain = {"main.ts": "app.enableVersioning();\n", "a.ts": controller}
    headers = {"main.ts": "app.enableVersioning({ type: VersioningType.HEADER });\n", "a.ts": controller}
    default = {"main.ts": "app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });\n", "a.ts": controller}
    read = routes_javascript.all_endpoints
    assert [row[1] for row in told(read, plain)] == ["/v2/a/x", "/a/y"]
    assert [row[1] for row in told(read, headers)] == ["/a/x", "/a/y"]
    assert [row[1] for row in told(read, default)] == ["/v2/a/x", "/v1/a/y"]


def test_a_prefix_that_a_loaded_file_of_fastify_gives_itself():
    sources = {
        "app.js": "import AutoLoad from '@fastify/autoload'\nfastify.register(AutoLoad, { dir: join(__dirname, 'routes') })\n",
        "routes/status.js": "// fastify\nexport const autoPrefix = '/_app'\nexport default async function (fastify) {\n  fastify.get('/status', s)\n}\n",
    }
    assert told(routes_javascript.all_endpoints, sources) == [("GET", "/_app/status", "s", "routes/status.js:4")]


@given(text=st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(text):
    python = b"from litestar import get\nimport aiohttp, starlette\nx.add_route(Route(" + text
    script = b"const Hapi = require('hapi')\nconst a = new Hono({method: 'GET', path: '/x', handler: 1, prefix: " + text
    assert isinstance(list(routes_python.all_endpoints({"a.py": python})), list)
    assert isinstance(list(routes_javascript.all_endpoints({"a.js": script})), list)
