"""Addresses of onboarding and the profile."""

from django.urls import path

from investors.views import onboarding, profile

app_name = "investors"
urlpatterns = [
    path("profile/", profile.profile, name="profile"),
    path("onboarding/", onboarding.onboarding_home, name="onboarding"),
    path("onboarding/look-up/<slug:kind>/", onboarding.look_up, name="look_up"),
    path("onboarding/<slug:step>/", onboarding.step, name="step"),
]
