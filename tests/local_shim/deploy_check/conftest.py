import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = {
    "databricks.yml": """\
        bundle:
          name: shop
        include:
          - resources/*.yml
        variables:
          catalog:
            default: main
        targets:
          dev:
            mode: development
            default: true
          prod:
            mode: production
            workspace:
              root_path: /Workspace/shop
        """,
    "resources/all.yml": """\
        resources:
          schemas:
            tables:
              catalog_name: ${var.catalog}
              name: shop
          pipelines:
            orders:
              name: orders
              catalog: ${var.catalog}
              schema: ${resources.schemas.tables.name}
              serverless: true
              root_path: ../src
              libraries:
                - glob:
                    include: ../src/**
              configuration:
                shop.landing: /Volumes/main/shop/landing
          jobs:
            refresh:
              name: refresh
              trigger:
                file_arrival:
                  url: /Volumes/main/shop/landing/
                  min_time_between_triggers_seconds: 300
              tasks:
                - task_key: update
                  pipeline_task:
                    pipeline_id: ${resources.pipelines.orders.id}
                - task_key: reconcile
                  depends_on:
                    - task_key: update
                  sql_task:
                    warehouse_id: "1"
                    file:
                      path: ../src/reconcile.sql
        """,
    "src/orders.py": "",
    "src/reconcile.sql": "SELECT 1",
}


@pytest.fixture
def plant(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a bundle that is right, in which one text is replaced by another."""

    def write(before: str = "", after: str = "") -> Path:
        texts = {name: textwrap.dedent(text) for name, text in FILES.items()}
        assert not before or sum(before in text for text in texts.values()) == 1, before
        for name, text in texts.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace(before, after, 1) if before else text, encoding="utf-8")
        return tmp_path

    return write
