"""Publishes domain events to NATS as CloudEvents in both modes, with the libraries that others use.

The NATS binding's headers are those of the HTTP binding.
"""

import asyncio
import sys

import nats
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent


def event(number, change, data):
    attributes = {
        "id": f"erp é {number}",
        "source": "/erp/orders",
        "type": f"com.example.Order.{change}",
        "datacontenttype": "application/json",
        "subject": "order",
    }
    return CloudEvent(attributes=attributes, data=data)


async def main(url):
    connection = await nats.connect(url)
    stream = connection.jetstream()

    async def publish(change, message):
        body = message.body if isinstance(message.body, bytes) else message.body.encode()
        return await stream.publish(f"tidegate.events.acme.Order.{change}", body, headers=dict(message.headers))

    created = event(1, "create", {"objectId": "structured", "new": {"text": "é 🌊"}})
    updated = event(2, "update", {"objectId": "structured", "old": {"n": 1}, "new": {"n": 2}})
    await publish("create", to_structured_event(created))
    await publish("update", to_structured_event(updated))

    created = event(3, "create", {"objectId": "binary", "new": {"text": "é 🌊", "n": 9007199254740993}})
    deleted = event(4, "delete", {"objectId": "binary", "old": {"n": 2}})
    await publish("create", to_binary_event(created))
    await publish("delete", to_binary_event(deleted))

    # What was published before is known by its id, in whichever mode it comes again.
    await publish("create", to_structured_event(created))
    await publish("delete", to_binary_event(deleted))
    await connection.close()


asyncio.run(main(sys.argv[1]))
