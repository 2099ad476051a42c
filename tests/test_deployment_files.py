"""What the Dockerfile, compose.yaml and the documents say is true of the code."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate
from typer.main import get_command

from cli.main import app
from domain.core.settings import PREFIX, Settings
from domain.job_postings.reading import ReadPosting, read_rows
from graph import health
from graph.pages import NPM_FILES

SETTING = re.compile(r"\b(?:CAREERGRAPH|MONGODB|REDIS|ANTHROPIC)_[A-Z_]+\b")
# Read by `careergraph up` alone; see cli/local/binaries.py.
PROGRAMS = {"CAREERGRAPH_MONGOD", "CAREERGRAPH_REDIS_SERVER"}
PICTURE_BYTES = 300_000


def variable(field: str) -> str:
    """The environment variable of a setting."""
    is_shared = Settings.model_fields[field].validation_alias is not None
    return field.upper() if is_shared else PREFIX + field.upper()


VARIABLES = {variable(field): field for field in Settings.model_fields}


@pytest.fixture
def readme(project: Path) -> str:
    return (project / "README.md").read_text("utf-8")


@pytest.fixture
def dockerfile(project: Path) -> str:
    return (project / "Dockerfile").read_text("utf-8")


@pytest.fixture
def pyproject(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text("utf-8"))


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def package(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_.-]+", requirement)
    assert found, requirement
    return found[0].lower()


def test_the_configuration_table_has_every_setting_with_its_default(readme: str) -> None:
    table = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", readme, re.MULTILINE))

    defaults = {name: Settings.model_fields[field].default for name, field in VARIABLES.items()}
    assert table == {name: shown(default) for name, default in defaults.items()}


def shown(default: object) -> str:
    if default is None:
        return "not set"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "compose.yaml",
        "README.md",
        "CHANGELOG.md",
        "docs/design.md",
        "docs/security.md",
    ],
)
def test_every_setting_that_is_named_exists(project: Path, name: str) -> None:
    named = set(SETTING.findall((project / name).read_text("utf-8")))
    assert named - PROGRAMS <= VARIABLES.keys()


def test_the_image_runs_as_nobody_special_and_tells_its_health(dockerfile: str) -> None:
    runtime = dockerfile.rpartition("\nFROM ")[2]

    [user] = re.findall(r"^USER (\d+):\d+$", runtime, re.MULTILINE)
    assert int(user) >= 10_000
    assert f"--uid {user} " in runtime
    [path] = re.findall(r"HEALTHCHECK.*?http://127\.0\.0\.1:8000(/[a-z/]+)", runtime, re.DOTALL)
    assert path in {route.path for route in health.ROUTES}
    assert 'ENTRYPOINT ["careergraph"]\nCMD ["web", "--host", "0.0.0.0"]' in runtime
    assert "CAREERGRAPH_DATA_DIR=/data" in runtime
    assert "\nVOLUME /data\n" in runtime


def test_the_image_is_made_of_the_same_pins_without_the_embedded_servers(
    project: Path, dockerfile: str, pyproject: dict[str, Any]
) -> None:
    pins = set((project / "requirements.txt").read_text().splitlines())
    server = set((project / "requirements-server.txt").read_text().splitlines())
    embedded = {package(line) for line in pyproject["project"]["optional-dependencies"]["embedded"]}

    assert "--requirement requirements-server.txt" in dockerfile
    assert server < pins
    assert not embedded & {package(line) for line in server}
    wanted = {package(line) for line in pyproject["project"]["dependencies"]}
    assert wanted <= {package(line) for line in server}


def test_the_image_has_the_files_that_graphiql_is_served_from(dockerfile: str) -> None:
    stage = dockerfile.partition("cp --parents")[2].partition("&&")[0]
    copied = re.findall(r"node_modules/\S+", stage)
    assert sorted(copied) == sorted(path for path, _ in NPM_FILES.values())


def test_the_build_sees_the_program_and_nothing_else(
    project: Path, pyproject: dict[str, Any]
) -> None:
    lines = (project / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    let_in = {line[1:] for line in rules if line.startswith("!")}

    assert rules[0] == "*"
    assert all((project / name).exists() for name in let_in)
    found = pyproject["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {name.rstrip("*") for name in found}
    documents = {"README.md", "LICENSE", "pyproject.toml"}  # what the package is described by
    served = {"web", "schema.graphql"}
    assert let_in == packages | documents | served | {"requirements-server.txt"}


def test_one_version_everywhere(project: Path, dockerfile: str, pyproject: dict[str, Any]) -> None:
    version = pyproject["project"]["version"]

    assert f'image.version="{version}"' in dockerfile
    assert f"image: careergraph:{version}\n" in (project / "compose.yaml").read_text("utf-8")
    assert f"\n## [{version}] - " in (project / "CHANGELOG.md").read_text("utf-8")


def test_the_readme_tells_every_command(readme: str) -> None:
    section = readme.partition("## The command line")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    told = {name for cell in cells for name in re.findall(r"`([\w-]+)", cell)}
    assert told == set(get_command(app).commands)  # type: ignore[attr-defined]  # typer types it as a plain Command


def test_the_readmes_first_query_fits_the_schema(project: Path, readme: str) -> None:
    schema = build_schema((project / "schema.graphql").read_text("utf-8"))
    [query] = code_blocks(readme, "graphql")
    assert validate(schema, parse(query)) == []


def test_the_readmes_postings_can_be_imported(readme: str) -> None:
    section = readme.partition("## Importing jobs")[2]
    rows = [row for block in code_blocks(section, "json") for row in read_rows(block)]

    assert [type(row) for row in rows] == [ReadPosting, ReadPosting]
    native, published = (row for row in rows if isinstance(row, ReadPosting))
    assert native.external_id == "url:https://jobs.example.com/17"
    assert published.posting.requirements == ["Nursing licence"]


def test_files_that_the_documents_name_exist(project: Path, readme: str) -> None:
    design = (project / "docs/design.md").read_text("utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", readme)
    named = re.findall(r"`((?:domain|graph|jobs|cli|web)/[\w/.]*)`", readme + design)

    real = [name for name in [*linked, *named] if "NAME" not in name]
    assert [name for name in real if not (project / name).exists()] == []
    assert (project / "docs/graphiql.png").stat().st_size < PICTURE_BYTES
