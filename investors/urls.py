"""Addresses of onboarding and the profile."""

from django.urls import path

from investors import views

app_name = "investors"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("onboarding/", views.onboarding_home, name="onboarding"),
    path("onboarding/look-up/<slug:kind>/", views.look_up, name="look_up"),
    path("onboarding/<slug:step>/", views.step, name="step"),
]
