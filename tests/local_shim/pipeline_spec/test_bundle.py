"""A bundle as its author sees it: what a local run takes from it."""

import getpass
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from local_shim.errors import UsageError
from local_shim.pipeline_spec.load import from_bundle
from local_shim.pipeline_spec.pipeline import PipelineSpec

Lay = Callable[[dict[str, str]], Path]

ROOT = """
    bundle:
      name: shop
    include:
      - resources/*.yml
    variables:
      catalog:
        default: main
      landing:
        description: where files arrive
    targets:
      dev:
        mode: development
        default: true
        variables:
          catalog: dev_catalog
          landing: /tmp/landing
      prod:
        mode: production
        workspace:
          root_path: /Workspace/Shared/shop
        variables:
          catalog: {default: prod_catalog}
    """
PIPELINE = """
    resources:
      pipelines:
        orders:
          name: orders-${bundle.target}
          catalog: ${var.catalog}
          schema: sales
          serverless: true
          root_path: ../src
          libraries:
            - glob:
                include: ../src/tables/**
          configuration:
            shop.landing: ${var.landing}
          environment:
            dependencies:
              - --editable ${workspace.file_path}
    """
SOURCES = {
    "src/tables/b.py": "",
    "src/tables/deep/a.sql": "",
    "src/tables/README.md": "",
    "src/tables/__pycache__/b.py": "",
    "src/helpers.py": "",
}
SHOP = {"databricks.yml": ROOT, "resources/orders.pipeline.yml": PIPELINE, **SOURCES}


def read(folder: Path, **overrides: object) -> PipelineSpec:
    arguments = {"target": None, "variables": {}, "pipeline": None, "environ": {}, **overrides}
    return from_bundle(folder, **arguments)  # type: ignore[arg-type]


def one_pipeline(body: str, root: str = "") -> dict[str, str]:
    """A bundle in one file: extra root keys, and the fields of its only pipeline."""
    fields = "\n".join(f"      {line}" for line in body.strip().splitlines())
    text = f"bundle: {{name: one}}\n{root}\nresources:\n  pipelines:\n    p:\n{fields}\n"
    return {"databricks.yml": text, "src/a.py": ""}


