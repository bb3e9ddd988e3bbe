"""The base of every settings class. The environment is read by its subclasses, in modules named `settings`, and nowhere else."""

from pydantic import AliasChoices
from pydantic_settings import BaseSettings, SettingsConfigDict


class PlatformSettings(BaseSettings):
    """Settings from environment variables, each named by its field's `validation_alias`.

    Every field carries a `description`; a test holds `docs/configuration.md` against all subclasses.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True, env_ignore_empty=True)

    @classmethod
    def variables(cls) -> dict[str, str]:
        """Environment variable -> description, for every field and alias of this class."""
        found: dict[str, str] = {}
        for name, info in cls.model_fields.items():
            alias = info.validation_alias
            names = [str(choice) for choice in alias.choices] if isinstance(alias, AliasChoices) else [str(alias or name)]
            found.update(dict.fromkeys(names, info.description or ""))
        return found
