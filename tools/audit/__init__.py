"""`make audit`: what an auditor's tool finds on a deployed stack, held against what was accepted.

`resources` says what is the stack's own, `prowler` runs the tool, `accepted` reads what was accepted and why,
`judgement` compares, `reports` writes. Deliberately changes nothing in any account, and judges nothing that
isn't the stack's own: the account's settings stay with whoever owns the account.
"""
