from benchmarks.image_size import REST, summed, table

FILES = {
    "/opt/venv/lib/python3.12/site-packages/sqlalchemy/orm.py": 3_000_000,
    "/opt/venv/lib/python3.12/site-packages/typing_extensions.py": 1_000_000,
    "/opt/rag/faiss/a.so": 4_000_000,
    "/opt/rag/faiss.libs/b.so": 5_000_000,
    "/opt/rag/faiss-1.dist-info/RECORD": 1_000_000,
    "/app/models/53aa/model.bin": 90_000_000,
    "/app/console/app.py": 2_000_000,
}


def test_each_file_counts_once_and_the_parts_make_up_the_whole():
    size = summed("image", 200_000_000, FILES)
    assert size.parts == {
        "libraries": 4.0,
        "RAG agent's libraries": 10.0,
        "embedding model": 90.0,
        "code and examples": 2.0,
        REST: 94.0,
    }
    assert sum(size.parts.values()) == size.megabytes == 200.0


def test_a_library_s_compiled_parts_are_its_own():
    assert summed("image", 200_000_000, FILES).biggest == {"faiss": 9.0, "sqlalchemy": 3.0}


def test_a_part_that_an_image_lacks_is_not_named():
    slim = summed("image", 10_000_000, {"/app/console/app.py": 2_000_000})
    assert list(slim.parts) == ["code and examples", REST]
    assert "embedding model" not in table([slim])
