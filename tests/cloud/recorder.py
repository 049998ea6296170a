"""Writing down every call that is made through a session, as the caller made it."""

import threading
from typing import Any, NamedTuple

from botocore import xform_name
from botocore.validate import ParamValidator
from tests.cloud.actions import action_of
from tests.cloud.arns import arn_of


class Call(NamedTuple):
    """One call; the tries that botocore makes of it count as one."""

    service: str
    operation: str
    params: dict[str, Any]


class Recorder:
    """Listens to a session.

    Args:
        session: a boto3 session of which no client has been made yet.
        watch: called with each call once it has been answered, or has failed; what it raises, the
            caller gets. For what must hold at every moment.

    Attributes:
        calls: what has been called, in order; a call that AWS's own description of the service
            does not allow is refused at once.
    """

    def __init__(self, session, watch=None):
        self.calls = []
        self._watch = watch
        self._now = threading.local()
        self._lock = threading.Lock()
        events = session.events
        events.register("before-parameter-build", self._asked)
        events.register("before-call", self._sent)
        events.register("after-call", self._answered)
        events.register("after-call-error", self._answered)

    @property
    def names(self):
        """Return service and operation of each call."""
        return [(call.service, call.operation) for call in self.calls]

    @property
    def actions(self):
        """Return the IAM actions that the calls need."""
        return {action_of(call.service, call.operation) for call in self.calls}

    def rights(self, region, account):
        """Return the IAM actions that the calls need, each with the ARN that it is needed on.

        The ARN is empty where the parameters of the call do not tell it.
        """
        return {
            (action_of(call.service, call.operation), arn_of(call, region, account))
            for call in self.calls
        }

    def _asked(self, params, model, context, **_):
        if model.input_shape is not None:
            found = ParamValidator().validate(params, model.input_shape)
            assert not found.has_errors(), f"{model.name}: {found.generate_report()}"
        context["marfa_test_params"] = dict(params)

    def _sent(self, model, context, **_):
        service, operation = model.service_model.service_name, xform_name(model.name)
        call = Call(service, operation, context.get("marfa_test_params", {}))
        with self._lock:
            self.calls.append(call)
            self._now.number = len(self.calls)
        self._now.call, self._now.model, self._now.tries = call, model, 0

    def _answered(self, **_):
        if self._watch is not None:
            watch, self._watch = self._watch, None  # it may make calls of its own
            try:
                watch(self._now.call)
            finally:
                self._watch = watch
