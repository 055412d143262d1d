"""What pulumi_aws keeps under `cloudwatch`: alarms, dashboards, log groups, EventBridge rules, targets."""
