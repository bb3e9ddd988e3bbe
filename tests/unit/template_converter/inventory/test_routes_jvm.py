"""Endpoints of Java and Kotlin: what classes inherit, annotations of the repository, texts with names, and routes that calls make."""

from hypothesis import given
from hypothesis import strategies as st

from agents.template_converter.inventory import routes_jvm


def told(sources):
    found = routes_jvm.all_endpoints({path: text.encode() for path, text in sources.items()})
    return [(row.method, row.path, row.handler, f"{row.place.path}:{row.place.line}") for row in found]


def test_a_class_answers_what_its_interface_says():
    sources = {
        "api/Operations.java": "import io.micronaut.http.annotation.*;\npublic interface Operations {\n"
        '    @Get("/{id}")\n    Item one(String id);\n    @Post\n    Item make();\n}\n',
        "web/Items.java": "import io.micronaut.http.annotation.*;\n@Controller(\"/items\")\nclass Items implements Operations {\n"
        "    @Override\n    public Item one(String id) { return null; }\n    public Item make() { return null; }\n}\n",
        "web/Client.java": "@Client(id = \"items\", path = \"/items\")\ninterface ItemClient extends Operations {}\n",
    }  # fmt: skip
    assert told(sources) == [
        ("GET", "/items/{id}", "one", "web/Items.java:5"), ("POST", "/items", "make", "web/Items.java:6"),
    ]  # fmt: skip


def test_a_class_of_kotlin_answers_what_an_interface_of_java_says():
    sources = {
        "A.java": 'public interface Api { @GetMapping("/a") String a(); }\n',
        "B.kt": "package x\n\n@RestController\n@RequestMapping(\"/api\")\nclass B(private val s: S) : Base(), Api {\n    override fun a() = \"\"\n}\n",
    }  # fmt: skip
    assert told(sources) == [("GET", "/api/a", "a", "B.kt:6")]


def test_what_a_subclass_says_anew_counts_once():
    sources = {
        "Base.java": 'abstract class Base { @GetMapping("/one") void one() {} @GetMapping("/two") void two() {} }\n',
        "Sub.java": '@RequestMapping("/sub") class Sub extends Base { @GetMapping("/uno") void one() {} }\n',
    }
    assert told(sources) == [("GET", "/sub/uno", "one", "Sub.java:1"), ("GET", "/sub/two", "two", "Base.java:1")]


def test_annotations_of_the_repository_stand_for_what_they_are_made_of():
    sources = {
        "Api.java": '@RestController @RequestMapping("/v1") public @interface Api {}\n',
        "Fetch.java": "@RequestMapping(method = RequestMethod.GET)\npublic @interface Fetch { String[] value(); }\n",
        "C.java": '@Api\nclass C {\n  @Fetch("/x")\n  void x() {}\n  @Deprecated void y() {}\n}\n',
    }
    assert told(sources) == [("GET", "/v1/x", "x", "C.java:3")]


def test_texts_with_names_are_followed_and_others_are_shown_as_they_stand():
    sources = {
        "Paths.java": 'class Paths { static final String ROOT = "/shop"; static final String TWICE = "/a"; }\n',
        "Other.java": 'class Other { static final String TWICE = "/b"; }\n',
        "C.java": '@RequestMapping(Paths.ROOT + "/v2")\nclass C {\n  @GetMapping(TWICE) void a() {}\n  @PostMapping(value = "/x", consumes = "no/address") void b() {}\n}\n',
    }
    assert told(sources) == [("GET", "/shop/v2/${TWICE}", "a", "C.java:3"), ("POST", "/shop/v2/x", "b", "C.java:4")]


SPRING = """package x

const val ROOT = "/shop"

@RestController
@RequestMapping("$/not")
class First {
    @GetMapping("/one", "/uno") fun one() = 1
}

@Controller
@RequestMapping(path = [ROOT])
open class Second(val s: Service) {
    @PostMapping(value = ["/x", "y"]) fun two(): String { return "@GetMapping" }
    @RequestMapping("/z", method = [RequestMethod.PUT, RequestMethod.PATCH])
    fun three() {}
    fun `no route`() {}
}
"""