def failure(folder: Path, **overrides: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(folder, **overrides)
    return caught.value


def test_the_pipeline_of_the_default_target_is_read(lay: Lay) -> None:
    folder = lay(SHOP)
    spec = read(folder)
    assert (spec.key, spec.name) == ("orders", "orders-dev")
    assert (spec.catalog, spec.schema) == ("dev_catalog", "sales")
    assert spec.sources == (folder / "src/tables/b.py", folder / "src/tables/deep/a.sql")
    assert spec.root == folder / "src"
    assert spec.configuration == {"shop.landing": "/tmp/landing"}
    assert spec.dependencies == (f"--editable {folder}",)
    assert spec.where.endswith("orders.pipeline.yml:4")
    assert spec.warnings == ()


def test_another_target_gives_other_values(lay: Lay) -> None:
    spec = read(lay(SHOP), target="prod", variables={"landing": "/data"})
    assert (spec.name, spec.catalog) == ("orders-prod", "prod_catalog")


def test_the_environment_may_choose_the_target(lay: Lay) -> None:
    environ = {"DATABRICKS_BUNDLE_TARGET": "prod", "BUNDLE_VAR_landing": "/data"}
    assert read(lay(SHOP), environ=environ).catalog == "prod_catalog"


def test_a_variable_takes_the_strongest_of_its_five_sources(lay: Lay) -> None:
    overrides = ".databricks/bundle/dev/variable-overrides.json"
    files = one_pipeline(
        "name: ${var.x}\nlibraries: [{file: {path: src/a.py}}]",
        "variables: {x: {default: default}}\ntargets: {dev: {}}",
    )
    folder = lay(files)
    assert read(folder).name == "default"
    lay({"databricks.yml": files["databricks.yml"].replace("dev: {}", "dev: {variables: {x: t}}")})
    assert read(folder).name == "t"
    lay({overrides: '{"x": "file"}'})
    assert read(folder).name == "file"
    assert read(folder, environ={"BUNDLE_VAR_x": "environment"}).name == "environment"
    environ = {"BUNDLE_VAR_x": "environment"}
    assert read(folder, environ=environ, variables={"x": "command"}).name == "command"


def test_an_empty_value_is_a_value(lay: Lay) -> None:
    files = one_pipeline(
        "configuration: {k: 'a${var.x}'}\nlibraries: [{file: {path: src/a.py}}]",
        "variables: {x: {default: d}}",
    )
    assert read(lay(files), variables={"x": ""}).configuration == {"k": "a"}


def test_variables_may_hold_lists_and_refer_to_each_other(lay: Lay) -> None:
    files = one_pipeline(
        'libraries: "${var.sources}"\nname: ${var.names.long[1]}',
        """variables:
  base: {default: src}
  sources: {type: complex, default: [{file: {path: "${var.base}/a.py"}}]}
  names: {type: complex, default: {long: [x, "${var.base}-y"]}}
""",
    )
    folder = lay(files)
    spec = read(folder)
    assert spec.sources == (folder / "src/a.py",)
    assert spec.name == "src-y"


def test_resources_name_each_other(lay: Lay) -> None:
    files = one_pipeline(
        """
schema: ${resources.schemas.bronze.name}
libraries: [{file: {path: src/a.py}}]
configuration:
  landing: ${resources.volumes.landing.volume_path}/in
  full: ${resources.schemas.bronze.id}
  self: ${resources.pipelines.p.id}
""",
        "variables: {c: {default: cat}}",
    )
    more = """
      schemas:
        bronze: {catalog_name: "${var.c}", name: raw}
      volumes:
        landing:
          catalog_name: ${var.c}
          schema_name: ${resources.schemas.bronze.name}
          name: files
    """
    root = files["databricks.yml"] + "\n".join(line[4:] for line in more.splitlines())
    spec = read(lay({**files, "databricks.yml": root}))
    assert spec.schema == "raw"
    assert spec.configuration["landing"] == "/Volumes/cat/raw/files/in"
    assert spec.configuration["full"] == "cat.raw"
    assert spec.configuration["self"] == "local-p"


def test_the_local_user_stands_for_the_workspace_user(lay: Lay) -> None:
    files = one_pipeline(
        "name: ${workspace.current_user.userName}\nlibraries: [{file: {path: src/a.py}}]"
    )
    assert read(lay(files)).name == getpass.getuser()


def test_the_branch_comes_from_git(lay: Lay) -> None:
    files = one_pipeline("name: x-${bundle.git.branch}\nlibraries: [{file: {path: src/a.py}}]")
    folder = lay(files)
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(folder)], check=True)
    author = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
    commit = [*author, "commit", "-q", "--allow-empty", "-m", "m"]
    subprocess.run(["git", "-C", str(folder), *commit], check=True)
    assert read(folder).name == "x-trunk"


def test_two_dollars_write_a_reference_as_text(lay: Lay) -> None:
    files = one_pipeline(
        "configuration: {a: '$${var.x}', b: 'x$${var.x}', c: '${spark.thing}'}\n"
        "libraries: [{file: {path: src/a.py}}]"
    )
    assert read(lay(files)).configuration == {
        "a": "${var.x}",
        "b": "x${var.x}",
        "c": "${spark.thing}",
    }


def test_a_target_is_laid_over_the_root(lay: Lay) -> None:
    """Mappings merge by key, lists are appended, scalars replaced."""
    files = one_pipeline(
        "name: base\nlibraries: [{file: {path: src/a.py}}]\nconfiguration: {a: '1', b: '1'}",
        """
targets:
  dev:
    resources:
      pipelines:
        p:
          name: over
          libraries: [{file: {path: src/b.py}}]
          configuration: {b: '2'}
""",
    )
    folder = lay({**files, "src/b.py": ""})
    spec = read(folder)
    assert spec.name == "over"
    assert [path.name for path in spec.sources] == ["a.py", "b.py"]
    assert spec.configuration == {"a": "1", "b": "2"}


def test_a_target_may_declare_a_pipeline(lay: Lay) -> None:
    text = """
        bundle: {name: x}
        targets:
          dev:
            resources:
              pipelines:
                only: {libraries: [{file: {path: a.py}}]}
        """
    assert read(lay({"databricks.yml": text, "a.py": ""})).key == "only"


