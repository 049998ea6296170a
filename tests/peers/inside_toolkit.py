"""Runs in the stack `mms`: each line is a request, and is answered as the worker of the server does.

The toolkit and the contexts are AWS's own. The server's front, a program for Java, is not there.
"""

import base64
import contextlib
import json
import os
import sys

sys.path.insert(0, os.path.join(os.environ["SAGEMAKER_BASE_DIR"], "model", "code"))
with contextlib.redirect_stdout(sys.stderr):
    from mms.context import Context, RequestProcessor
    from sagemaker_inference import environment
    from sagemaker_inference.default_handler_service import DefaultHandlerService


def main():
    """Load the model, and answer until nobody asks."""
    answers, service = sys.stdout, DefaultHandlerService()
    context = Context("model", environment.model_dir, {}, 1, None, "1.1.11")
    with contextlib.redirect_stdout(sys.stderr):
        service.initialize(context)
        for line in sys.stdin:
            answers.write(json.dumps(answer(service, context, json.loads(line))) + "\n")
            answers.flush()


def answer(service, context, asked):
    """Answer one request; what nobody sent has no header, and an empty body is none."""
    headers = {name: value for name, value in asked["headers"].items() if value}
    context.request_processor = [RequestProcessor(headers)]
    body = bytearray(base64.b64decode(asked["body"]))
    (told,) = service.handle([{"body": body}], context)
    told = told.encode() if isinstance(told, str) else bytes(told)
    return {
        "status": context.get_response_status(0)[0],
        "content_type": context.get_response_content_type(0) or "",
        "body": base64.b64encode(told).decode(),
    }


main()
