"""Addresses of the client: survey and opt-out links."""

from django.urls import path

from surveys import views

app_name = "surveys"
urlpatterns = [
    path("s/<str:token>/", views.answer, name="answer"),
    path("s/<str:token>/done/", views.done, name="done"),
    path("s/<str:token>/edit/", views.edit, name="edit"),
    path("s/<str:token>/view/", views.view, name="view"),
    path("u/<str:token>/", views.opt_out, name="opt_out"),
    path("privacy/", views.privacy, name="privacy"),
]
