"""A target group that waits on the scheduler's port."""

# rejected: scheduler-no-target-group on actuator

from tests.policies.programs import fleet

fleet.scheduler()
fleet.target_group("actuator", port=9091)
