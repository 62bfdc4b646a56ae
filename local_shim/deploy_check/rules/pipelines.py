"""Mistakes in pipelines that `databricks bundle validate` does not notice.

Sources: databricks/cli#1688 (serverless with clusters), docs of serverless pipelines and of
pipeline settings.
"""

from __future__ import annotations

import re

from local_shim.deploy_check.deployment import Deployment
from local_shim.deploy_check.field_types import check_choice
from local_shim.pipeline_spec.document.node import Node, is_true
from local_shim.pipeline_spec.document.problems import Problems

_MOST_TAGS = 25
_CONFIGURATION_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_SECRET_KEY = re.compile(r"password|passwd|secret|token|private_?key", re.IGNORECASE)
_CHOICES = {"edition": ("CORE", "PRO", "ADVANCED"), "channel": ("CURRENT", "PREVIEW")}
_ALERTS = ("on-update-success", "on-update-failure", "on-update-fatal-failure", "on-flow-failure")


def check(deployment: Deployment, problems: Problems) -> None:
    """Notes what a deployment or the first update of a pipeline would refuse."""
    for key, pipeline in deployment.of("pipelines"):
        _refuse_clusters_of_serverless(key, pipeline, problems)
        _check_clusters(pipeline, problems)
        _check_globs(pipeline, problems)
        _check_configuration(pipeline, problems)
        _check_words(pipeline, problems)
        tags = pipeline.at("tags")
        if tags and len(list(tags.items())) > _MOST_TAGS:
            problems.add("TOO_MANY_TAGS", f"A pipeline has at most {_MOST_TAGS} tags.", tags.place)
        development = pipeline.at("development")
        if deployment.is_production and is_true(development):
            problems.add(
                "DEVELOPMENT_IN_PRODUCTION",
                f"Pipeline '{key}' is in development mode in target '{deployment.bundle.target}'.",
                development.place if development else pipeline.place,
                "leave it out; `mode: development` of a target sets it",
            )


def _refuse_clusters_of_serverless(key: str, pipeline: Node, problems: Problems) -> None:
    clusters = pipeline.at("clusters")
    if clusters and clusters.elements() and is_true(pipeline.at("serverless")):
        problems.add(
            "SERVERLESS_WITH_CLUSTERS",
            f"Pipeline '{key}' is serverless and has clusters.",
            clusters.place,
            "keep one of them: remove `clusters`, or write `serverless: false`",
        )


def _check_clusters(pipeline: Node, problems: Problems) -> None:
    for cluster in pipeline.elements("clusters"):
        scale = cluster.at("autoscale")
        least = scale.at("min_workers") if scale else None
        most = scale.at("max_workers") if scale else None
        if least and most and _number(least) > _number(most):
            problems.add(
                "AUTOSCALE_RANGE",
                f"min_workers {least.text()} is more than max_workers {most.text()}.",
                least.place,
            )
        label, mode = cluster.at("label"), scale.at("mode") if scale else None
        if label and mode and (label.text(), mode.text()) == ("maintenance", "ENHANCED"):
            problems.add(
                "AUTOSCALE_OF_MAINTENANCE",
                "Enhanced autoscaling is for update clusters only.",
                mode.place,
                "write `mode: LEGACY` or `num_workers: 1` for the maintenance cluster",
            )


def _number(node: Node) -> int:
    return int(node.text()) if node.text().isdigit() else 0


def _check_globs(pipeline: Node, problems: Problems) -> None:
    for library in pipeline.elements("libraries"):
        include = library.at("glob", "include")
        if include and "*" in include.text().removesuffix("/**"):
            problems.add(
                "GLOB_FORM",
                f"'{include.text()}' is neither a file nor a folder followed by `/**`.",
                include.place,
                "write it as ../folder/**",
            )


def _check_configuration(pipeline: Node, problems: Problems) -> None:
    for key, node in pipeline.items("configuration"):
        if not _CONFIGURATION_KEY.fullmatch(key):
            problems.add(
                "CONFIGURATION_KEY",
                f"'{key}' is no configuration key.",
                node.place,
                "letters, digits, `_`, `.` and `-` are allowed",
            )
        if _SECRET_KEY.search(key) and not node.text().startswith("{{secrets/"):
            problems.add(
                "SECRET_IN_CONFIGURATION",
                f"'{key}' looks like a secret, and everyone with CAN_VIEW reads configuration.",
                node.place,
                "write {{secrets/<scope>/<key>}}",
            )


def _check_words(pipeline: Node, problems: Problems) -> None:
    """The types of the SDK allow any text for these fields; the service does not."""
    for field, allowed in _CHOICES.items():
        word = pipeline.at(field)
        if word:
            check_choice(word, allowed, field, problems)
    for notification in pipeline.elements("notifications"):
        for alert in notification.elements("alerts"):
            check_choice(alert, _ALERTS, "notification", problems)
