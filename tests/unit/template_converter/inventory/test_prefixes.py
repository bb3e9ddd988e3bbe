"""What stands before a route's own address: groups, mounts, closures, included modules, folders; as each language has them."""

from agents.template_converter.inventory import routes_go, routes_java, routes_javascript, routes_python
from agents.template_converter.inventory.frameworks import frameworks
from shared_services.contracts.inventory import Endpoint


def told(rows: object) -> list[tuple[str, str, str]]:
    return [(row.method, row.path, row.handler) for row in rows if isinstance(row, Endpoint)]


CHI = b"""
package main
import "github.com/go-chi/chi/v5"
const base = "/v2"
func main() {
    r := chi.NewRouter()
    r.Route("/articles", func(r chi.Router) {
        r.With(paginate).Get("/", List)
        r.Group(func(r chi.Router) {
            r.Put("/{id}", Update)
        })
    })
    r.Mount("/admin", adminRouter())
    r.Get(base+"/info", Info)
    r.Get(unknown(), Nothing)
    r.Method("PATCH", "/x", h)
}
func adminRouter() http.Handler {
    r := chi.NewRouter()
    r.Get("/users", Users)
    return r
}
"""


def test_chi_nests_and_mounts():
    assert told(routes_go.endpoints("main.go", CHI)) == [
        ("GET", "/articles", "List"),
        ("PUT", "/articles/{id}", "Update"),
        ("GET", "/v2/info", "Info"),
        ("PATCH", "/x", "h"),
        ("GET", "/admin/users", "Users"),
    ]


def test_groups_are_handed_over_to_other_files():
    sources = {
        "main.go": b'package main\nfunc main() {\n  r := router.New()\n  v1 := r.Group("/api")\n  users.Register(v1.Group("/users"))\n'
        b"  h.Routes(v1)\n}\n",
        "users/routes.go": b'package users\nimport "github.com/gin-gonic/gin"\nfunc Register(router *gin.RouterGroup) {\n'
        b'  router.POST("", Create)\n  router.GET("/:id", Show)\n}\n',
        "handler/routes.go": b'package handler\nimport "github.com/labstack/echo/v4"\nfunc (h *Handler) Routes(v1 *echo.Group) {\n'
        b'  tags := v1.Group("/tags")\n  tags.GET("", h.Tags)\n}\n',
    }
    assert told(routes_go.all_endpoints(sources)) == [
        ("POST", "/api/users", "Create"),
        ("GET", "/api/users/:id", "Show"),
        ("GET", "/api/tags", "h.Tags"),
    ]


def test_gorilla_names_methods_by_constants_and_prefixes_by_values():
    source = (
        b'package main\nimport "github.com/gorilla/mux"\nfunc run() {\n  api := r.PathPrefix("/api").Subrouter()\n'
        b'  api.HandleFunc(baseUrl+"/cart", s.view).Methods(http.MethodGet, http.MethodHead)\n}\n'
    )
    assert told(routes_go.endpoints("main.go", source)) == [("GET", "/api/cart", "s.view")]


def test_routers_call_each_other_without_an_end():
    source = b'package a\nimport "net/http"\nfunc a(m *Mux) { b(m); m.GET("/x", h) }\nfunc b(m *Mux) { a(m) }\n'
    assert told(routes_go.endpoints("a.go", source)) == [("GET", "/x", "h")]


def test_clients_ask_and_answer_nothing():
    client = b'@Path("/heroes") @RegisterRestClient interface C { @GET @Path("/one") Hero one(); }'
    feign = b'@FeignClient("x") interface C { @GetMapping("/a") String a(); }'
    assert told(routes_java.all_endpoints({"C.java": client, "F.java": feign})) == []


def test_micronaut_and_the_path_of_an_application():
    sources = {
        "a/src/main/java/A.java": b'import io.micronaut.http.annotation.*;\n@Controller("/carts") class A {\n'
        b'  @Get("/{id}") Cart get() { return null; }\n  @Post Cart add() { return null; }\n  @Delete(uri = "/{id}") void drop() {}\n}',
        "b/src/main/java/App.java": b'@ApplicationPath("/rest") class App extends Application {}',
        "b/src/main/java/B.java": b'@Path("todos") class B { @GET public String all() { return ""; } }',
        "c/src/main/java/C.java": b'@Path("other") class C { @GET public String all() { return ""; } }',
    }
    assert told(routes_java.all_endpoints(sources)) == [
        ("GET", "/carts/{id}", "get"),
        ("POST", "/carts", "add"),
        ("DELETE", "/carts/{id}", "drop"),
        ("GET", "/rest/todos", "all"),
        ("GET", "/other", "all"),
    ]


