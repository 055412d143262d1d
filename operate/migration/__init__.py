"""From Terraform, or from ECS by hand, to this program, with what runs left running.

`planned` reads what a preview would create, `account` what AWS has, `existing` finds the one in the other,
`terraform` reads who owned it so far, and `steps` says what is to be done. The verb is `migrate`.
"""
