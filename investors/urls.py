"""Addresses of onboarding and the profile."""

from django.urls import include, path

from investors.views import family, invites, kyc, onboarding, profile, transfers

app_name = "investors"
urlpatterns = [
    path("profile/", profile.profile, name="profile"),
    path("", include("investors.mandate_urls")),
    path("", include("investors.bank_urls")),
    path("profile/", include("investors.change_urls")),
    path("privacy/", include("investors.privacy_urls")),
    path("people/", family.people, name="people"),
    path("people/child/", family.begin_child, name="begin_child"),
    path("people/<str:code>/act/", family.act_for, name="act_for"),
    path("transfers/<str:code>/", transfers.transfer, name="transfer"),
    path("kyc/", kyc.kyc_home, name="kyc"),
    path("kyc/<slug:step>/", kyc.kyc_step, name="kyc_step"),
    path("documents/<str:token>/", kyc.document, name="document"),
    path("invitation/", invites.invitation, name="invite"),
    path("invitation/<str:token>/", invites.follow, name="invite_link"),
    path("onboarding/", onboarding.onboarding_home, name="onboarding"),
    path("onboarding/look-up/<slug:kind>/", onboarding.look_up, name="look_up"),
    path("onboarding/<slug:step>/", onboarding.step, name="step"),
]
