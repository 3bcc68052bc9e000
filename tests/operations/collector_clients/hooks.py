"""Webhooks signed by the vendors' own libraries: hooks.py URL STRIPE_SECRET SVIX_SECRET HUBSPOT_SECRET."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import stripe
from hubspot.utils.signature import Signature
from standardwebhooks.webhooks import Webhook

url, stripe_secret, svix_secret, hubspot_secret = sys.argv[1:]
now = int(time.time())


def sent(path: str, body: str, headers: dict[str, str]) -> int:
    named = {"Content-Type": "application/json", **headers}
    try:
        with urlopen(Request(url + path, body.encode(), named), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


paid = json.dumps({"id": "evt_1", "type": "charge.succeeded", "created": now, "note": "Grüße",
                   "data": {"object": {"customer": "u1", "amount": 500}}}, ensure_ascii=False)  # fmt: skip
signed = stripe.WebhookSignature.generate_signature_header(paid, stripe_secret, now)
created = json.dumps({"type": "user.created", "timestamp": "2026-11-22T10:00:00Z", "data": {"user": "u7"}})
moment = datetime.fromtimestamp(now, UTC)
standard = {"webhook-id": "msg_1", "webhook-timestamp": str(now),
            "webhook-signature": Webhook(svix_secret).sign("msg_1", moment, created)}  # fmt: skip
changed = json.dumps([{"eventId": 1, "objectId": 3, "occurredAt": now * 1000, "subscriptionType": "x"}])
stamp = str(now * 1000)
right = Signature.get_signature(hubspot_secret, changed, "v3", "https://t.shop.example/hooks/crm", "POST", stamp)
crm = {"X-HubSpot-Signature-v3": right, "X-HubSpot-Request-Timestamp": stamp}

sys.stdout.write(json.dumps({
    "stripe": sent("/hooks/payments", paid, {"Stripe-Signature": signed}),
    "stripe changed": sent("/hooks/payments", paid.replace("500", "501"), {"Stripe-Signature": signed}),
    "standard": sent("/hooks/svix", created, standard),
    "standard changed": sent("/hooks/svix", created + " ", standard),
    "hubspot": sent("/hooks/crm", changed, crm),
    "hubspot changed": sent("/hooks/crm", changed, {**crm, "X-HubSpot-Request-Timestamp": str(now * 1000 + 1)}),
}))  # fmt: skip
