import json
import os
from hashlib import sha256

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from jupyter_fpga.errors import Unavailable
from jupyter_fpga.people import ROLES, Person
from jupyter_fpga.server.auth import KeyFile, KeyFileError, TokenAuthenticator, local_owner, presented_token
from jupyter_fpga.server.errors import NotSignedIn

ADA = "ada-0123456789abcdef"
BOB = "bob-0123456789abcdef"
LOOKS_LIKE = 'it should look like {"keys": [{"name": "ada", "key": "…", "roles": ["student"]}]}.'


def request(**headers: str) -> HTTPServerRequest:
    given = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return HTTPServerRequest(start_line=RequestStartLine("GET", "/", "HTTP/1.0"), headers=given)


@pytest.fixture
def keys_path(tmp_path):
    return tmp_path / "keys.json"


def write(path, content, mode=0o600):
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    return path


def entry(name, key, *roles):
    return {"name": name, "key": key, "roles": list(roles)}


def test_the_token_is_found_where_people_put_it():
    assert presented_token(request(Authorization="token abc")) == "abc"
    assert presented_token(request(Authorization="Bearer abc")) == "abc"
    assert presented_token(request(X_API_Key="abc")) == "abc"
    assert presented_token(request(Authorization="Basic abc", X_API_Key="def")) == "def"
    assert presented_token(request(Authorization="token")) is None
    assert presented_token(request()) is None


def test_the_owner_is_the_hubs_user_or_this_accounts(monkeypatch):
    monkeypatch.setenv("JUPYTERHUB_USER", "grace")
    assert local_owner() == Person("grace", frozenset(ROLES))
    monkeypatch.delenv("JUPYTERHUB_USER")
    monkeypatch.setenv("LOGNAME", "ada")
    assert local_owner().name == "ada"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert local_owner().name == "uid-4000000000"


def test_the_token_is_the_owners_and_a_key_its_persons(keys_path):
    write(keys_path, {"keys": [entry("ada", ADA), {"name": "bob", "sha256": sha256(BOB.encode()).hexdigest().upper()}]})
    owner = Person("me", frozenset(ROLES))
    people = TokenAuthenticator(owner, "t" * 43, KeyFile(keys_path))
    assert people.authenticate(request(X_API_Key="t" * 43)) == owner
    assert people.authenticate(request(X_API_Key=ADA)) == Person("ada")
    assert people.authenticate(request(Authorization=f"token {BOB}")) == Person("bob")
    for wrong in (request(), request(X_API_Key="x"), request(X_API_Key="é"), request(X_API_Key=ADA + "x")):
        with pytest.raises(NotSignedIn) as caught:
            people.authenticate(wrong)
        assert caught.value.message == (
            "This request carries no token that the lab knows; send one as `Authorization: token …` or `X-API-Key: …`."
        )


def test_everybody_is_a_student_besides_their_roles(keys_path):
    write(keys_path, {"keys": [entry("ada", ADA, "operator")]})
    person = KeyFile(keys_path).find(ADA)
    assert person is not None
    assert person.roles == {"student", "operator"}


def test_a_changed_file_counts_at_once(keys_path):
    write(keys_path, {"keys": [entry("ada", ADA)]})
    keys = KeyFile(keys_path)
    assert keys.find(ADA) == Person("ada")
    write(keys_path, {"keys": [entry("robert", BOB)]})
    assert keys.find(ADA) is None
    assert keys.find(BOB) == Person("robert")


def test_a_file_that_becomes_unusable_lets_nobody_in_until_it_is_right(keys_path):
    write(keys_path, {"keys": [entry("ada", ADA)]})
    keys = KeyFile(keys_path)
    keys_path.chmod(0o644)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            keys.find(ADA)
        assert caught.value.code == "keys_file_unusable"
        assert caught.value.message == (
            "The lab's file of API keys was changed and can't be used now; "
            "whoever runs the lab finds the reason in its log."
        )
    keys_path.chmod(0o600)
    assert keys.find(ADA) == Person("ada")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_can_read_is_refused(keys_path, mode):
    write(keys_path, {"keys": []}, mode)
    with pytest.raises(KeyFileError) as caught:
        KeyFile(keys_path)
    assert caught.value.message == (
        f"The keys file {keys_path} has mode {mode:04o}, so others can read its keys; run `chmod 600 {keys_path}`."
    )


def test_a_file_that_is_not_there(keys_path):
    with pytest.raises(KeyFileError) as caught:
        KeyFile(keys_path)
    assert caught.value.message == (
        f"The keys file {keys_path} can't be read (No such file or directory); create it with mode 0600."
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "isn't JSON with a list `keys`"),
        ([], "isn't JSON with a list `keys`"),
        ({"keys": {}}, "isn't JSON with a list `keys`"),
        ({"keys": ["ada"]}, "has a mistake in entry 0: it needs a `name`"),
        ({"keys": [entry(" ", ADA)]}, "has a mistake in entry 0: it needs a `name`"),
        (
            {"keys": [entry("ada", ADA), entry("bob", "short")]},
            "has a mistake in entry 1: it needs a `key` of at least 16 characters, or its `sha256` in hexadecimal",
        ),
        (
            {"keys": [{"name": "ada", "sha256": "zz"}]},
            "has a mistake in entry 0: it needs a `key` of at least 16 characters, or its `sha256` in hexadecimal",
        ),
        (
            {"keys": [entry("ada", ADA, "boss")]},
            "has a mistake in entry 0: `roles` is a list of student, teacher, operator, grader",
        ),
        (
            {"keys": [entry("ada", ADA), entry("bob", ADA)]},
            "has a mistake in entry 1: its key is already in an earlier entry",
        ),
        (
            {"keys": [entry("ada", ADA), entry("ada", BOB, "operator")]},
            "has a mistake in entry 1: ada has other roles in an earlier entry",
        ),
    ],
)
def test_a_file_with_a_mistake_is_refused(keys_path, content, problem):
    write(keys_path, content)
    with pytest.raises(KeyFileError) as caught:
        KeyFile(keys_path)
    assert caught.value.message == f"The keys file {keys_path} {problem}; {LOOKS_LIKE}"
