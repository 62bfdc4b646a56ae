"""Mistakes in jobs that `databricks bundle validate` does not notice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from local_shim.deploy_check.deployment import Deployment
from local_shim.errors import close_match
from local_shim.pipeline_spec.document.node import Node, is_true
from local_shim.pipeline_spec.document.problems import Problems

_STARTS = ("trigger", "schedule", "continuous")
_SHORTEST_WAIT = 60  # seconds
_WAITS = ("min_time_between_triggers_seconds", "wait_after_last_change_seconds")
_PIPELINE_ID = re.compile(r"\$\{resources\.pipelines\.([\w-]+)\.id\}")
# Quartz: seconds, minutes, hours, day of month, month, day of week, and maybe a year.
_CRON_FIELDS = (6, 7)


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes what the service would refuse, and triggers that exclude each other."""
    for key, job in deployment.of("jobs"):
        _refuse_two_starts(key, job, problems)
        _check_file_arrival(job, problems)
        _check_tasks(job, problems)
        _refuse_trigger_of_continuous_pipeline(deployment, key, job, problems)
    for schedule in _schedules(deployment):
        _check_cron(schedule, problems)


def _check_cron(schedule: Node, problems: Problems) -> None:
    fields = schedule.text().split()
    has_form = len(fields) in _CRON_FIELDS and "?" in (fields[3], fields[5])
    if not has_form:
        problems.add(
            "CRON_FORM",
            f"'{schedule.text()}' is no Quartz expression.",
            schedule.place,
            "six fields, seconds first, one of the two days `?`: 0 30 5 * * ?",
        )


def _refuse_two_starts(key: str, job: Node, problems: Problems) -> None:
    starts = [field for field in _STARTS if job.at(field)]
    if len(starts) > 1:
        problems.add(
            "SEVERAL_STARTS",
            f"Job '{key}' has {' and '.join(starts)}; a job has one of {', '.join(_STARTS)}.",
            job.place,
            "make a second job of it",
        )


def _check_file_arrival(job: Node, problems: Problems) -> None:
    arrival = job.at("trigger", "file_arrival")
    if arrival is None:
        return
    for field in _WAITS:
        seconds = arrival.at(field)
        if seconds and seconds.text().isdigit() and int(seconds.text()) < _SHORTEST_WAIT:
            problems.add(
                "WAIT_TOO_SHORT",
                f"{field} is {seconds.text()}; the least is {_SHORTEST_WAIT} seconds.",
                seconds.place,
            )
    url = arrival.at("url")
    if url and not (url.text().startswith(("/Volumes/", "s3://")) and url.text().endswith("/")):
        problems.add(
            "FILE_ARRIVAL_URL",
            f"'{url.text()}' is no folder that a file-arrival trigger can watch.",
            url.place,
            "a volume or an external location, with a slash at the end: /Volumes/c/s/v/",
        )


def _check_tasks(job: Node, problems: Problems) -> None:
    tasks_by_key: dict[str, Node] = {}
    for task in job.elements("tasks"):
        name = task.at("task_key")
        if name and name.text() in tasks_by_key:
            problems.add(
                "TASK_DEFINED_TWICE", f"Task '{name.text()}' is defined twice.", name.place
            )
        if name:
            tasks_by_key[name.text()] = task
    edges = {name: list(_task_dependencies(task)) for name, task in tasks_by_key.items()}
    for names in edges.values():
        for node in names:
            _refuse_unknown("task", node, list(tasks_by_key), problems)
    _refuse_cycles(edges, problems)
    for field, list_name in (
        ("environment_key", "environments"),
        ("job_cluster_key", "job_clusters"),
    ):
        keys = [each.at(field) for each in job.elements(list_name)]
        for task in tasks_by_key.values():
            expected = task.at(field)
            if expected:
                _refuse_unknown(field, expected, [key.text() for key in keys if key], problems)


def _task_dependencies(task: Node) -> Iterator[Node]:
    for each in task.elements("depends_on"):
        name = each.at("task_key")
        if name:
            yield name


def _refuse_unknown(what: str, node: Node, names: list[str], problems: Problems) -> None:
    if node.text() not in names:
        problems.add(
            "UNKNOWN_TASK_KEY",
            f"The job has no {what} '{node.text()}'.",
            node.place,
            close_match(node.text(), names) or "declare it in the job",
        )


def _refuse_cycles(edges: dict[str, list[Node]], problems: Problems) -> None:
    """Removes tasks without dependencies until none is left; tasks that stay form a cycle."""
    waiting = {name: {node.text() for node in nodes} & set(edges) for name, nodes in edges.items()}
    while True:
        ready = {name for name, needs in waiting.items() if not needs}
        if not ready:
            break
        waiting = {name: needs - ready for name, needs in waiting.items() if name not in ready}
    if waiting:
        names = sorted(waiting)
        problems.add(
            "TASKS_IN_CIRCLE",
            f"Tasks wait for one another: {', '.join(names)}.",
            edges[names[0]][0].place,
        )


def _refuse_trigger_of_continuous_pipeline(
    deployment: Deployment, key: str, job: Node, problems: Problems
) -> None:
    """An update of a continuous pipeline never ends, so a task that waits for it never does."""
    pipelines = dict(deployment.of("pipelines"))
    for task in deployment.bundle.tree.elements("resources", "jobs", key, "tasks"):
        node = task.at("pipeline_task", "pipeline_id")
        match = _PIPELINE_ID.fullmatch(node.text()) if node else None
        pipeline = pipelines.get(match.group(1)) if match else None
        if node and match and pipeline and is_true(pipeline.at("continuous")):
            problems.add(
                "CONTINUOUS_WITH_TRIGGER",
                f"Job '{key}' starts pipeline '{match.group(1)}', which runs continuously.",
                node.place,
                "remove `continuous` from the pipeline, and make a job with `continuous` if needed",
            )


def _schedules(deployment: Deployment) -> Iterator[Node]:
    kinds = (("jobs", "quartz_cron_expression"), ("quality_monitors", "quartz_cron_expression"))
    for kind, field in (*kinds, ("alerts", "quartz_cron_schedule")):
        for _, resource in deployment.of(kind):
            node = resource.at("schedule", field)
            if node:
                yield node
