"""A private server for tests of the source database, and databases that cost nothing to copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from local_shim.dms.server import Server, start, stop
from tests.init_sql.insurer import Database, OpenBook, apply_init_sql


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start(tmp_path_factory.mktemp("insurer") / "data", durable=False)
    yield running
    stop(running, mode="immediate")


@pytest.fixture(scope="session")
def new_database(server: Server) -> Iterator[Callable[..., Database]]:
    """Makes a database, empty or as a copy of another one by name."""
    admin = Database(server.uri)
    opened: list[Database] = []
    numbers = count(1)

    def create(template: str = "template0") -> Database:
        name = f"insurer_{next(numbers)}"
        admin.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        opened.append(Database(server.database(name)))
        return opened[-1]

    yield create
    for database in [*opened, admin]:
        database.connection.close()


@pytest.fixture(scope="session")
def schema_template(new_database: Callable[..., Database]) -> str:
    """The name of a database in which every script has run and nothing else."""
    database = new_database()
    apply_init_sql(database)
    name = str(database.value("SELECT current_database()"))
    database.connection.close()
    return name


@pytest.fixture
def insurer(new_database: Callable[..., Database], schema_template: str) -> Database:
    """An insurer without business, for this test alone."""
    return new_database(schema_template)


@pytest.fixture(scope="session")
def open_book(new_database: Callable[..., Database], schema_template: str) -> OpenBook:
    """Opens a book in a database of its own, with `init_sql/` applied."""

    def create(parties: int, seed: int, years: int = 3) -> Database:
        database = new_database(schema_template)
        database.open_book(parties, seed, years)
        return database

    return create


@pytest.fixture(scope="session")
def small_book(open_book: OpenBook) -> Database:
    """Three years of 250 parties and three live days; read only."""
    database = open_book(250, 5)
    database.live(3)
    return database
