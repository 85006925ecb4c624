"""Requests to the data API with Airflow's token: who asks, what was refused, and nothing secret in any message."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from include.client.errors import BY_STATUS, ApiError, UnavailableError

API = "/market/api/v1"
LOGIN = "/auth/token"
SECONDS = (5, 60)  # to connect, to answer


class Bearer(AuthBase):
    """A token, sent with each request; as `auth` it comes before whatever .netrc says."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def __repr__(self) -> str:
        return "Bearer(***)"


class Session:
    """One user's way to one Airflow. A token that ran out is fetched anew where there is a password."""

    def __init__(self, url: str, username: str | None, password: str | None, token: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("the address has to be Airflow's own, like http://127.0.0.1:8080")
        if parts.username or parts.password:
            raise ValueError("name and password do not belong into the address: give username and password")
        if (username is None) != (password is None) or (token is None) == (username is None):
            raise ValueError("give either username and password, or token")
        self.url = url.rstrip("/")
        self._login = {"username": username, "password": password} if username is not None else None
        self._session = requests.Session()
        self._bearer = Bearer(token) if token is not None else None

    def get(self, path: str, params: dict[str, str], accept: str) -> requests.Response:
        """One answer of the API. Raises ApiError, or the class of it that says what to do."""
        asked_with = self._bearer or self._log_in()
        answer = self._get(path, params, accept, asked_with)
        if answer.status_code == 401 and self._login:
            answer = self._get(path, params, accept, self._log_in())
        if answer.status_code != 200:
            raise _error(answer, f"GET {API}/{path}")
        if "Market-Verdict" not in answer.headers:
            raise ApiError(
                f"{self.url} answers, but not as the data API: is that Airflow's address, and has it the plugin?"
            )
        return answer

    def _get(self, path: str, params: dict[str, str], accept: str, bearer: Bearer) -> requests.Response:
        return self._send("GET", f"{API}/{path}", params=params, headers={"Accept": accept}, auth=bearer)

    def _log_in(self) -> Bearer:
        answer = self._send("POST", LOGIN, json=self._login)
        if answer.status_code != 201:
            raise _error(answer, f"the login of {self._login['username'] if self._login else None}")
        self._bearer = Bearer(str(answer.json()["access_token"]))
        return self._bearer

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Never follows a redirect: a password or a token goes to the address that was given, and nowhere else."""
        try:
            return self._session.request(method, self.url + path, timeout=SECONDS, allow_redirects=False, **arguments)
        except requests.RequestException as error:
            raise UnavailableError(f"{self.url} does not answer: {type(error).__name__}") from None


def _error(answer: requests.Response, what: str) -> ApiError:
    try:
        problem = answer.json()
        detail, kind = str(problem["detail"]), problem.get("type")
    except (ValueError, TypeError, KeyError):
        detail, kind = answer.reason or "no words", None
    if 300 <= answer.status_code < 400:
        detail = f"it points to {answer.headers.get('Location')}; give the address that answers itself"
    if answer.status_code == 401:
        detail = f"user name, password or token is not accepted ({detail})"
    error = BY_STATUS.get(answer.status_code, ApiError)
    return error(f"{what}: {answer.status_code}, {detail}", answer.status_code, kind)
