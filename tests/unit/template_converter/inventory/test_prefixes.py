"""What stands before a route's own address: groups, mounts, closures, included modules, folders; as each language has them."""

from agents.template_converter.inventory import routes_go, routes_javascript, routes_jvm, routes_python
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
    assert told(routes_jvm.all_endpoints({"C.java": client, "F.java": feign})) == []


def test_micronaut_and_the_path_of_an_application():
    sources = {
        "a/src/main/java/A.java": b'import io.micronaut.http.annotation.*;\n@Controller("/carts") class A {\n'
        b'  @Get("/{id}") Cart get() { return null; }\n  @Post Cart add() { return null; }\n  @Delete(uri = "/{id}") void drop() {}\n}',
        "b/src/main/java/App.java": b'@ApplicationPath("/rest") class App extends Application {}',
        "b/src/main/java/B.java": b'@Path("todos") class B { @GET public String all() { return ""; } }',
        "c/src/main/java/C.java": b'@Path("other") class C { @GET public String all() { return ""; } }',
    }
    assert told(routes_jvm.all_endpoints(sources)) == [
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
        ("ANY", "/admin/", "admin.site.urls"),
        ("ANY", "/shop/<int:pk>/", "views.show"),
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


def test_routers_of_one_name_are_told_apart_by_what_they_belong_to():
    sources = {
        "api/api.go": b"""package api
import ("github.com/go-chi/chi/v5"; "x/api/admin"; "x/api/shop")
func New() {
    first, err := admin.NewAPI(db)
    second := &shop.API{}
    r := chi.NewRouter()
    r.Mount("/admin", first.Router())
    r.Mount("/shop", second.Router())
}
""",
        "api/admin/api.go": b"""package admin
import "github.com/go-chi/chi/v5"
type API struct { Users *UserResource }
func NewAPI(db *DB) (*API, error) { return nil, nil }
func (a *API) Router() *chi.Mux {
    r := chi.NewRouter()
    r.Mount("/users", a.Users.router())
    r.Get("/", index)
    return r
}
type listing struct { Users []other.User }
""",
        "api/admin/users.go": b"""package admin
import "github.com/go-chi/chi/v5"
func (u *UserResource) router() *chi.Mux { r := chi.NewRouter(); r.Get("/", u.list); r.Get("/{id}", u.one); return r }
""",
        "api/shop/api.go": b"""package shop
import "github.com/go-chi/chi/v5"
func (a *API) Router() *chi.Mux { r := chi.NewRouter(); r.Get("/carts", carts); return r }
func (o *Orders) router() *chi.Mux { r := chi.NewRouter(); r.Get("/orders", all); return r }
""",
    }
    assert told(routes_go.all_endpoints(sources)) == [
        ("GET", "/admin", "index"),
        ("GET", "/admin/users", "u.list"),
        ("GET", "/admin/users/{id}", "u.one"),
        ("GET", "/shop/carts", "carts"),
        ("GET", "/orders", "all"),
    ]


def test_gorilla_builds_routes_up_and_functions_put_prefixes_before_them():
    source = b"""package main
import "github.com/gorilla/mux"
func (s *Server) under(route string) string { return s.prefix + route }
func (s *Server) routes() {
    top := s.under("/")
    s.router.HandleFunc(top, s.index).Headers("A", "B").Methods("GET")
    s.router.HandleFunc(s.under("/version"), s.version).Methods("GET")
    s.router.PathPrefix(s.under("/docs/")).Handler(docs)
    s.router.Methods("PUT", "POST").Path("/store").HandlerFunc(s.store)
    s.router.HandleFunc(other("/unknown"), s.unknown)
    http.Handler(x)
}
"""
    assert told(routes_go.endpoints("main.go", source)) == [
        ("GET", "/", "s.index"),
        ("GET", "/version", "s.version"),
        ("ANY", "/docs/", "docs"),
        ("PUT", "/store", "s.store"),
        ("POST", "/store", "s.store"),
    ]


def test_a_slash_at_the_end_is_part_of_the_address_where_it_matters():
    gin = b'package main\nimport "github.com/gin-gonic/gin"\nfunc f() { g := r.Group("/a"); g.GET("/", x); g.GET("", y); r.GET("/b/", z) }\n'
    assert [row[1] for row in told(routes_go.endpoints("main.go", gin))] == ["/a/", "/a", "/b/"]
    api = b"router = APIRouter(prefix='/items/')\n@router.get('/')\ndef a(): ...\n@router.get('')\ndef b(): ...\n"
    assert [row[1] for row in told(routes_python.all_endpoints({"a.py": api}))] == ["/items/", "/items"]


def test_express_mounts_from_a_table_and_chains_over_lines():
    sources = {
        "routes/index.js": b"const express = require('express');\nconst users = require('./users');\nconst docs = require('./docs');\n"
        b"const router = express.Router();\nconst rows = [\n  { path: '/users', route: users },\n  { path: variable, route: docs },\n];\n"
        b"rows.forEach((row) => {\n  router.use(row.path, row.route);\n});\nfor (const one of rows) { other.use(one.path, one.nothing); }\n"
        b"module.exports = router;\n",
        "routes/users.js": b"const express = require('express');\nconst router = express.Router();\n"
        b"router\n  .route('/:id')\n  .get(auth('x'), users.show)\n  .patch(users.change);\nmodule.exports = router;\n",
        "routes/docs.js": b"const router = require('express').Router();\nrouter.get('/d', show);\nmodule.exports = router;\n",
        "app.js": b"const express = require('express');\nconst routes = require('./routes');\nconst app = express();\napp.use('/v1', routes);\n",
    }
    assert told(routes_javascript.all_endpoints(sources)) == [
        ("GET", "/v1/users/:id", "users.show"),
        ("PATCH", "/v1/users/:id", "users.change"),
        ("GET", "/d", "show"),
    ]


def test_nest_methods_have_several_decorators_and_controllers_a_version():
    source = b"""import { Controller, Get } from '@nestjs/common';
@ApiTags('Cats')
@Controller({
  path: 'cats',
  version: '1',
})
export class Cats {
  @Inject() private readonly store: Store;
  @ApiOk({ type: Cat })
  @Post()
  // one of them
  @HttpCode(201)
  create(@Body() cat: Cat) { return this.store.add(cat); }
  @Get(':id')
  @ApiOk()
  one() {}
}
"""
    plain = {"src/cats.ts": source}
    versioned = plain | {"src/main.ts": b"import '@nestjs/core';\napp.enableVersioning({ type: VersioningType.URI });\n"}
    assert told(routes_javascript.all_endpoints(plain)) == [("POST", "/cats", "create"), ("GET", "/cats/:id", "one")]
    assert told(routes_javascript.all_endpoints(versioned)) == [("POST", "/v1/cats", "create"), ("GET", "/v1/cats/:id", "one")]


def test_blueprints_of_packages_are_followed_to_the_files_that_route_on_them():
    sources = {
        "shop/__init__.py": b"def create_app():\n    app = Flask(__name__)\n    from shop.api import bp as api_bp\n"
        b"    app.register_blueprint(api_bp, url_prefix='/api')\n    return app\n",
        "shop/api/__init__.py": b"from flask import Blueprint\nbp = Blueprint('api', __name__)\nfrom shop.api import carts\n",
        "shop/api/carts.py": b"from shop.api import bp\n@bp.route('/carts')\ndef carts(): ...\n",
        "web/__init__.py": b"from .users import users_router as inner\nrouter = APIRouter()\nrouter.include_router(inner, prefix='/v1/users')\n",
        "web/users.py": b"users_router = APIRouter()\n@users_router.get('')\ndef users(): ...\n",
        "web/loop.py": b"from web.loop import bp\n@bp.route('/loop')\ndef loop(): ...\n",
    }
    assert told(routes_python.all_endpoints(sources)) == [
        ("GET", "/api/carts", "carts"),
        ("GET", "/v1/users", "users"),
        ("GET", "/loop", "loop"),
    ]


def test_django_registers_view_sets_and_regular_expressions_are_read():
    sources = {
        "site/urls.py": b"urlpatterns = [url(r'^api/', include('shop.urls', namespace='shop'))]\n",
        "shop/urls.py": b"router = DefaultRouter(trailing_slash=False)\nrouter.register(r'carts', CartViewSet)\n"
        b"urlpatterns = [\n    url(r'^v1/', include(router.urls)),\n"
        b"    url(r'^carts/(?P<slug>[-\\w]+(?:x))/lines/?$', Lines.as_view(), name='lines'),\n]\nadmin.site.register(Cart, CartAdmin)\n",
    }
    assert told(routes_python.all_endpoints(sources)) == [
        ("ANY", "/api/carts/<slug>/lines", "Lines"),
        ("ANY", "/api/v1/carts", "CartViewSet"),
    ]


def test_micronaut_s_queries_and_quarkus_setting():
    sources = {
        "a/src/main/java/A.java": b'import io.micronaut.http.annotation.*;\n@Controller("/carts") class A {\n'
        b'  @Get("{?max,offset}") List all() { return null; }\n  @Get("/{id}{?full}") Cart one() { return null; }\n}',
        "b/src/main/resources/application.properties": b"quarkus.http.port=1\nquarkus.rest.path=/api\n",
        "b/src/main/java/B.java": b'@Path("/carts") class B { @GET public String all() { return ""; } }',
    }
    assert told(routes_jvm.all_endpoints(sources)) == [
        ("GET", "/carts", "all"),
        ("GET", "/carts/{id}", "one"),
        ("GET", "/api/carts", "all"),
    ]
