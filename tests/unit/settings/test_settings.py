"""Settings: the command line before the environment before the file, and nothing unknown."""

import msgspec
import pytest

from modelward import settings
from modelward.home import Home, HomeTaken
from modelward.kernel.errors import Invalid, Unavailable
from modelward.settings import Settings


def test_what_is_given_goes_before_the_environment_and_that_before_the_file(tmp_path):
    (tmp_path / "modelward.toml").write_text('port = 1\nworker_slots = 3\nhosts = "a"\n')
    environment = {"MODELWARD_PORT": "2", "MODELWARD_WORKER_SLOTS": "4", "MODELWARD_HOME": str(tmp_path)}

    chosen = settings.load(environment, port=5, hosts=None)

    assert (chosen.port, chosen.worker_slots, chosen.hosts, chosen.home) == (5, 4, "a", tmp_path)


def test_without_anything_the_defaults_hold_and_listen_on_the_loopback_only():
    assert settings.load({}) == Settings()
    assert settings.load({}).is_local


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "x"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", ""),
        ("WORKER_SLOTS", "0"),
        ("WORKER_SLOTS", "65"),
        ("WORK", "perhaps"),
    ],
)
def test_a_setting_of_a_wrong_kind_or_beyond_its_limits_is_refused(name, value):
    with pytest.raises(Invalid):
        settings.load({f"MODELWARD_{name}": value})


@pytest.mark.parametrize(
    "content", ["prot = 1\n", "port = \n", "[server]\nport = 1\n", "port = 'x'\n", "port = 1\nport = 2\n"]
)
def test_a_file_with_an_unknown_setting_or_a_slip_is_refused_and_named(tmp_path, content):
    (tmp_path / "modelward.toml").write_text(content)

    with pytest.raises(Invalid):
        settings.load({}, home=tmp_path)


def test_an_unknown_variable_of_the_environment_is_left_alone():
    assert settings.load({"MODELWARD_UNKNOWN": "1", "MODELWARD_TOKEN": "secret"}) == Settings()


def test_every_setting_can_be_given_by_the_environment():
    given = {"home": "x", "host": "::1", "port": "1", "database_url": "postgresql://x", "store": "s3://x", "policy": "p.toml",
             "hosts": "h", "outbound_allow": "10.0.0.0/8", "worker_slots": "3", "work": "false"}  # fmt: skip
    fields = {each.name for each in msgspec.structs.fields(Settings)}
    chosen = settings.load({f"MODELWARD_{name.upper()}": value for name, value in given.items()})

    for name in fields & set(given):
        assert str(getattr(chosen, name)).lower() == given[name]


def test_a_folder_is_held_by_one(tmp_path):
    first, second = Home(tmp_path / "data"), Home(tmp_path / "data")
    first.take()
    first.announce("http://127.0.0.1:1")

    with pytest.raises(HomeTaken, match=r"http://127\.0\.0\.1:1"):
        second.take()
    assert second.is_taken()
    first.release()
    assert not second.is_taken()
    assert second.server() is None
    second.take()
    second.release()


def test_a_folder_with_a_database_elsewhere_is_held_by_many(tmp_path):
    homes = [Home(tmp_path / "data") for _ in range(3)]
    for each in homes:
        each.take(shared=True)
    for each in homes:
        each.release()


def test_the_word_of_a_server_that_was_killed_is_forgotten_by_the_next(tmp_path):
    (tmp_path / "server.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    home = Home(tmp_path)
    home.take()

    assert home.server() is None
    home.release()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "x"}', "\x00"])
def test_a_damaged_word_of_a_server_counts_as_none(tmp_path, content):
    (tmp_path / "server.json").write_text(content)

    assert Home(tmp_path).server() is None


def test_what_is_private_can_be_read_by_its_user_only(tmp_path):
    home = Home(tmp_path / "data")
    home.take()
    home.keep_owner_secret("mw_secret")
    home.announce("http://127.0.0.1:1")

    assert home.owner_secret() == "mw_secret"
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    assert {
        each.name: each.stat().st_mode & 0o077 for each in (tmp_path / "data").iterdir() if each.name != "lock"
    } == {
        "owner-token": 0,
        "server.json": 0,
    }
    home.release()


def test_without_a_secret_one_is_told_what_to_do(tmp_path):
    with pytest.raises(Unavailable, match="MODELWARD_TOKEN"):
        Home(tmp_path).owner_secret()


def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Invalid, match="cannot be used"):
        Home(tmp_path / "file" / "data").take()


@pytest.mark.parametrize("url", ["garbage", "postgresql://u:hush@host:notaport/x", "postgresql://u:hush@[::1/x"])
def test_an_address_of_no_database_is_refused_without_showing_its_password(url):
    with pytest.raises(Invalid, match="not the address of a database") as told:
        settings.load({}, database_url=url)

    assert "hush" not in str(told.value)


@pytest.mark.parametrize(
    "url", ["", "sqlite:////tmp/x.db", "postgresql://", "postgresql://u@host/x", "postgresql://u:p@host:5432/x"]
)
def test_an_address_of_a_database_is_taken(url):
    assert settings.load({}, database_url=url).database_url == url


def test_a_setting_given_under_a_wrong_name_is_refused():
    with pytest.raises(Invalid, match="databse_url"):
        settings.load({}, databse_url="postgresql://host/x")