def test_spring_in_kotlin():
    assert told({"A.kt": SPRING}) == [
        ("GET", "/$/not/one", "one", "A.kt:8"), ("GET", "/$/not/uno", "one", "A.kt:8"),
        ("POST", "/shop/x", "two", "A.kt:14"), ("POST", "/shop/y", "two", "A.kt:14"),
        ("PUT", "/shop/z", "three", "A.kt:15"), ("PATCH", "/shop/z", "three", "A.kt:15"),
    ]  # fmt: skip


KTOR = """package x
import io.ktor.server.routing.*

fun Application.module() {
    routing {
        route("/api") { items(); authenticate("a") { orders() } }
        get("/health") { call.respond(client.get("/other") { }) }
    }
}

fun Route.items() {
    route("items") {
        val all = load()
        get { call.respond(all) }
        get("/{id}") { call.parameters.get("id") }
        post {
            map.put("/no", 1)
        }
        method(HttpMethod.Delete) { handle { gone() } }
    }
}
"""


def test_ktor_routes_over_blocks_functions_and_files():
    orders = (
        "import io.ktor.server.routing.*\n@Resource(\"/orders\") class Orders {\n  @Resource(\"{id}\") class Id(val parent: Orders)\n}\n"
        "fun Route.orders() {\n  get<Orders> { all() }\n  put<Orders.Id> { one() }\n  resource<Orders> { post { make() } }\n}\n"
    )  # fmt: skip
    assert sorted(told({"app/src/A.kt": KTOR, "app/src/B.kt": orders})) == [
        ("DELETE", "/api/items", "", "app/src/A.kt:19"), ("GET", "/api/items", "", "app/src/A.kt:14"),
        ("GET", "/api/items/{id}", "", "app/src/A.kt:15"), ("GET", "/api/orders", "", "app/src/B.kt:6"),
        ("GET", "/health", "", "app/src/A.kt:7"), ("POST", "/api/items", "", "app/src/A.kt:16"),
        ("POST", "/api/orders", "", "app/src/B.kt:8"), ("PUT", "/api/orders/{id}", "", "app/src/B.kt:7"),
    ]  # fmt: skip


JAVALIN = """import io.javalin.Javalin;
import static io.javalin.apibuilder.ApiBuilder.*;
class Main {
    public static void main(String[] args) {
        Javalin.create(c -> c.router.apiBuilder(() -> {
            get("/", ctx -> ctx.redirect("/users"), Role.ANY);
            path("users", () -> {
                get(Users::all, Role.ANY);
                path("{id}", () -> { delete(Users::drop); });
            });
            path("admin", Main::admin);
            crud("things/{thing}", new Things());
        })).start(7070);
        app.post("/made", ctx -> { cache.put("/no", new Thing()); });
        reservations.put("saturday", new Thing());
        Unirest.get("http://localhost:7070/1").asString();
    }
    static void admin() { patch("mode", ctx -> {}); }
}
"""


def test_javalin_in_both_languages():
    kotlin = 'import io.javalin.Javalin\nfun main() {\n  Javalin.create().get("/hi") { it.result("x") }\n  app.put("/a", A::put, Role.X)\n}\n'
    assert told({"Main.java": JAVALIN, "main.kt": kotlin}) == [
        ("GET", "/", "", "Main.java:6"), ("GET", "/users", "all", "Main.java:8"), ("DELETE", "/users/{id}", "drop", "Main.java:9"),
        ("GET", "/things", "", "Main.java:12"), ("POST", "/things", "", "Main.java:12"), ("GET", "/things/{thing}", "", "Main.java:12"),
        ("PATCH", "/things/{thing}", "", "Main.java:12"), ("DELETE", "/things/{thing}", "", "Main.java:12"),
        ("POST", "/made", "", "Main.java:14"), ("PATCH", "/admin/mode", "", "Main.java:18"),
        ("GET", "/hi", "", "main.kt:3"), ("PUT", "/a", "put", "main.kt:4"),
    ]  # fmt: skip


@given(text=st.binary(max_size=200))
def test_any_bytes_of_kotlin_are_read_without_an_error(text):
    source = b"import io.ktor.server.routing.*\n@GetMapping fun Route.x() { get" + text
    assert isinstance(list(routes_jvm.all_endpoints({"a.kt": source})), list)


def test_the_slash_at_the_end_of_an_address_of_spring_is_kept():
    spring = '@RequestMapping("/api") class A { @GetMapping("/") void all() {} @PostMapping void make() {} }\n'
    assert [row[:2] for row in told({"A.java": spring})] == [("GET", "/api/"), ("POST", "/api")]
