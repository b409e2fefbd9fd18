"""An HTTP client that is not ours: asks for pages one after the other, and says what each request was answered.

Reads a plan from standard input, a list of

    {"target": "127.0.0.1:50051", "ca": FILE, "cert": FILE, "key": FILE, "headers": {...}, "requests": [["GET", "/"], ...]}

and prints the status of each answer. A page without an end is not read to its end.
"""

import http.client
import json
import ssl
import sys

DEADLINE = 60


def connection(plan):
    context = ssl.create_default_context(cafile=plan["ca"])
    if "cert" in plan:
        context.load_cert_chain(plan["cert"], plan["key"])
    return http.client.HTTPSConnection(plan["target"], context=context, timeout=DEADLINE)


def main():
    statuses = []
    for plan in json.load(sys.stdin):
        opened = connection(plan)
        for method, path in plan["requests"]:
            opened.putrequest(method, path)
            for name, value in plan.get("headers", {}).items():
                opened.putheader(name, value)
            opened.putheader("Content-Length", "0")
            opened.endheaders()
            answer = opened.getresponse()
            statuses.append(answer.status)
            if answer.length is None or answer.will_close:
                opened.close()
                opened = connection(plan)
            else:
                answer.read()
        opened.close()
    json.dump(statuses, sys.stdout)


main()