def test_express_mounts_over_files():
    sources = {
        "app.js": b"const express = require('express');\nconst app = express();\napp.use('/api', auth, require('./routes'));\n",
        "routes/index.js": b"const router = require('express').Router();\nconst users = require('./users');\n"
        b"router.use('/users', users);\nmodule.exports = router;\n",
        "routes/users.js": b"const router = require('express').Router();\nrouter.get('/:id', show);\nmodule.exports = router;\n",
        "chain.ts": b"import { Router } from 'express';\nimport tags from './tags';\nconst api = Router().use(tags);\n"
        b"export default Router().use('/v1', api);\n",
        "tags.ts": b"import { Router } from 'express';\nconst router = Router();\nrouter.post('/tags', make);\nexport default router;\n",
        "loop.js": b"const express = require('express'); const router = express.Router();\nrouter.use('/l', require('./loop'));\n"
        b"router.get('/x', x);\n",
    }
    found = told(routes_javascript.all_endpoints(sources))
    assert found[:2] == [("GET", "/api/users/:id", "show"), ("POST", "/v1/tags", "make")]
    assert found[2][2] == "x"


def test_fastify_registers_loads_folders_and_describes_routes():
    sources = {
        "src/app.ts": b"import fastify from 'fastify';\nimport load from '@fastify/autoload';\nimport health from './health';\n"
        b"app.register(load, { dir: path.join(__dirname, 'routes'), options: { prefix: '/api' } });\n"
        b"app.register(health, { prefix: '/health' });\n",
        "src/routes/tasks/index.ts": b"// fastify\nexport default async (fastify) => {\n  fastify.get('/:id', async () => 1);\n"
        b"  fastify.route({ method: ['GET', 'POST'], url: '/all', handler: everything });\n}\n",
        "src/health.ts": b"// fastify\nexport default async (fastify) => { fastify.get('/live', ok); }\n",
    }
    assert told(routes_javascript.all_endpoints(sources)) == [
        ("GET", "/api/tasks/:id", ""),
        ("GET", "/api/tasks/all", "everything"),
        ("POST", "/api/tasks/all", "everything"),
        ("GET", "/health/live", "ok"),
    ]


def test_nest_has_a_prefix_for_all():
    sources = {
        "api/src/main.ts": b"import { NestFactory } from '@nestjs/core';\napp.setGlobalPrefix('api');\n",
        "api/src/cats.ts": b"import { Get } from '@nestjs/common';\n@Controller({ path: 'cats' })\nexport class C { @Get(':id') one() {} }\n",
        "other/cats.ts": b"import { Get } from '@nestjs/common';\n@Controller('dogs')\nexport class C { @Get() all() {} }\n",
    }
    assert told(routes_javascript.all_endpoints(sources)) == [("GET", "/api/cats/:id", "one"), ("GET", "/dogs", "all")]


def test_next_routes_are_files():
    sources = {
        "web/app/(shop)/cart/[id]/route.ts": b"import x from 'x';\nexport async function GET() {}\nexport const DELETE = f;\n",
        "src/app/route.js": b"export function POST() {}\n",
        "pages/api/users/index.js": b"export default function handler(req, res) {}\n",
        "pages/about.js": b"export default function About() {}\n",
        "app/lib/route.ts": b"export const other = 1;\n",
    }
    assert told(routes_javascript.all_endpoints(sources)) == [
        ("GET", "/cart/[id]", "GET"),
        ("DELETE", "/cart/[id]", "DELETE"),
        ("POST", "/", "POST"),
        ("ANY", "/api/users", "handler"),
    ]


def test_django_includes_and_settings_that_are_prefixes():
    sources = {
        "site/urls.py": b"urlpatterns = [path('shop/', include('shop.urls')), path('admin/', admin.site.urls)]\n",
        "shop/urls.py": b"urlpatterns = [path('<int:pk>/', views.show), path('in/', include('shop.urls'))]\n",
        "main.py": b"from api import router\nfrom config import settings\napp.include_router(router, prefix=settings.API_V1)\n",
        "api.py": b"from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/x')\ndef x(): ...\n",
        "config.py": b'class Settings:\n    API_V1: str = "/api/v1"\n    TWO: str = "/a"\n',
        "other.py": b'TWO = "/b"\n',
    }
    assert sorted(told(routes_python.all_endpoints(sources))) == [
        ("ANY", "/admin", "admin.site.urls"),
        ("ANY", "/shop/<int:pk>", "views.show"),
        ("GET", "/api/v1/x", "x"),
    ]


def test_frameworks_are_told_by_what_is_imported():
    sources = {
        "a.py": b"import os\nfrom flask import Flask\n",
        "b.py": b"import flasker\n",
        "main.go": b"http.ListenAndServe(x, y)\n",
    }
    found = {row.name: [(place.path, place.line) for place in row.evidence] for row in frameworks([], sources)}
    assert found == {"Flask": [("a.py", 2)], "net/http": [("main.go", 1)]}
