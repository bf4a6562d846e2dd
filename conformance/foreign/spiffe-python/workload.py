"""A workload with py-spiffe: what it gets from the Workload API, one line of JSON each."""

import json
import os
import sys
import time

from spiffe import JwtSource, WorkloadApiClient, X509Source
from spiffe.errors import PySpiffeError
from spiffe.svid.jwt_svid import JwtSvid

WITHIN = 15.0


def say(**value):
    print(json.dumps(value), flush=True)


def x509():
    with X509Source(timeout_in_seconds=WITHIN) as source:
        svid = source.get_x509_context().default_svid
        bundle = source.get_bundle_for_trust_domain(svid.spiffe_id.trust_domain)
        say(
            id=str(svid.spiffe_id),
            chain=len(svid.cert_chain),
            roots=len(bundle.x509_authorities),
            serial=str(svid.leaf.serial_number),
        )


def jwt():
    audience = os.environ["AUDIENCE"]
    with JwtSource(timeout_in_seconds=WITHIN) as source:
        svid = source.fetch_svid({audience})
        bundle = source.get_bundle_for_trust_domain(svid.spiffe_id.trust_domain)
        # By py-spiffe itself, with the bundle that the source keeps.
        checked = JwtSvid.parse_and_validate(svid.token, bundle, {audience})
        say(id=str(checked.spiffe_id), token=svid.token, expiry=svid.expiry)


def validate():
    client = WorkloadApiClient(default_timeout=WITHIN)
    svid = client.validate_jwt_svid(os.environ["TOKEN"], os.environ["AUDIENCE"])
    say(id=str(svid.spiffe_id))


def x509_watch():
    """Until standard input ends."""

    def update(context):
        svids = [{"id": str(each.spiffe_id), "serial": str(each.leaf.serial_number)} for each in context.x509_svids]
        say(svids=svids, bundles=sorted(str(each.trust_domain) for each in context.x509_bundle_set.bundles))

    watch(WorkloadApiClient().stream_x509_contexts, update)


def jwt_watch():
    """Until standard input ends."""

    def update(bundles):
        say(kids={str(each.trust_domain): sorted(each.jwt_authorities) for each in bundles.bundles})

    watch(WorkloadApiClient().stream_jwt_bundles, update)


def watch(stream, update):
    handler = stream(update, lambda error: say(watch_error=str(error)), retry_connect=False)
    sys.stdin.read()
    handler.cancel()
    time.sleep(0.1)


COMMANDS = {"x509": x509, "jwt": jwt, "validate": validate, "x509-watch": x509_watch, "jwt-watch": jwt_watch}

try:
    COMMANDS[sys.argv[1]]()
except PySpiffeError as error:
    say(error=type(error).__name__, text=str(error))