def test_scalars_are_those_of_yaml_1_2(lay: Lay) -> None:
    files = one_pipeline(
        """
libraries: [{file: {path: src/a.py}}]
configuration: {a: on, b: no, c: 12:30, d: 2024-01-31, e: 0x10, f: 1.50, g: true, h: ~, i: 1e3}
"""
    )
    assert read(lay(files)).configuration == {
        "a": "on",
        "b": "no",
        "c": "12:30",
        "d": "2024-01-31",
        "e": "16",
        "f": "1.5",
        "g": "true",
        "i": "1000",
    }


def test_anchors_and_merge_keys_work(lay: Lay) -> None:
    files = one_pipeline(
        "<<: *common\nname: mine\nlibraries: [{file: {path: src/a.py}}]",
        "definitions:\n  common: &common {name: theirs, schema: shared}",
    )
    spec = read(lay(files))
    assert (spec.name, spec.schema) == ("mine", "shared")


def test_relative_paths_count_from_the_file_that_holds_them(lay: Lay) -> None:
    part = "resources: {pipelines: {p: {libraries: [{file: {path: ../../a.sql}}]}}}"
    folder = lay(
        {
            "databricks.yml": "bundle: {name: x}\ninclude: ['deep/*/*.yml']",
            "deep/er/p.pipeline.yml": part,
            "a.sql": "",
        }
    )
    assert read(folder).sources == (folder / "a.sql",)


def test_paths_to_uploaded_files_lead_to_the_files_here(lay: Lay) -> None:
    files = one_pipeline(
        """
libraries:
  - file: {path: "${workspace.file_path}/src/a.py"}
  - file: {path: "/Workspace${workspace.file_path}/src/b.py"}
  - file: {path: "${workspace.root_path}/files/src/c.py"}
  - file: {path: /Workspace/Shared/one/files/src/d.py}
environment:
  dependencies: [-e ./src, ./dist/x-1.0-py3-none-any.whl, "requests>=2", "-r src/r.txt"]
""",
        "workspace: {root_path: /Workspace/Shared/one}",
    )
    folder = lay({**files, **{f"src/{name}.py": "" for name in "bcd"}})
    spec = read(folder)
    assert [path.name for path in spec.sources] == ["a.py", "b.py", "c.py", "d.py"]
    assert spec.dependencies == (
        f"-e {folder}/src",
        f"{folder}/dist/x-1.0-py3-none-any.whl",
        "requests>=2",
        f"-r {folder}/src/r.txt",
    )


def test_configuration_that_names_the_bundles_files_names_them_here(lay: Lay) -> None:
    files = one_pipeline(
        """
libraries: [{file: {path: src/a.py}}]
configuration:
  old: /Workspace/${workspace.file_path}/src
  new: ${workspace.file_path}/src
  other: /Workspace/Shared/elsewhere
"""
    )
    folder = lay(files)
    configuration = read(folder).configuration
    assert configuration["old"] == configuration["new"] == f"{folder}/src"
    assert configuration["other"] == "/Workspace/Shared/elsewhere"


def test_files_beside_the_bundle_may_be_uploaded_with_it(lay: Lay) -> None:
    files = {
        "app/databricks.yml": """
            bundle: {name: x}
            sync: {paths: [../shared, .]}
            resources:
              pipelines:
                p: {libraries: [{file: {path: "${workspace.file_path}/shared/a.py"}}]}
            """,
        "shared/a.py": "",
    }
    folder = lay(files)
    assert read(folder / "app").sources == (folder / "shared/a.py",)


def test_notebooks_and_wildcards_are_sources_too(lay: Lay) -> None:
    files = one_pipeline(
        """
libraries:
  - notebook: {path: ./src/notes}
  - file: {path: ./src/*.sql}
  - glob: {include: src/more/**/*.py}
  - maven: {coordinates: "a:b:1"}
"""
    )
    more = {"src/notes.ipynb": "{}", "src/x.sql": "", "src/y.sql": "", "src/more/d/z.py": ""}
    spec = read(lay({**files, **more}))
    assert [path.name for path in spec.sources] == ["notes.ipynb", "x.sql", "y.sql", "z.py"]
    assert "maven" in spec.warnings[0]


def test_a_file_named_twice_is_one_source(lay: Lay) -> None:
    files = one_pipeline("libraries: [{glob: {include: src/**}}, {file: {path: src/a.py}}]")
    assert len(read(lay(files)).sources) == 1


