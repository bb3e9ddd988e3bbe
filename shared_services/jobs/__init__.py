"""Durable jobs: work that survives a kill, with steps, progress and a log that anybody allowed can follow.

The engine underneath is DBOS, which `engine` alone knows; it is imported when jobs are started and not before.
"""

from shared_services.jobs.context import JobContext, JobFunction
from shared_services.jobs.errors import JobCancelledError
from shared_services.jobs.service import Jobs

__all__ = ["JobCancelledError", "JobContext", "JobFunction", "Jobs"]
