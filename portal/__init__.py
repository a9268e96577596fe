"""The project and its shared kernel: what every app may use, and nothing that knows an app.

Wiring (`settings`, `urls`, `celery`, `routes`, `management`) joins the apps and is imported by nobody.
"""
