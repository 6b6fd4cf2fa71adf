"""How the configured database is connected to."""

from psycopg.conninfo import conninfo_to_dict

from service.database import NOTICED, database
from tests.serving import settings


def test_a_server_that_vanished_is_noticed_unless_the_url_decides_otherwise() -> None:
    with database(settings("postgresql://me@db.example/tenure?keepalives_idle=600")) as dsn:
        parts = conninfo_to_dict(dsn)
    assert (parts["host"], parts["user"], parts["dbname"]) == ("db.example", "me", "tenure")
    assert parts["keepalives_idle"] == "600"
    assert {name: int(str(parts[name])) for name in NOTICED} == {**NOTICED, "keepalives_idle": 600}
