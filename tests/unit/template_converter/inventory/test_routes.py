"""HTTP endpoints, as four languages write them; and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.template_converter.inventory import routes_go, routes_javascript, routes_jvm, routes_python

SPRING = b"""
package x;
@RestController
@RequestMapping(path = "/api")
class A {
    @GetMapping({"/one", "/uno"}) public String one() { return ""; }
    // @GetMapping("/commented")
    @PostMapping
    String two() { return "@DeleteMapping(\\"/text\\")"; }
    @RequestMapping(value = "/three", method = {RequestMethod.PUT, RequestMethod.PATCH}) void three() {}
    @RequestMapping("four") void four() {}
    void helper() {}
}
"""
JAKARTA = b"""
@Path("/todos")
public class B {
    @OPTIONS public Response opt() { return null; }
    @GET @Path("{id}") public Todo one(@PathParam("id") Long id) { return null; }
    @POST public Response create() { return null; }
}
"""
EXPRESS = b"""
import { Router } from 'express';
const router = Router();
router.get('/a/:id', auth, async (req, res) => { res.json(map.get('key')); });
router.route('/b').post(create).put(controller.update);
app.get('setting');
cache.get('/not-a-route', () => 1);
router.delete(`/c`, function remove(req, res) {});
router.get(`/d/${x}`, handler);
"""
NEST = b"""
import { Controller, Get, Post } from '@nestjs/common';
@Controller('cats')
export class CatsController {
  @Get() findAll() { return []; }
  @Get(':id') findOne() { return 1; }
  @Post('new') async create() {}
}
"""
GO = b"""
package main
import ("net/http"; "github.com/gin-gonic/gin"; "github.com/gorilla/mux")
func main() {
    http.HandleFunc("GET /items/{id}", show)
    http.HandleFunc("/any", api.Any)
    r.HandleFunc("/books", books).Methods("GET", "POST")
    v1 := r.Group("/v1")
    admin := v1.Group("/admin")
    v1.GET("/x", func(c *gin.Context) {})
    admin.DELETE("/y", drop)
    os.Getenv("HOME")
}
"""


def told(found):
    return [(row.method, row.path, row.handler, row.place.line) for row in found]


def test_spring_mappings():
    assert told(routes_jvm.all_endpoints({"A.java": SPRING})) == [
        ("GET", "/api/one", "one", 6), ("GET", "/api/uno", "one", 6), ("POST", "/api", "two", 8), ("PUT", "/api/three", "three", 10),
        ("PATCH", "/api/three", "three", 10), ("ANY", "/api/four", "four", 11),
    ]  # fmt: skip


def test_jakarta_methods():
    assert told(routes_jvm.all_endpoints({"B.java": JAKARTA})) == [
        ("GET", "/todos/{id}", "one", 5),
        ("POST", "/todos", "create", 6),
    ]


def test_express_routers():
    assert told(routes_javascript.endpoints("a.ts", EXPRESS)) == [
        ("GET", "/a/:id", "", 4), ("POST", "/b", "create", 5), ("PUT", "/b", "controller.update", 5), ("DELETE", "/c", "remove", 8),
    ]  # fmt: skip


def test_nest_controllers():
    assert told(routes_javascript.endpoints("cats.ts", NEST)) == [
        ("GET", "/cats", "findAll", 5), ("GET", "/cats/:id", "findOne", 6), ("POST", "/cats/new", "create", 7),
    ]  # fmt: skip


def test_go_patterns_and_groups():
    assert told(routes_go.endpoints("main.go", GO)) == [
        ("GET", "/items/{id}", "show", 5), ("ANY", "/any", "api.Any", 6), ("GET", "/books", "books", 7), ("POST", "/books", "books", 7),
        ("GET", "/v1/x", "", 10), ("DELETE", "/v1/admin/y", "drop", 11),
    ]  # fmt: skip


def test_python_prefixes_are_followed_over_files():
    sources = {
        "app/main.py": b"from fastapi import FastAPI\nfrom app.api import router as api\napp = FastAPI()\napp.include_router(api, prefix='/api')\n",
        "app/api.py": b"from fastapi import APIRouter\nfrom . import users\nrouter = APIRouter(prefix='/v1')\nrouter.include_router(users.router, prefix='/users')\n",
        "app/users.py": b"from fastapi import APIRouter\nrouter = APIRouter()\n@router.get('/{id}', name='x')\nasync def one(id): ...\n@router.post('')\ndef make(): ...\n",
        "web.py": b"from flask import Flask\napp = Flask(__name__)\n@app.route('/f', methods=['POST', 'GET'])\ndef f(): ...\n@other.cached('/no')\ndef g(): ...\n",
        "urls.py": b"urlpatterns = [path('a/', views.a), path('b/', include('b.urls')), re_path(r'^c/$', C.as_view())]\n",
    }
    assert [row[:3] for row in told(routes_python.all_endpoints(sources))] == [
        ("GET", "/api/v1/users/{id}", "one"), ("POST", "/api/v1/users", "make"), ("POST", "/f", "f"), ("GET", "/f", "f"),
        ("ANY", "/a/", "views.a"), ("ANY", "/c/", "C"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "read",
    [
        lambda text: list(routes_jvm.all_endpoints({"A.java": b"@GetMapping" + text})),
        lambda text: list(routes_javascript.endpoints("a.ts", b"express @nestjs router.get(" + text)),
        lambda text: list(routes_go.endpoints("a.go", b"net/http r.GET(" + text)),
        lambda text: list(routes_python.all_endpoints({"a.py": b"urlpatterns include_router(" + text})),
    ],
)
@given(text=st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(read, text):
    assert isinstance(read(text), list)
