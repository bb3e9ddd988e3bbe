"""Wire models, one file per API. Imports pydantic and the standard library alone, and holds no logic that stores or sends."""
