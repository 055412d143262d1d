"""The building blocks of FileFlow on ECS.

Import the components from their own modules, for example
`from components.scheduler_service import SchedulerService, SchedulerServiceArgs`: a program that
uses one component then loads only what that one needs.
"""
