"""What an operator may set of jobs."""

from pydantic import Field

from shared_services.kit.settings import PlatformSettings


class JobsSettings(PlatformSettings):
    """Read from the environment once, by whoever puts the process together."""

    concurrency: int = Field(
        2,
        ge=1,
        le=64,
        validation_alias="JOBS_CONCURRENCY",
        description="How many jobs one process runs at the same time; the rest wait.",
    )
    executor_id: str = Field(
        "local",
        min_length=1,
        max_length=100,
        validation_alias="JOBS_EXECUTOR_ID",
        description=(
            "Name under which this process owns its jobs and finds them again after a restart. "
            "Two processes that run at once must never share it; in a StatefulSet it is the pod's name."
        ),
    )
