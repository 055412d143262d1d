"""The deployment guide's runbook as commands: `python -m operate VERB`.

Takes every name from the stack's own state and asks AWS, so the verbs work against an account and
against the AWS on this machine alike. Owns what an operator does after a deployment. Doesn't own
what the stack is: that is changed in its configuration, and by `pulumi up`.
"""
