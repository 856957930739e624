"""Resends invitations through the generic layer of the published Python SDK, as its users have to.

The SDK documents `resend_invitations` but does not have it. `check.py GATEWAY`, e.g. http://127.0.0.1:8080.
"""

import json
import sys

from faxplus import ApiClient
from faxplus.configuration import Configuration
from faxplus.rest import ApiException

PATH = "/accounts/self/member-invitations"
SUCCESS = {"message": "Invitations resent successfully"}


def resend(base_url, emails, token="alohi_pat_x"):
    """What the SDK gives for a PATCH of `emails`: the data and the status."""
    configuration = Configuration()
    configuration.host = base_url
    configuration.access_token = token
    client = ApiClient(configuration, header_name="x-fax-clientid", header_value="client")
    headers = {"Accept": client.select_header_accept(["application/json"])}
    data, status, _headers = client.call_api(
        PATH,
        "PATCH",
        header_params=headers,
        body=emails,
        response_type="object",
        auth_settings=["oauth2", "personal_access_token"],
        _request_timeout=60,
    )
    return data, status


def fault(base_url, emails, **more):
    """The exception that the SDK raises, and the body that it carries."""
    try:
        answer = resend(base_url, emails, **more)
    except ApiException as exception:
        return exception, json.loads(exception.body)
    raise AssertionError(f"no exception for {emails}, but {answer}")


def expect(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def a_list_of_any_length_is_success(base_url):
    expect(resend(base_url, ["py-one@example.com"]), (SUCCESS, 200))
    expect(resend(base_url, [f"py-many{n}@example.com" for n in range(250)]), (SUCCESS, 200))


def what_was_sent_already_is_success(base_url):
    emails = ["py-twice@example.com", "PY-twice@example.com"]
    expect(resend(base_url, emails), (SUCCESS, 200))
    expect(resend(base_url, emails), (SUCCESS, 200))


def a_base_url_that_ends_in_a_slash_works(base_url):
    expect(resend(base_url + "/", ["py-slash@example.com"]), (SUCCESS, 200))


def an_invalid_address_raises_and_the_description_says_where(base_url):
    exception, body = fault(base_url, ["py-good@example.com", "nobody"])
    expect((exception.status, body["error"]), (400, "invalid_addresses"))
    expect(body["invalid"], [{"index": 1, "reason": "no_at_sign"}])
    if "1 of 2 elements is not an e-mail address: element 1 (no_at_sign)" not in str(exception):
        raise AssertionError(f"the description does not show: {exception}")


def an_empty_list_raises(base_url):
    exception, body = fault(base_url, [])
    expect((exception.status, body["error"]), (400, "empty_list"))


def a_missing_token_raises(base_url):
    exception, body = fault(base_url, ["py-token@example.com"], token="")
    expect((exception.status, body["error"]), (401, "unauthorized"))


def a_rejected_address_raises_and_is_named(base_url):
    emails = ["py-a@example.com", "py-r@refused.example", "PY-a@example.com"]
    exception, body = fault(base_url, emails)
    expect((exception.status, body["error"]), (400, "rejected_addresses"))
    expect((body["rejected"], body["retry"], body["unknown"]), (["py-r@refused.example"], [], []))
    counts = body["counts"]
    expect((counts["received"], counts["sent"], counts["duplicate"], counts["rejected"]), (3, 1, 1, 1))
    if "1 rejected (not_found)" not in str(exception):
        raise AssertionError(f"the description does not show: {exception}")


def a_doubt_raises_and_is_named(base_url):
    exception, body = fault(base_url, ["py-u@doubt.example", "py-r2@refused.example"])
    expect((exception.status, body["error"]), (500, "outcome_unknown"))
    expect(sorted(body["unknown"] + body["rejected"]), ["py-r2@refused.example", "py-u@doubt.example"])


def what_was_not_sent_raises_and_can_be_posted_again(base_url):
    exception, body = fault(base_url, ["py-l@later.example"])
    expect((exception.status, body["error"]), (503, "not_sent"))
    expect((body["retry"], body["unknown"]), (["py-l@later.example"], []))
    if int(exception.headers["Retry-After"]) < 1:
        raise AssertionError(f"no wait: {exception}")


def a_list_that_takes_too_long_raises(base_url):
    exception, body = fault(base_url, ["py-s@slow.example"])
    expect((exception.status, body["error"]), (504, "still_sending"))
    expect((body["counts"]["pending"], bool(body["resend_id"])), (1, True))


def main():
    base_url = sys.argv[1] + "/v3"
    checks = [
        a_list_of_any_length_is_success,
        what_was_sent_already_is_success,
        a_base_url_that_ends_in_a_slash_works,
        an_invalid_address_raises_and_the_description_says_where,
        an_empty_list_raises,
        a_missing_token_raises,
        a_rejected_address_raises_and_is_named,
        a_doubt_raises_and_is_named,
        a_list_that_takes_too_long_raises,
        what_was_not_sent_raises_and_can_be_posted_again,
    ]
    for check in checks:
        check(base_url)
        print(f"ok   {check.__name__}")


main()
