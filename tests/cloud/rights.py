"""What IAM says when it is asked what somebody may do; moto has no answer to that.

Everything is allowed, but for the actions that a test has put into `DENIED` or `FORBIDDEN`.
"""

from xml.sax.saxutils import escape

from moto.iam.responses import IamResponse

DENIED: set[str] = set()
"""Actions that nothing allows."""

FORBIDDEN: set[str] = set()
"""Actions that something denies, as an organization's policies do."""


def install():
    """Add the operation to moto's server, for this process."""
    IamResponse.simulate_principal_policy = simulate_principal_policy


def simulate_principal_policy(self):
    """Answer iam:SimulatePrincipalPolicy."""
    found = "".join(
        "<member>"
        f"<EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalDecision>{_decision(action)}</EvalDecision>"
        "</member>"
        for action in self._get_param("ActionNames")
    )
    return (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult><EvaluationResults>{found}</EvaluationResults>"
        "<IsTruncated>false</IsTruncated></SimulatePrincipalPolicyResult>"
        "<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata>"
        "</SimulatePrincipalPolicyResponse>"
    )


def _decision(action):
    if action in FORBIDDEN:
        return "explicitDeny"
    return "implicitDeny" if action in DENIED else "allowed"