def test_names_have_defaults(lay: Lay) -> None:
    files = one_pipeline("libraries: [{file: {path: src/a.py}}]")
    spec = read(lay(files))
    assert (spec.name, spec.catalog, spec.schema) == ("p", "main", "default")


def test_the_legacy_target_is_a_schema_of_the_hive_metastore(lay: Lay) -> None:
    files = one_pipeline("target: old\nlibraries: [{file: {path: src/a.py}}]")
    spec = read(lay(files))
    assert (spec.catalog, spec.schema) == ("hive_metastore", "old")


def test_development_mode_switches_continuous_off(lay: Lay) -> None:
    files = one_pipeline(
        "continuous: yes\nlibraries: [{file: {path: src/a.py}}]",
        "targets: {dev: {mode: development, default: true}, prod: {mode: production}}",
    )
    folder = lay(files)
    assert not read(folder).continuous
    assert read(folder, target="prod").continuous


def test_other_resources_of_a_bundle_are_ignored(lay: Lay) -> None:
    """Unknown resource types, and variables that only a workspace can fill."""
    files = one_pipeline(
        """
libraries: [{file: {path: src/a.py}}]
run_as: {service_principal_name: "${var.principal}"}
clusters: [{label: default, policy_id: "${var.policy}", num_workers: 2}]
development: true
notifications: [{email_recipients: ["${var.nobody}"], alerts: [on-flow-failure]}]
""",
        """
variables:
  principal: {description: who runs it}
  policy: {lookup: {cluster_policy: small}}
presets: {name_prefix: x_, tags: {a: b}}
artifacts: {w: {type: whl, build: python -m build}}
python: {venv_path: .venv, mutators: ["m:f"]}
permissions: [{group_name: users, level: CAN_VIEW}]
scripts: {hello: {content: echo}}
experimental: {python_wheel_wrapper: true}
run_as: {user_name: someone@example.com}
future_key: [1, 2]
""",
    )
    root = files["databricks.yml"] + (
        "  jobs: {j: {tasks: [{task_key: t, pipeline_task: "
        '{pipeline_id: "${resources.pipelines.p.id}"}}]}}\n'
        "  dashboards: {d: {file_path: nowhere.lvdash.json}}\n"
        "  future_things: {f: {x: {y: 1}}}\n  models:\n"
    )
    spec = read(lay({**files, "databricks.yml": root}))
    assert spec.warnings == ()


def test_an_unknown_field_of_a_pipeline_is_a_warning(lay: Lay) -> None:
    files = one_pipeline("libraries: [{file: {path: src/a.py}}]\nserverles: true\nzzz: 1")
    warnings = read(lay(files)).warnings
    assert "did you mean 'serverless'?" in warnings[0]
    assert "databricks.yml:7" in warnings[0]
    assert "'zzz'" in warnings[1]


def test_a_near_miss_of_a_reference_is_a_warning(lay: Lay) -> None:
    files = one_pipeline("name: ${vars.x}\nlibraries: [{file: {path: src/a.py}}]")
    spec = read(lay(files))
    assert spec.name == "${vars.x}"
    assert "did you mean 'var'?" in spec.warnings[0]


def test_an_escaped_folder_name_is_no_wildcard(lay: Lay, tmp_path: Path) -> None:
    files = one_pipeline("libraries: [{glob: {include: src/**}}]")
    lay({f"odd[1]/{name}": text for name, text in files.items()})
    assert len(read(tmp_path / "odd[1]").sources) == 1


def test_includes_replace_a_wildcard_the_way_go_does(lay: Lay) -> None:
    """`**` is `*` to the CLI: one level, and files of other kinds are left alone."""
    part = "resources: {pipelines: {p: {libraries: [{file: {path: ../../a.py}}]}}}"
    lay(
        {
            "databricks.yml": "bundle: {name: x}\ninclude: ['r/**/*.yml']",
            "r/one/p.yml": part,
            "r/one/two/q.yml": part.replace(" p:", " q:"),
            "a.py": "",
        }
    )
    spec = read(lay({}))
    assert spec.key == "p"


def test_the_folder_may_be_named_by_its_root_file(lay: Lay) -> None:
    assert read(lay(SHOP) / "databricks.yml").key == "orders"
